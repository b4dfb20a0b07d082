//! The one mapping from everything that can go wrong to an RFC 9457 `application/problem+json` answer.
//! Clients get a stable code and a sentence; the cause of an internal fault goes to the log only.

use std::{borrow::Cow, fmt, sync::Arc};

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    http::{StatusCode, header},
};
use serde::Serialize;

use crate::{
    actors::Failure,
    domain::{Refusal, RefusalKind},
    events::{AtError, LogError, served},
    snapshots::{SnapshotError, WorkError},
};

/// Seconds a client should wait before a retry when nothing better is known.
pub const RETRY_AFTER_SECONDS: u32 = 1;
/// The same where an operator must act first.
const READ_ONLY_RETRY_AFTER_SECONDS: u32 = 30;

/// A refused or failed request, on its way to the client.
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    field: Option<FieldError>,
    retry_after_seconds: Option<u32>,
    /// The history that is served, where the client's is another.
    epoch: Option<Arc<str>>,
    /// An extra header such as `Allow`.
    header: Option<(header::HeaderName, header::HeaderValue)>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body, such as `/price/amount`; for a path or query parameter its name after a slash.
    pub pointer: String,
    pub detail: String,
}

/// The body of every error answer (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody<'a> {
    /// `urn:aisled:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code as words.
    pub title: String,
    pub status: u16,
    /// Stable; match on this.
    pub code: &'a str,
    /// A sentence that a person can act on.
    pub detail: &'a str,
    /// As in the `X-Request-ID` header; quote it when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// With `history_changed`: the history that is served now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<&'a str>,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    pub errors: &'a [FieldError],
}

