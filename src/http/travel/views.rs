//! Reads of the views, as they are or as they were: one question for both.
//! What the views keep with its position is asked of the views of now; whole boards of the past come from the second set of views.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{Asked, When, read};
use crate::{
    app::Current,
    domain::Moment,
    http::{
        body::render,
        error::Problem,
        reads::{json, wait_until},
    },
    past::{BoardsError, sweep},
    projections::{AsOf, Views},
};

/// Seconds after which the board may be free.
const BUSY_RETRY_SECONDS: u32 = 5;

/// Answers from what the views keep with its position: the catalogue and its prices. The moment is what counts as now.
///
/// # Errors
/// See `read`; else the question's own.
pub async fn catalogue<T: Serialize>(
    app: Current,
    request: &HttpRequest,
    when: When,
    question: impl FnOnce(AsOf<'_>, Moment) -> Result<T, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    match when {
        When::Now(after) => {
            wait_until(&app, after).await?;
            let answer = question(app.views.read().now(), app.clock.now())?;
            json(&answer)
        }
        When::Then(at) => {
            read(app, request, Asked::of(at), move |app, found| {
                let answer = question(found.of(&app.views.read()), found.point.time)?;
                render(&answer)
            })
            .await
        }
    }
}

/// Answers from whole views, and schedules the release of those of the past when unused. The moment is what counts as now.
///
/// # Errors
/// See `read`; 503 while too many wait for another moment of the past; else the question's own.
pub async fn board<T: Serialize>(
    app: Current,
    request: &HttpRequest,
    when: When,
    question: impl FnOnce(&Views, Moment) -> Result<T, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let at = match when {
        When::Now(after) => {
            wait_until(&app, after).await?;
            let answer = question(&app.views.read(), app.clock.now())?;
            return json(&answer);
        }
        When::Then(at) => at,
    };
    let past = Arc::downgrade(&app.past);
    let answer = read(app, request, Asked::of(at), move |app, found| {
        let ask = |views: &Views| question(views, found.point.time).and_then(|answer| render(&answer));
        let answer = app.past.boards.ask(&*app.log, found.point.position, ask);
        answer.unwrap_or_else(|error| Err(refusal(&error)))
    })
    .await;
    actix_rt::spawn(sweep(past));
    answer
}

fn refusal(error: &BoardsError) -> Problem {
    match error {
        BoardsError::Busy => Problem::unavailable("past_busy", format!("{error}: try again"), BUSY_RETRY_SECONDS),
        BoardsError::Log(error) => Problem::unreadable(error.clone()),
    }
}
