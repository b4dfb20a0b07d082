//! Reads of the past: what `at` and `known_at` mean, the one way to answer them, and their refusals.
//! Such reads may wait for storage, so they run apart from the workers, a bounded number at a time.

mod basket;
mod boards;
mod entities;
mod lists;
mod point;
mod prices;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue},
    web::{self, Bytes},
};

pub use basket::answer as basket;
pub use boards::{deals, households, lists as list_index, orders as order_index, spend};
pub use entities::{household, order, product, products, store, stores};
pub use lists::{show as list, totals};
pub use point::{Asked, Found};
pub use prices::{best, prices};

use super::{
    error::{Problem, RETRY_AFTER_SECONDS},
    reads::{tagged, wait_until},
};
use crate::{
    app::{App, Current},
    events::{At, Position},
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

/// The moment a read is of; `None` is now.
///
/// # Errors
/// 400 if it also asks to wait for a position: a read is of the past or of what is new.
pub fn asked(at: Option<At>, after: Option<Position>) -> Result<Option<At>, Problem> {
    if at.is_some() && after.is_some() {
        return Err(
            Problem::malformed("at_with_after", "give either after, which waits for new events, or at, which reads the past").at("/after")
        );
    }
    Ok(at)
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
    let answered = web::block(move || {
        let _place = place;
        let found = asked.find(&app, head)?;
        question(&app, &found).map(|answer| (found, answer))
    });
    answered.await.map_err(|error| Problem::internal(&error))?
}

impl Found {
    /// Adds an answer's point to its headers, and whether it can ever change.
    fn name_in(&self, answer: &mut HttpResponse) -> Result<(), Problem> {
        let known = self.known.map(|known| (KNOWN_HEADER, known.position.to_string()));
        let of = [(POSITION_HEADER, self.point.position.to_string()), (TIME_HEADER, self.point.time.to_string())];
        for (name, text) in of.into_iter().chain(known) {
            let value = HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))?;
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let keep = if self.is_final { A_WHILE } else { "private, no-cache" };
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        Ok(())
    }
}