impl Problem {
    /// A problem with a stable code and a sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts { status, code, detail: detail.into(), field: None, retry_after_seconds: None, epoch: None, header: None }))
    }

    /// The request cannot be understood (400).
    #[must_use]
    pub fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// It was understood, but cannot be right (422).
    #[must_use]
    pub fn invalid(code: &'static str, pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).at(pointer)
    }

    /// The named thing does not exist (404).
    #[must_use]
    pub fn not_found(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// Something existing or under way forbids it (409).
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// What the client saw is of another history than the one that is served (409); names the epoch of this one.
    #[must_use]
    pub fn history_changed(detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::conflict("history_changed", detail);
        problem.0.epoch = served::epoch();
        problem
    }

    /// The same problem with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// An internal fault: the cause is logged here, once, and not shown.
    #[must_use]
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "request failed inside the server");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal server error; it is logged under the request id")
    }

    /// A part of the log cannot be read (500): names the position, so that an operator finds the file.
    #[must_use]
    pub fn unreadable(error: LogError) -> Self {
        tracing::error!(%error, "a request needs events that cannot be read");
        let failure = Failure::Unreadable(error);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, failure.code(), failure.detail())
    }

    /// It may work soon (503).
    #[must_use]
    pub fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>, retry_after_seconds: u32) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
        problem.0.retry_after_seconds = Some(retry_after_seconds);
        problem
    }

    /// It came too often (429).
    #[must_use]
    pub fn too_many(code: &'static str, detail: impl Into<Cow<'static, str>>, retry_after: std::time::Duration) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail);
        problem.0.retry_after_seconds = Some(u32::try_from(retry_after.as_secs()).unwrap_or(u32::MAX).saturating_add(1));
        problem
    }

    /// The same problem, pointing at a field.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.field = Some(FieldError { pointer: pointer.into(), detail: self.0.detail.to_string() });
        self
    }

    /// The same problem where the body names a field of the command differently.
    #[must_use]
    pub fn renamed(mut self, command: &str, body: &str) -> Self {
        if let Some(field) = &mut self.0.field
            && let Some(rest) = field.pointer.strip_prefix(command).filter(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            field.pointer = format!("{body}{rest}");
        }
        self
    }

    /// The same problem with a header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: header::HeaderValue) -> Self {
        self.0.header = Some((name, value));
        self
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.0.field.as_ref().map(|field| field.pointer.as_str())
    }

    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        self.0.retry_after_seconds
    }

    /// The answer, naming the request.
    #[must_use]
    pub fn answer(&self, request_id: Option<&str>) -> HttpResponse {
        let parts = &*self.0;
        let body = ProblemBody {
            kind: format!("urn:aisled:problem:{}", parts.code),
            title: title(parts.code),
            status: parts.status.as_u16(),
            code: parts.code,
            detail: &parts.detail,
            request_id,
            epoch: parts.epoch.as_deref(),
            errors: parts.field.as_slice(),
        };
        let mut answer = HttpResponseBuilder::new(parts.status);
        answer.content_type("application/problem+json");
        if let Some(seconds) = parts.retry_after_seconds {
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(extra) = parts.header.clone() {
            answer.insert_header(extra);
        }
        answer.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

fn title(code: &str) -> String {
    let mut words = code.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        self.answer(None)
    }
}

impl Problem {
    /// An admin sees the whole cause: it concerns files on the admin's own machine.
    #[must_use]
    pub fn of_snapshot(error: &SnapshotError) -> Self {
        use SnapshotError as E;
        let status = match error {
            E::NotFound(_) | E::NoneYet | E::NothingToUndo | E::LeftGone(_) | E::BeforeFirst(_) => StatusCode::NOT_FOUND,
            E::At(AtError::BeforeFirst { .. } | AtError::Zero | AtError::Empty) => StatusCode::NOT_FOUND,
            E::InvalidName(_) | E::NothingNamed | E::BeyondSnapshot { .. } | E::At(AtError::BeyondHead { .. }) => StatusCode::BAD_REQUEST,
            E::NoFolder | E::NotConfirmed => StatusCode::CONFLICT,
            E::Foreign { .. } | E::NewerFormat { .. } | E::Damaged { .. } | E::Differs(_) | E::Accounts { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            E::At(AtError::Log(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            E::Work(failed) => status_of_work(failed),
        };
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(%error, "admin request failed");
        }
        Self::new(status, error.code(), error.to_string())
    }
}

fn status_of_work(failed: &WorkError) -> StatusCode {
    use WorkError as E;
    match failed {
        E::InUse | E::LeftInUse(_) | E::Busy(_) => StatusCode::CONFLICT,
        E::NoSpace { .. } | E::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        E::Io { .. } | E::Log(_) | E::Staged(_) | E::Source(_) => StatusCode::INTERNAL_SERVER_ERROR,
        E::NotRecorded(_) | E::Views(_) | E::CutShort(_) | E::Result(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::Malformed => StatusCode::BAD_REQUEST,
        };
        let problem = Self::new(status, refusal.code, refusal.detail);
        match refusal.pointer {
            Some(pointer) => problem.at(pointer),
            None => problem,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let (code, detail) = (failure.code(), failure.detail());
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::VersionMismatch { .. } => Self::new(StatusCode::PRECONDITION_FAILED, code, detail),
            Failure::HistoryChanged(_) => Self::history_changed(detail).with_status(StatusCode::PRECONDITION_FAILED),
            Failure::KeyReused { .. } => Self::conflict(code, detail),
            Failure::Overloaded { retry_after_seconds, .. } => Self::unavailable(code, detail, retry_after_seconds),
            Failure::Contended(_) => Self::unavailable(code, detail, RETRY_AFTER_SECONDS),
            Failure::Poisoned { stream, position, reason } => {
                tracing::error!(%stream, %position, reason, "history cannot be replayed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, detail)
            }
            Failure::OutcomeUnknown(cause) => {
                tracing::error!(cause, "outcome of a command is unknown");
                Self::unavailable(code, detail, RETRY_AFTER_SECONDS)
            }
            Failure::ReadOnly(cause) => {
                tracing::error!(cause, "log is read-only");
                Self::unavailable(code, detail, READ_ONLY_RETRY_AFTER_SECONDS)
            }
            Failure::NoRoom(cause) => {
                tracing::debug!(cause, "the log has no room");
                Self::unavailable(code, detail, RETRY_AFTER_SECONDS)
            }
            Failure::Unreadable(error) => Self::unreadable(error),
            Failure::Internal(cause) => Self::internal(&cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_pointer_and_gets_its_status() {
        let problem = Problem::from(Refusal::new(RefusalKind::Invalid, "quantity_not_positive", "no").at("/quantity/amount"));
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.code(), "quantity_not_positive");
        assert_eq!(problem.pointer(), Some("/quantity/amount"));
    }

    #[test]
    fn an_internal_cause_never_reaches_the_client() {
        let answer = Problem::from(Failure::Internal("secret path /data/db".into()));
        assert!(!answer.to_string().contains("secret"));
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let answer = Problem::from(Failure::Overloaded { what: "the list", retry_after_seconds: 2 }).answer(Some("r1"));
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).map(header::HeaderValue::as_bytes), Some(&b"2"[..]));
    }
}
