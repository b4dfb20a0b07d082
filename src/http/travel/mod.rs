//! Reads of now and of the past: what `at` and `known_at` mean, the one way to answer them, and their refusals.
//! Reads of the past may wait for storage, so they run apart from the workers, a bounded number at a time.

mod entities;
mod point;
mod views;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue},
    web::{self, Bytes},
};

pub use entities::{Shown, entity, show};
pub use point::{Asked, Found};
pub use views::{board, catalogue};

use super::{
    error::{Problem, RETRY_AFTER_SECONDS},
    reads::{tagged, wait_until},
};
use crate::{
    app::{App, Current},
    events::{At, Position, Scope, served},
    past::READS_MAX,
};

/// The position of an answer.
pub const POSITION_HEADER: &str = "x-at-position";
/// The moment that counts as now in an answer.
pub const TIME_HEADER: &str = "x-at-time";
/// The position up to which knowledge counts, if `known_at` was given.
pub const KNOWN_HEADER: &str = "x-known-position";
/// Enough of a hash to distinguish two answers of one position.
const TAG_HEX_DIGITS: usize = 16;
/// The past never changes, but a restore begins another history, whose positions after the restored one are assigned again.
const A_WHILE: &str = "private, max-age=300";

/// What a read is of.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Now, once the views show this position.
    Now(Option<Position>),
    /// A moment of the past.
    Then(At),
}

/// What a read with these parameters is of.
///
/// # Errors
/// 400 if it is of a moment and also asks to wait for a position: a read is of the past or of what is new.
pub fn when(at: Option<At>, after: Option<Position>) -> Result<When, Problem> {
    match (at, after) {
        (None, after) => Ok(When::Now(after)),
        (Some(at), None) => Ok(When::Then(at)),
        (Some(_), Some(_)) => {
            Err(Problem::malformed("at_with_after", "give either after, which waits for new events, or at, which reads the past")
                .at("/after"))
        }
    }
}

/// Answers a read of the past: finds its point, computes the answer on a thread that may block, and tags it.
///
/// # Errors
/// See [`Asked::find`]; 503 when too many read the past at once; else the query's own errors.
pub async fn read(
    app: Current,
    request: &HttpRequest,
    asked: Asked,
    question: impl FnOnce(&App, &Found) -> Result<Bytes, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let (found, body) = find_and_ask(app, asked, question).await?;
    let tag = format!("\"{}.{}\"", found.known.unwrap_or(found.point).position, &blake3::hash(&body).to_hex()[..TAG_HEX_DIGITS]);
    let mut answer = tagged(request, &tag, || Ok(body))?;
    found.name_in(&mut answer)?;
    Ok(answer)
}

/// Like `read`, for an answer that is not cached.
///
/// # Errors
/// See `read`.
pub async fn find_and_ask<R: Send + 'static>(
    app: Current,
    asked: Asked,
    question: impl FnOnce(&App, &Found) -> Result<R, Problem> + Send + 'static,
) -> Result<(Found, R), Problem> {
    let busy = || {
        let detail = format!("{READS_MAX} reads of the past are under way already: try again");
        Problem::unavailable("past_busy", detail, RETRY_AFTER_SECONDS)
    };
    let place = app.past.enter().ok_or_else(busy)?;
    let head = app.log.head();
    wait_until(&app, Some(asked.needs(head))).await?;
    let scope = Scope::current();
    let answered = web::block(move || {
        let _place = place;
        let ask = || {
            let found = asked.find(&app, head)?;
            question(&app, &found).map(|answer| (found, answer))
        };
        match scope {
            Some(scope) => scope.enter(ask),
            None => ask(),
        }
    });
    answered.await.map_err(|error| Problem::internal(&error))?
}

impl Found {
    /// Adds an answer's point to its headers, and whether it can ever change.
    fn name_in(&self, answer: &mut HttpResponse) -> Result<(), Problem> {
        let known = self.known.map(|known| (KNOWN_HEADER, served::written(known.position).to_string()));
        let of = [(POSITION_HEADER, served::written(self.point.position).to_string()), (TIME_HEADER, self.point.time.to_string())];
        for (name, text) in of.into_iter().chain(known) {
            let value = HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))?;
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let keep = if self.is_final { A_WHILE } else { "private, no-cache" };
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        Ok(())
    }
}
