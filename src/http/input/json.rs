//! JSON objects from outside: UTF-8 with or without a mark, no name twice, unknown fields refused, errors pointing at the field at fault.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::{mistakes::classify, words::in_our_words};
use crate::{
    domain::{
        json::{doubled_name, json_fault, push_name},
        object::from_object,
        text::utf8,
    },
    http::error::Problem,
};

/// Every body and line is an object.
struct Object<T>(T);

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Object<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_object(deserializer, "an object of named fields").map(Self)
    }
}

/// Reads an object from JSON text.
///
/// # Errors
/// 400 if it is not JSON, 422 pointing at the field if it is JSON of another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = utf8(bytes).map_err(|error| Problem::malformed("not_utf8", format!("a body is text in UTF-8, but {error}")))?;
    // Before the fields are read: a command is told by its `op`, and of two of them either might count.
    // And a body that was cut is told so, whatever its beginning holds.
    let mut whole = serde_json::Deserializer::from_str(text);
    match doubled_name(&mut whole).and_then(|doubled| if doubled.is_none() { whole.end().map(|()| None) } else { Ok(doubled) }) {
        Ok(None) => {}
        Ok(Some(pointer)) => return Err(doubled(&pointer)),
        Err(error) => return Err(describe(&error, String::new())),
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let Object(value) = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        describe(error.inner(), pointer)
    })?;
    Ok(value)
}

/// The answer to a name that an object has twice.
fn doubled(pointer: &str) -> Problem {
    Problem::invalid("duplicate_field", pointer, "this field is there twice, and only one of them could count")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push_name(&mut pointer, &index.to_string()),
            Segment::Map { key } => push_name(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn describe(error: &serde_json::Error, pointer: String) -> Problem {
    if !error.is_data() {
        return Problem::malformed("malformed_json", format!("the body is not valid JSON: {}", json_fault(error)));
    }
    let text = error.to_string();
    let sentence = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    let (code, pointer) = classify(sentence, pointer);
    if code == "history_changed" {
        return Problem::history_changed(sentence.to_owned()).at(pointer);
    }
    Problem::invalid(code, pointer, in_our_words(sentence).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProductId;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only parsed")]
        inner: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only parsed")]
        product: ProductId,
    }

    fn refused(text: impl AsRef<[u8]>) -> (u16, &'static str, Option<String>) {
        let problem = parse::<Outer>(text.as_ref()).expect_err("is refused");
        (problem.status().as_u16(), problem.code(), problem.pointer().map(str::to_owned))
    }

    #[test]
    fn text_that_is_no_json_is_malformed() {
        assert_eq!(refused("{\"inner\": ["), (400, "malformed_json", None));
        assert_eq!(refused(""), (400, "malformed_json", None));
        assert_eq!(refused("{\"inner\": []} x"), (400, "malformed_json", None));
        assert_eq!(refused("{\"inner\": []} {}"), (400, "malformed_json", None));
    }

    #[test]
    fn text_is_utf_8_and_may_begin_with_a_mark() {
        assert!(parse::<Outer>(b"\xef\xbb\xbf{\"inner\":[]}").is_ok());
        assert_eq!(refused(b"{\"inner\":[{\"product\":\"m\xfcsli\"}]}"), (400, "not_utf8", None));
        assert_eq!(refused(b"\xff\xfe{\0}\0"), (400, "not_utf8", None));
    }

    #[test]
    fn each_mistake_points_at_its_field() {
        let at = |text: &str| Some(text.to_owned());
        assert_eq!(refused(r#"{"inner":[],"extra":1}"#), (422, "unknown_field", at("/extra")));
        assert_eq!(refused(r#"{"inner":[{"product":"a"},{}]}"#), (422, "missing_field", at("/inner/1/product")));
        assert_eq!(refused(r#"{"inner":[{"product":"a b"}]}"#), (422, "invalid_id", at("/inner/0/product")));
        assert_eq!(refused(r#"{"inner":[{"product":".."}]}"#), (422, "invalid_id", at("/inner/0/product")));
        assert_eq!(refused(r#"{"inner":7}"#), (422, "invalid_value", at("/inner")));
        assert_eq!(refused(r#"{"inner":[],"inner":[]}"#), (422, "duplicate_field", at("/inner")));
        assert_eq!(refused(r#"{"inner":[{"product":"a","product":"a"}]}"#), (422, "duplicate_field", at("/inner/0/product")));
    }
}
