//! Says what is wrong with a value in our own words: the sentences of the libraries that read it name types of this program, and change
//! with them.

use std::borrow::Cow;

/// The most of a value that is quoted back, in characters.
const QUOTED_CHARS_MAX: usize = 60;

/// The longest sentence about a value, in bytes.
const SENTENCE_BYTES_MAX: usize = 400;

/// Sentences of the standard library and of readers of parameters.
const SENTENCES: [(&str, &str); 10] = [
    ("invalid digit found in string", "this must be a whole number"),
    ("cannot parse integer from empty string", "this must be a whole number"),
    ("number too large to fit in target type", "this number is too large"),
    ("number too small to fit in target type", "this number is too small"),
    ("invalid float literal", "this must be a number"),
    ("cannot parse float from empty string", "this must be a number"),
    ("provided string was not `true` or `false`", "this must be true or false"),
    ("data did not match any variant", "this has none of the forms that are possible here"),
    ("number out of range", "this number is too large"),
    ("recursion limit exceeded", "this is nested too deep"),
];

/// What a value should have been, as its reader calls it, and in our words.
const EXPECTED: [(&str, &str); 17] = [
    ("a boolean", "true or false"),
    ("a string", "a text"),
    ("str", "a text"),
    ("string or map", "one of the forms that are possible here"),
    ("a map", "an object of named fields"),
    ("a sequence", "a list"),
    ("u8", "a whole number from 0 to 255"),
    ("u16", "a whole number from 0 to 65535"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number from 0 to 18446744073709551615"),
    ("usize", "a whole number from 0 to 18446744073709551615"),
    ("i32", "a whole number from -2147483648 to 2147483647"),
    ("i64", "a whole number from -9223372036854775808 to 9223372036854775807"),
    ("f32", "a number"),
    ("f64", "a number"),
    ("unit", "null"),
    ("an id", "an id: 1 to 64 of A-Z a-z 0-9 . _ : and -"),
];

/// The sentence of a reader in our words. One of ours stays as it is.
#[must_use]
pub fn in_our_words(sentence: &str) -> Cow<'_, str> {
    if let Some((_, ours)) = SENTENCES.iter().find(|(theirs, _)| sentence.starts_with(theirs)) {
        return Cow::Borrowed(ours);
    }
    let after = |start: &str| sentence.strip_prefix(start);
    if let Some(rest) = after("missing field ") {
        return format!("the field {} is missing", quoted(named(rest))).into();
    }
    if let Some(rest) = after("unknown field ") {
        return format!("there is no field {} here{}", quoted(named(rest)), possible(rest)).into();
    }
    if let Some(rest) = after("unknown variant ") {
        return format!("{} is not possible here{}", quoted(named(rest)), possible(rest)).into();
    }
    if let Some(rest) = after("duplicate field ") {
        return format!("the field {} is there twice", quoted(named(rest))).into();
    }
    match after("invalid type: ").or_else(|| after("invalid value: ")).or_else(|| after("invalid length ")) {
        Some(rest) => other_than_expected(rest).into(),
        // One of ours may quote what was sent.
        None if sentence.len() > SENTENCE_BYTES_MAX => format!("{}…", &sentence[..sentence.floor_char_boundary(SENTENCE_BYTES_MAX)]).into(),
        None => Cow::Borrowed(sentence),
    }
}

/// What stands in the first pair of backticks.
fn named(rest: &str) -> &str {
    let rest = rest.strip_prefix('`').unwrap_or(rest);
    rest.split_once("`, ").map_or_else(|| rest.trim_end_matches('`'), |(name, _)| name)
}

/// The names that would have been possible, if their reader tells them.
fn possible(rest: &str) -> String {
    let Some((_, names)) = rest.rsplit_once(", expected ") else { return String::new() };
    let names: Vec<_> = names.split('`').skip(1).step_by(2).collect();
    if names.is_empty() { String::new() } else { format!("; possible: {}", names.join(", ")) }
}

