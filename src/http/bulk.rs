//! Prices in bulk: a line in, a line out, in order. Memory is bounded by the window of lines under way, not by the body,
//! and reading pauses while the client does not read its answers.

use std::{cell::Cell, rc::Rc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Payload},
};
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{
    body::check_content_type,
    error::{Problem, ProblemBody},
    input::{given, parse},
    lines::{Line, lines},
    prices::observation,
    protocol::PriceLine,
    reads::{Query, in_scope},
};
use crate::{
    app::{App, Current},
    commands::{Caller, execute},
    domain::{Outcome, product::Products},
    events::Position,
};

/// Lines under way at the same time; they share commits of the log.
const LINES_IN_FLIGHT_MAX: usize = 512;
/// Answers sent together when they are ready together.
const ANSWERS_PER_CHUNK_MAX: usize = 64;
/// The content types accepted. The last one is for clients that know a body of bytes, but none of lines, as generated ones.
const CONTENT_TYPES: [&str; 4] = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/octet-stream"];

/// How a bulk intake answers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BulkQuery {
    #[serde(default)]
    #[param(inline)]
    answers: Answers,
}

/// Which lines are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Answers {
    /// Every line.
    #[default]
    All,
    /// Only those refused; a last line counts all.
    Refused,
}

/// The answer to one line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LineAnswer {
    /// From 1; blank lines count but are not answered.
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub position: Option<Position>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The line itself is fine: send it again later.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub temporary: bool,
}

/// The last line when only refused lines are answered.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct BulkSummary {
    pub lines: u64,
    pub applied: u64,
    pub unchanged: u64,
    pub refused: u64,
}

/// Takes prices in bulk: one JSON object a line. Read the answers while sending, or send at most a thousand lines a request.
/// With an `Idempotency-Key` each line is keyed by it and its number.
#[utoipa::path(post, path = "/api/v1/prices", tag = "prices", params(BulkQuery),
    request_body(content = PriceLine, content_type = "application/x-ndjson"),
    responses((status = 200, body = LineAnswer, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemBody)))]
pub async fn prices(
    app: Current,
    caller: Caller,
    request: HttpRequest,
    payload: Payload,
    Query(query): Query<BulkQuery>,
) -> Result<HttpResponse, Problem> {
    check_content_type(&request, &CONTENT_TYPES)?;
    if given(request.headers(), header::IF_MATCH).is_some() {
        return Err(Problem::malformed("invalid_if_match", "bulk prices have no common version: send them without If-Match"));
    }
    let summary = Rc::new(Cell::new(BulkSummary::default()));
    let counted = Rc::clone(&summary);
    let only_refused = query.answers == Answers::Refused;
    let answers = lines(payload).map(move |line| take(app.clone(), caller.clone(), line)).buffered(LINES_IN_FLIGHT_MAX);
    let shown = answers.filter_map(move |answer| {
        counted.set(counted.get().with(&answer));
        std::future::ready((!only_refused || answer.error.is_some()).then(|| text_line(&answer)))
    });
    let last = stream::once(async move { text_line(&summary.get()) }).filter(move |_| std::future::ready(only_refused));
    let chunks = shown.chain(last).ready_chunks(ANSWERS_PER_CHUNK_MAX).map(|texts| Ok::<_, Problem>(Bytes::from(texts.concat())));
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(in_scope(chunks)))
}

impl BulkSummary {
    fn with(mut self, answer: &LineAnswer) -> Self {
        self.lines += 1;
        match answer.outcome {
            Some(Outcome::Applied | Outcome::Merged) => self.applied += 1,
            Some(Outcome::Unchanged) => self.unchanged += 1,
            None => self.refused += 1,
        }
        self
    }
}

async fn take(app: Current, caller: Caller, line: Line) -> LineAnswer {
    let number = line.number;
    let empty = LineAnswer {
        line: number,
        outcome: None,
        version: None,
        position: None,
        repeated: false,
        error: None,
        detail: None,
        pointer: None,
        temporary: false,
    };
    match record(&app, caller.for_line(number), line).await {
        Ok((outcome, version, position, repeated)) => {
            LineAnswer { outcome: Some(outcome), version: Some(version), position: Some(position), repeated, ..empty }
        }
        Err(problem) => LineAnswer {
            error: Some(problem.code()),
            detail: Some(problem.detail().to_owned()),
            pointer: problem.pointer().map(str::to_owned),
            temporary: problem.retry_after_seconds().is_some(),
            ..empty
        },
    }
}

async fn record(app: &App, caller: Caller, line: Line) -> Result<(Outcome, u64, Position, bool), Problem> {
    let (product, price) = parse::<PriceLine>(&line.text?)?.split();
    let request = observation(caller, &product, price)?;
    let done = execute::<Products>(app, product.as_str(), request).await.map_err(|failure| pointing_at_product(failure.into()))?;
    Ok((done.outcome, done.version, done.position, done.repeated))
}

/// Here the product is a field, not part of the path.
fn pointing_at_product(problem: Problem) -> Problem {
    if problem.code() == "product_not_found" { problem.at("/product") } else { problem }
}

fn text_line<T: Serialize>(value: &T) -> Vec<u8> {
    // Plain data always serializes; an empty line would show a failure.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}
