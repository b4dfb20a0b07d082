//! For operators: is the server alive, can it serve, and how is it doing?

use std::time::SystemTime;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use metrics::{counter, gauge};
use serde::Serialize;

use super::{
    access::identity,
    body::{Nothing, render},
    error::Problem,
    input::Query,
};
use crate::{
    app::{App, Current, Running, SelfRestored},
    config::Durability,
    disk::{RESERVE_BYTES, free_bytes},
    domain::{
        Moment,
        rights::{Action, Verdict},
    },
    events::Position,
    log::Verification,
    people::Identity,
    telemetry::{self, process::as_metric},
};

/// Events the views may be behind before the server counts as not ready.
const LAG_EVENTS_MAX: u64 = 10_000;

/// Answers as long as the process runs.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = String)))]
pub async fn alive(_: Query<Nothing>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// Whether the server can do its work. Why not, and how it is doing, is only for admins of the server: the rest is absent for others.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Readiness {
    pub ready: bool,
    /// Why not, in sentences; empty when ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogReadiness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<ViewsReadiness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskReadiness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockReadiness>,
    /// The result of the last test restore of the newest snapshot; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_restore: Option<SelfRestored>,
}

/// The state of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LogReadiness {
    pub writable: bool,
    /// The verification of the log's older files; absent if the log is in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationReadiness>,
    #[schema(value_type = String)]
    pub head: Position,
    /// When an answered command counts as written.
    #[schema(value_type = String)]
    pub durability: Durability,
}

/// The continuous verification of the log's older files.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VerificationReadiness {
    /// Segments of the log, and how many the pass under way has verified.
    pub segments: usize,
    pub segments_checked: usize,
    /// When the last full pass ended; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_pass: Option<Moment>,
    /// Damaged files without an intact copy: reads of their events fail by position, everything else works, so the server stays ready.
    pub damaged: Vec<String>,
}

impl From<Verification> for VerificationReadiness {
    fn from(found: Verification) -> Self {
        let Verification { segments, segments_checked, last_pass, damaged } = found;
        let since_epoch = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
        let last_pass = last_pass.map(|time| Moment(i64::try_from(since_epoch(time)).unwrap_or(i64::MAX)));
        Self { segments, segments_checked, last_pass, damaged }
    }
}

/// The state of the views.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ViewsReadiness {
    #[schema(value_type = String)]
    pub position: Position,
    pub lag_events: u64,
}

/// The state of the clock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ClockReadiness {
    pub now: Moment,
    /// The clock was far ahead of, or behind, the newest event at the start. The server works; times may be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

/// The state of the disk.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DiskReadiness {
    /// Absent where the system does not report it.
    pub free_bytes: Option<u64>,
}

/// Returns whether the server can do its work: the log accepts events, the views keep up, the disk has room. Says why not, and how it is doing,
/// to admins of the server only.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub async fn ready(app: Current, running: Data<Running>, request: HttpRequest, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let readiness = Readiness { self_restore: running.self_restored(), ..readiness(&app) };
    let readiness = if is_for_all_of_it(&app, &request) { readiness } else { readiness.in_short() };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(HttpResponse::build(status).content_type("application/json").body(render(&readiness)?))
}

/// A credential that proves nothing is nobody's: a probe with a stale one still learns whether to send requests here.
fn is_for_all_of_it(app: &App, request: &HttpRequest) -> bool {
    let may_run = |identity: &Identity| app.authority.rights(identity).to_catalog().may(Action::RunServer) == Verdict::Allowed;
    identity(request).is_ok_and(|identity| identity.reads && may_run(&identity))
}

impl Readiness {
    /// What everybody may know.
    fn in_short(&self) -> Self {
        Self { ready: self.ready, reasons: None, log: None, views: None, disk: None, clock: None, self_restore: None }
    }
}

fn readiness(app: &App) -> Readiness {
    let (head, position) = (app.log.head(), *app.applied.borrow());
    let lag_events = head.0.saturating_sub(position.0);
    let read_only = app.log.read_only();
    let free_bytes = free_bytes(&app.config.data);
    let mut reasons = Vec::new();
    if read_only.is_some() {
        reasons.push("the log is read-only; see the server's log output for the cause".to_owned());
    }
    let verification = app.history.blocks.as_ref().map(|log| VerificationReadiness::from(log.verification()));
    // Its sender ends with the projector's thread.
    if app.applied.has_changed().is_err() {
        reasons.push("the views have stopped; see the server's log output for the cause".to_owned());
    }
    if lag_events > LAG_EVENTS_MAX {
        reasons.push(format!("the views are {lag_events} events behind"));
    }
    if let Some(free) = free_bytes.filter(|free| *free < RESERVE_BYTES) {
        reasons.push(format!("the disk has {free} bytes free"));
    }
    Readiness {
        ready: reasons.is_empty(),
        reasons: Some(reasons),
        log: Some(LogReadiness { writable: read_only.is_none(), verification, head, durability: app.config.durability }),
        views: Some(ViewsReadiness { position, lag_events }),
        disk: Some(DiskReadiness { free_bytes }),
        clock: Some(ClockReadiness { now: app.clock.now(), warning: app.skew.warning() }),
        self_restore: None,
    }
}

/// Shows the metrics in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, body = String)))]
pub async fn metrics(app: Current, _: Query<Nothing>) -> HttpResponse {
    telemetry::process::record();
    let (head, position) = (app.log.head(), *app.applied.borrow());
    gauge!(telemetry::LOG_HEAD).set(as_metric(head.0));
    gauge!(telemetry::FEED_LAG).set(as_metric(head.0.saturating_sub(position.0)));
    gauge!(telemetry::LOG_READ_ONLY).set(as_metric(u64::from(app.log.read_only().is_some())));
    let actors = app.registry.counters();
    gauge!(telemetry::ACTORS_ALIVE).set(as_metric(actors.alive as u64));
    gauge!(telemetry::ACTORS_BYTES).set(as_metric(actors.bytes as u64));
    counter!(telemetry::ACTORS_STARTED).absolute(actors.started);
    counter!(telemetry::ACTOR_PANICS).absolute(actors.panics);
    counter!(telemetry::MAILBOX_REFUSALS).absolute(actors.mailbox_refusals);
    counter!(telemetry::CONFLICTS).absolute(actors.conflicts);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}
