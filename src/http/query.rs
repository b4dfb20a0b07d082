//! Checked query strings.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;

use super::{error::Problem, mistakes::classify};

/// The query string as a checked type; unknown parameters are refused, so that a misspelt one is noticed.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_query(request.query_string()).map(Self))
    }
}

/// Reads a query string.
///
/// # Errors
/// 400 naming the parameter that is unknown, missing, given twice or malformed.
pub fn parse_query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let sentence = match web::Query::<T>::from_query(text) {
        Ok(query) => return Ok(query.into_inner()),
        Err(error) => sentence(&error),
    };
    let (code, pointer) = classify(&sentence, String::new());
    let code = match code {
        "unknown_field" => "unknown_parameter",
        "missing_field" => "missing_parameter",
        "duplicate_field" => "duplicate_parameter",
        _ => "invalid_parameter",
    };
    let pointer = if pointer.is_empty() { culprit::<T>(text, &sentence) } else { pointer };
    Err(Problem::malformed(code, sentence).at(pointer))
}

fn sentence(error: &actix_web::error::QueryPayloadError) -> String {
    let text = error.to_string();
    text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest).to_owned()
}

/// The parameter that fails in the same way alone.
fn culprit<T: DeserializeOwned>(text: &str, expected: &str) -> String {
    let alone = |pair: &&str| web::Query::<T>::from_query(pair).is_err_and(|error| sentence(&error) == expected);
    let name = text.split('&').find(alone).and_then(|pair| pair.split('=').next()).unwrap_or_default();
    format!("/{name}")
}
