//! Checked query strings: UTF-8, no name twice, unknown names refused, an empty value is no value.

use std::{
    borrow::Cow,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;
use smallvec::SmallVec;
use url::form_urlencoded;

use super::{mistakes::classify, words::in_our_words};
use crate::http::error::Problem;

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

/// The query of a page or of an address that others send browsers to: the one who passes such a link on may append something of their own.
#[derive(Debug)]
pub struct AnyQuery;

impl FromRequest for AnyQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

/// Reads a query string.
///
/// # Errors
/// 400 naming the parameter that is unknown, missing, given twice or malformed.
pub fn parse_query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    check_utf8(text)?;
    check_once(text)?;
    let given = without_empty::<T>(text)?;
    let sentence = match web::Query::<T>::from_query(&given) {
        Ok(query) => return Ok(query.into_inner()),
        Err(error) => sentence(&error),
    };
    Err(refused::<T>(&given, &sentence))
}

/// The library below reads anything else as if it were something.
fn check_utf8(text: &str) -> Result<(), Problem> {
    let is_text = |part: &str| percent_decoded(part).is_none_or(|bytes| std::str::from_utf8(&bytes).is_ok());
    match text.split(['&', '=']).find(|part| !is_text(part)) {
        None => Ok(()),
        Some(part) => {
            let name = text.split('&').find(|pair| pair.contains(part)).and_then(|pair| pair.split('=').next()).unwrap_or_default();
            Err(Problem::malformed("invalid_parameter", "a query is text in UTF-8").at(format!("/{name}")))
        }
    }
}

/// The bytes of a part with percent signs in it.
fn percent_decoded(part: &str) -> Option<Vec<u8>> {
    let hex = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let (mut rest, mut decoded) = (part.as_bytes(), Vec::new());
    if !rest.contains(&b'%') {
        return None;
    }
    while let Some((first, after)) = rest.split_first() {
        let pair = (*first == b'%').then(|| after.get(..2).and_then(hex)).flatten();
        decoded.push(pair.unwrap_or(*first));
        rest = if pair.is_some() { &after[2..] } else { after };
    }
    Some(decoded)
}

fn check_once(text: &str) -> Result<(), Problem> {
    let names: SmallVec<[Cow<'_, str>; 8]> = form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name).collect();
    match (1..names.len()).find(|&place| names[..place].contains(&names[place])) {
        None => Ok(()),
        Some(place) => Err(Problem::malformed("duplicate_parameter", "this parameter is there twice").at(format!("/{}", names[place]))),
    }
}

/// The parameters that have a value. One that has none must still be known.
fn without_empty<T: DeserializeOwned>(text: &str) -> Result<Cow<'_, str>, Problem> {
    let is_empty = |pair: &&str| pair.split_once('=').is_none_or(|(_, value)| value.is_empty());
    if !text.split('&').any(|pair| is_empty(&pair)) {
        return Ok(Cow::Borrowed(text));
    }
    for name in text.split('&').filter(|pair| is_empty(pair) && !pair.is_empty()).map(|pair| pair.trim_end_matches('=')) {
        let alone = web::Query::<T>::from_query(&format!("{name}="));
        if let Some(sentence) = alone.err().map(|error| sentence(&error)).filter(|sentence| sentence.starts_with("unknown field")) {
            return Err(refused::<T>(name, &sentence));
        }
    }
    Ok(Cow::Owned(text.split('&').filter(|pair| !is_empty(pair)).collect::<Vec<_>>().join("&")))
}

fn refused<T: DeserializeOwned>(text: &str, sentence: &str) -> Problem {
    let (code, pointer) = classify(sentence, String::new());
    let pointer = if pointer.is_empty() { culprit::<T>(text, sentence) } else { pointer };
    let code = match code {
        "history_changed" => return Problem::history_changed(sentence.to_owned()).at(pointer),
        "unknown_field" => "unknown_parameter",
        "missing_field" => "missing_parameter",
        "duplicate_field" => "duplicate_parameter",
        _ => "invalid_parameter",
    };
    Problem::malformed(code, in_our_words(sentence).into_owned()).at(pointer)
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        category: Option<String>,
        limit: Option<u8>,
        #[serde(default)]
        follow: bool,
    }

    type Found = (Option<String>, Option<u8>, bool);

    fn asked(text: &str) -> Result<Found, (&'static str, String)> {
        let asked = parse_query::<Asked>(text).map_err(|problem| (problem.code(), problem.pointer().unwrap_or_default().to_owned()))?;
        Ok((asked.category, asked.limit, asked.follow))
    }

    #[test]
    fn an_empty_parameter_is_absent_and_must_still_be_a_known_one() {
        for empty in ["", "category=", "category", "limit=&category=&follow=", "&", "follow&limit"] {
            assert_eq!(asked(empty), Ok((None, None, false)), "{empty:?}");
        }
        assert_eq!(asked("limit=5&category="), Ok((None, Some(5), false)));
        assert_eq!(asked("colour="), Err(("unknown_parameter", "/colour".into())));
        assert_eq!(asked("limit=5&colour"), Err(("unknown_parameter", "/colour".into())));
    }

    #[test]
    fn no_parameter_is_there_twice() {
        for twice in ["limit=5&limit=6", "limit=5&limit=5", "limit=&limit=5", "limit&limit=", "limit=5&%6Cimit=6"] {
            assert_eq!(asked(twice), Err(("duplicate_parameter", "/limit".into())), "{twice}");
        }
    }

    #[test]
    fn a_query_is_utf_8() {
        assert_eq!(asked("category=m%C3%BCsli+%26"), Ok((Some("müsli &".into()), None, false)));
        assert_eq!(asked("limit=1&category=m%FCsli"), Err(("invalid_parameter", "/category".into())));
        assert_eq!(asked("category=100%"), Ok((Some("100%".into()), None, false)));
    }

    #[test]
    fn a_wrong_value_is_told_in_our_words() {
        for (text, sentence) in [
            ("limit=300", "this number is too large"),
            ("limit=99999999999999999999", "this number is too large"),
            ("limit=many", "this must be a whole number"),
            ("follow=yes", "this must be true or false"),
        ] {
            assert_eq!(parse_query::<Asked>(text).expect_err("is refused").detail(), sentence, "{text}");
        }
    }
}
