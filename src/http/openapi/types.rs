//! What the types of the code do not say of themselves: answers of several forms, and bodies that stand next to a command.

use serde_json::{Map, Value, json};

use super::walk::{self, reference};
use crate::events::names::EVENT_NAMES;

/// Unions that are commands over HTTP.
const COMMANDS: &[&str] = &["ListCommand", "ProductCommand", "StoreCommand", "OrderCommand", "HouseholdCommand"];
/// Answers that have one of several forms.
const FORMS: &[(&str, &str, &[&str])] = &[
    ("listPrices", "application/json", &["PricePage", "HeldPrice"]),
    ("observePrices", "application/x-ndjson", &["LineAnswer", "BulkSummary"]),
    ("bringBackStream", "application/json", &["ListBroughtBack", "HouseholdBroughtBack"]),
    ("streamLiveNdjson", "application/x-ndjson", &["LiveLine"]),
];
/// What long work results in.
const RESULTS: &[&str] = &["Manifest", "Verified", "Restored", "Undone", "Rebuilt", "SelfRestored"];

/// Completes the types.
pub fn complete(document: &mut Value) {
    let schemas = walk::schemas(document);
    COMMANDS.iter().for_each(|union| close(schemas, union));
    schemas["RecordedEvent"]["properties"]["type"]["enum"] = json!(EVENT_NAMES);
    let results: Vec<_> = RESULTS.iter().map(|name| reference(name)).collect();
    schemas["OperationView"]["properties"]["result"] = json!({ "description": "Its result.", "anyOf": results });
    schemas.insert("LiveLine".into(), live_line());
    walk::each_operation(document, |row, operation| {
        for (_, kind, forms) in FORMS.iter().filter(|(name, _, _)| *name == row.operation) {
            let forms: Vec<_> = forms.iter().map(|name| reference(name)).collect();
            let schema = if let [only] = &forms[..] { only.clone() } else { json!({ "anyOf": forms }) };
            operation["responses"]["200"]["content"][kind]["schema"] = schema;
        }
    });
    drop_unused(document);
}

/// A command takes no further fields, but may name itself.
fn close(schemas: &mut Map<String, Value>, union: &str) {
    for variant in schemas[union]["oneOf"].as_array_mut().into_iter().flatten() {
        variant["additionalProperties"] = false.into();
        variant["properties"]["command_id"] = json!({ "oneOf": [reference("CommandId"), { "type": "null" }] });
    }
}

fn live_line() -> Value {
    json!({
        "description": "One line of the feed. The AsyncAPI document describes its messages.",
        "type": "object",
        "required": ["cursor", "message"],
        "properties": {
            "cursor": { "type": "string", "description": "Send it back as `since` to continue after this line." },
            "message": {
                "type": "object",
                "required": ["type"],
                "properties": { "type": { "type": "string", "description": "What it is, such as `event` or `state`." } },
                "additionalProperties": true,
            },
        },
    })
}

/// Parts that were joined into their wholes are no types of the API.
fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let schemas = walk::schemas(document);
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("{}{name}\"", walk::SCHEMAS)));
        if schemas.len() == before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn a_command_may_name_itself_and_takes_no_unknown_field() {
        for (name, schema) in document()["components"]["schemas"].as_object().expect("schemas") {
            if COMMANDS.iter().any(|union| name.starts_with(union) && name != union) {
                assert_eq!(
                    (&schema["additionalProperties"], schema["properties"].get("command_id").is_some()),
                    (&json!(false), true),
                    "{name}"
                );
            }
        }
    }
}
