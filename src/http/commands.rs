//! The answer to a command over HTTP.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use serde::Serialize;

use super::{body::render, error::Problem, reads::version_tag};
use crate::{
    actors::{Done, Hosted, Request},
    app::App,
    commands::execute,
    domain::Outcome,
    events::Position,
};

/// The answer to every write.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CommandAnswer<'a, V> {
    /// The entity the command went to.
    pub id: &'a str,
    pub outcome: Outcome,
    /// The entity's current version; send it as `If-Match` to write only if nobody else did.
    pub version: u64,
    /// Its position in the log; send it as `after` to a read that must show it.
    #[schema(value_type = String)]
    pub position: Position,
    /// The part it touched, such as the item that an added one was merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<&'a str>,
    /// The same command was executed before; this is its first outcome.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// A list's new totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<V>,
}

/// Executes a command and answers 200 with its outcome.
///
/// # Errors
/// When the entity refuses or fails.
pub async fn run<E: Hosted>(app: &App, id: &str, request: Request<E::Command>) -> Result<HttpResponse, Problem> {
    let done = execute::<E>(app, id, request).await?;
    answer::<E, ()>(app, StatusCode::OK, id, &done, None)
}

/// Executes a command that creates something and answers 201 with its location, 200 if it already existed.
///
/// # Errors
/// When the entity refuses or fails.
pub async fn make<E: Hosted>(app: &App, id: &str, request: Request<E::Command>) -> Result<HttpResponse, Problem> {
    let done = execute::<E>(app, id, request).await?;
    make_done::<E>(app, id, &done)
}

/// Answers a command that creates something.
///
/// # Errors
/// Only for an internal fault.
pub fn make_done<E: Hosted>(app: &App, id: &str, done: &Done<E::View>) -> Result<HttpResponse, Problem> {
    made(answer::<E, ()>(app, status_of_making(done), id, done, None)?, &format!("/api/v1/{}s/{id}", E::KIND.as_str()))
}

/// 201 when it was created by this command, or by an earlier sending of it.
#[must_use]
pub fn status_of_making<V>(done: &Done<V>) -> StatusCode {
    if done.outcome == Outcome::Applied { StatusCode::CREATED } else { StatusCode::OK }
}

/// Adds the location of the created entity.
///
/// # Errors
/// Never for valid ids; they are plain text.
pub fn made(mut answer: HttpResponse, place: &str) -> Result<HttpResponse, Problem> {
    let place = header::HeaderValue::from_str(place).map_err(|error| Problem::internal(&error))?;
    answer.headers_mut().insert(header::LOCATION, place);
    Ok(answer)
}

/// Renders the outcome of a command.
///
/// # Errors
/// Only for an internal fault.
pub fn answer<E: Hosted, V: Serialize>(
    app: &App,
    status: StatusCode,
    id: &str,
    done: &Done<E::View>,
    totals: Option<V>,
) -> Result<HttpResponse, Problem> {
    let body = CommandAnswer {
        id,
        outcome: done.outcome,
        version: done.version,
        position: done.position,
        item: done.subject.as_deref(),
        repeated: done.repeated,
        totals,
    };
    let tag = format!("\"{}\"", version_tag(app, done.version, done.position));
    let mut answer = HttpResponse::build(status);
    Ok(answer.content_type("application/json").insert_header((header::ETAG, tag)).body(render(&body)?))
}

/// The one intent a change has.
///
/// # Errors
/// 422 if there is none, or a second one: one of the two might be refused.
pub fn exactly_one<C, const N: usize>(intents: [(&'static str, Option<C>); N]) -> Result<C, Problem> {
    let mut given = intents.into_iter().filter_map(|(pointer, command)| Some((pointer, command?)));
    let Some((_, command)) = given.next() else {
        return Err(Problem::invalid("nothing_to_change", "", "give the field to change"));
    };
    match given.next() {
        None => Ok(command),
        Some((pointer, _)) => {
            Err(Problem::invalid("one_intent_only", pointer, "make one change per request: each change has its own outcome"))
        }
    }
}
