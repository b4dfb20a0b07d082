//! Entity tags (RFC 9110, 8.8.3): the one place that makes and reads them. A tag names bytes, so each encoding of an answer has its own: what
//! is sent compressed has the encoding's name at the end of its tag. Conditions count for every encoding of the same content.

use actix_web::http::header::{self, ContentEncoding, HeaderMap, HeaderValue};

use super::input::given;

/// What stands before an encoding's name.
const MARK: char = '-';
/// The names that end a tag.
const ENCODINGS: [&str; 2] = ["gzip", "zstd"];

/// The tag of an answer that is sent in an encoding.
pub fn encode(headers: &mut HeaderMap, encoding: ContentEncoding) {
    let encoded = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).and_then(|tag| {
        let opaque = tag.strip_suffix('"').filter(|_| tag.starts_with('"'))?;
        HeaderValue::from_str(&format!("{opaque}{MARK}{}\"", encoding.as_str())).ok()
    });
    if let Some(tag) = encoded {
        headers.insert(header::ETAG, tag);
    }
}

/// What is in the quotes of a tag, without the name of an encoding.
#[must_use]
pub fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let inner = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    let plain = ENCODINGS.iter().find_map(|name| inner.strip_suffix(name)?.strip_suffix(MARK));
    plain.unwrap_or(inner)
}

/// The tag under which the client has an answer already (`If-None-Match`): as it came, because its copy may be of any encoding.
#[must_use]
pub fn known(headers: &HeaderMap, tag: &HeaderValue) -> Option<HeaderValue> {
    let ours = tag.to_str().ok().map(opaque)?;
    let given = given(headers, header::IF_NONE_MATCH)?.to_str().ok()?;
    let found = given.split(',').map(str::trim).find(|one| *one == "*" || (!one.is_empty() && opaque(one) == ours))?;
    if found == "*" { Some(tag.clone()) } else { HeaderValue::from_str(found.trim_start_matches("W/")).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag_of(headers: &HeaderMap) -> &str {
        headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default()
    }

    #[test]
    fn each_encoding_has_a_tag_of_its_own_and_all_name_the_same_content() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("\"7.12af\""));
        encode(&mut headers, ContentEncoding::Gzip);
        assert_eq!(tag_of(&headers), "\"7.12af-gzip\"");
        for tag in ["\"7.12af\"", "\"7.12af-gzip\"", "W/\"7.12af-zstd\"", "7.12af"] {
            assert_eq!(opaque(tag), "7.12af", "{tag}");
        }
        assert_eq!(opaque("\"7-br\""), "7-br");
    }

    #[test]
    fn a_copy_of_any_encoding_is_known_under_the_tag_that_it_came_with() {
        let tag = HeaderValue::from_static("\"7\"");
        let known = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(text));
            known(&headers, &tag).map(|tag| tag.to_str().expect("is text").to_owned())
        };
        assert_eq!(known("\"6\", \"7-gzip\"").as_deref(), Some("\"7-gzip\""));
        assert_eq!(known("W/\"7\"").as_deref(), Some("\"7\""));
        assert_eq!(known("*").as_deref(), Some("\"7\""));
        for other in ["\"8\"", "", " ", "\"7-br\"", ","] {
            assert_eq!(known(other), None, "{other:?}");
        }
    }
}