fn other_than_expected(rest: &str) -> String {
    let Some((found, expected)) = rest.rsplit_once(", expected ") else { return "this has another form than is possible here".to_owned() };
    let expected = expected_as(expected);
    match found_as(found) {
        Some(found) => format!("this must be {expected}, not {found}"),
        None => format!("this must be {expected}"),
    }
}

fn expected_as(expected: &str) -> &str {
    if let Some((_, ours)) = EXPECTED.iter().find(|(theirs, _)| *theirs == expected) {
        return ours;
    }
    let (first, _) = expected.split_once(' ').unwrap_or_default();
    match first {
        "struct" | "map" => "an object of named fields",
        "enum" | "variant" | "internally" | "adjacently" | "untagged" => "one of the forms that are possible here",
        "tuple" | "array" | "sequence" => "a list",
        // What readers of ours expect begins so; other readers name types.
        "a" | "an" | "one" => expected,
        _ => "of another form",
    }
}

fn found_as(found: &str) -> Option<Cow<'_, str>> {
    let in_ticks = |start: &str| found.strip_prefix(start).and_then(|rest| rest.strip_suffix('`'));
    if let Some(number) = in_ticks("integer `").or_else(|| in_ticks("floating point `")) {
        return Some(number.into());
    }
    if let Some(boolean) = in_ticks("boolean `") {
        return Some(boolean.into());
    }
    if let Some(text) = found.strip_prefix("string ") {
        return Some(quoted(text.trim_matches('"')).into());
    }
    match found {
        "null" | "unit value" => Some("null".into()),
        "map" => Some("an object".into()),
        "sequence" => Some("a list".into()),
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    if cut.len() < text.len() { format!("“{cut}…”") } else { format!("“{cut}”") }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Form {
        small: u8,
        wide: Option<u64>,
        yes: Option<bool>,
        text: Option<String>,
        list: Option<Vec<u8>>,
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Shelf,
        Promo,
    }

    fn told(value: serde_json::Value) -> String {
        let error = serde_json::from_value::<Form>(value).expect_err("is refused").to_string();
        in_our_words(&error).into_owned()
    }

    #[test]
    fn each_mistake_is_told_without_the_types_of_the_program() {
        for (value, sentence) in [
            (json!({}), "the field “small” is missing"),
            (json!({"small": 300}), "this must be a whole number from 0 to 255, not 300"),
            (json!({"small": -1}), "this must be a whole number from 0 to 255, not -1"),
            (json!({"small": 1.5}), "this must be a whole number from 0 to 255, not 1.5"),
            (json!({"small": 1, "wide": 1e20}), "this must be a whole number from 0 to 18446744073709551615, not 1e+20"),
            (json!({"small": 1, "yes": "a, expected u8"}), "this must be true or false, not “a, expected u8”"),
            (json!({"small": 1, "text": null, "list": {}}), "this must be a list, not an object"),
            (json!({"small": 1, "text": [1]}), "this must be a text, not a list"),
            (json!({"small": 1, "kind": "odd"}), "“odd” is not possible here; possible: shelf, promo"),
            (json!({"small": 1, "colour": 1}), "there is no field “colour” here; possible: small, wide, yes, text, list, kind"),
            (json!([]), "this must be an object of named fields"),
            (json!(7), "this must be an object of named fields, not 7"),
        ] {
            assert_eq!(told(value.clone()), sentence, "{value}");
        }
    }

    #[test]
    fn a_long_text_is_not_sent_back_whole() {
        let told = told(json!({"small": "x".repeat(100_000)}));
        assert!(told.len() < 200, "{}", told.len());
    }

    #[test]
    fn a_sentence_of_ours_stays() {
        let ours = "an id must not be \".\" or \"..\": in an address both name a folder";
        assert_eq!(in_our_words(ours), ours);
    }
}
