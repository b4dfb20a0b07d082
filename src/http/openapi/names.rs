//! Readable names of schemas, as generated clients will show them.

use serde_json::{Map, Value};

use super::walk;

/// Generic types, by the name that the code gives them. A type of one argument becomes the second name after the argument's own.
const GENERIC: &[(&str, &str)] =
    &[("Page_", "Page"), ("BroughtBackTo_", "BroughtBackTo"), ("BroughtBack_", "BroughtBack"), ("Evidenced_", "")];
/// What single types are called.
const SINGLE: &[(&str, &str)] = &[
    ("CommandAnswer_TotalsView", "CommandAnswer"),
    ("ProblemBody", "Problem"),
    ("FieldError", "ProblemField"),
    ("Listed", "SnapshotEntry"),
    ("Accept", "AcceptInvitation"),
    ("Away", "ProviderAddress"),
    ("Start", "StartSignIn"),
    ("Last", "LastChange"),
    ("Extra", "OrderExtra"),
    ("Nothing", "EmptyBody"),
    ("Page_HouseholdRow", "HouseholdPage"),
    ("Page_OrderSummary", "OrderPage"),
];
/// Ends of the names of entries that their page need not repeat.
const ENDS: &[&str] = &["Entry", "Diff"];

/// Renames schemas and what refers to them.
pub fn rename(document: &mut Value) {
    let schemas = walk::schemas(document);
    let renamed: Map<String, Value> = std::mem::take(schemas).into_iter().map(|(name, schema)| (readable(&name), schema)).collect();
    *schemas = renamed;
    walk::each_object(document, &mut |fields| {
        if let Some(reference) = fields.get_mut("$ref")
            && let Some(name) = reference.as_str().and_then(|text| text.strip_prefix(walk::SCHEMAS))
        {
            *reference = format!("{}{}", walk::SCHEMAS, readable(name)).into();
        }
    });
}

fn readable(name: &str) -> String {
    if let Some((_, own)) = SINGLE.iter().find(|(known, _)| *known == name) {
        return (*own).to_owned();
    }
    let generic = GENERIC.iter().find_map(|(start, end)| Some((name.strip_prefix(start)?, end)));
    generic.map_or_else(|| name.to_owned(), |(argument, end)| format!("{}{end}", short(argument)))
}

fn short(argument: &str) -> &str {
    ENDS.iter().find_map(|end| argument.strip_suffix(end)).unwrap_or(argument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn every_schema_has_a_readable_name() {
        assert_eq!(readable("Page_StoreEntry"), "StorePage");
        for name in document()["components"]["schemas"].as_object().expect("schemas").keys() {
            let is_readable = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
            assert!(is_readable, "{name}");
        }
    }
}
