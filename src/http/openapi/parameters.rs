//! Parameters: their bounds and forms, and the headers that requests may carry.

use serde_json::{Map, Value, json};

use super::{
    codes,
    walk::{self, Row},
};
use crate::{domain::rights::Action, events::names::EVENT_NAMES};

/// An empty header counts as absent.
const ID_OR_NOTHING: &str = "^[A-Za-z0-9._:-]{0,64}$";

/// Completes the parameters of every operation.
pub fn complete(document: &mut Value) {
    walk::each_operation(document, |row, operation| {
        let mut parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        parameters.iter_mut().for_each(|parameter| bound(row, parameter));
        parameters.extend(headers(row, operation));
        operation.insert("parameters".into(), parameters.into());
    });
}

/// A query cannot hold null, and every value has its bounds.
fn bound(row: Row, parameter: &mut Value) {
    without_null(&mut parameter["schema"]);
    parameter["required"] = (parameter["required"] == true).into();
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    let in_path = parameter["in"] == "path";
    if parameter["in"] == "query" && parameter["required"] == false {
        // An empty one counts as absent.
        parameter["allowEmptyValue"] = true.into();
    }
    let bounds = if in_path { of_path(&name) } else { of_query(row, &name) };
    if let (Some(schema), Value::Object(bounds)) = (parameter["schema"].as_object_mut(), bounds)
        && !schema.contains_key("$ref")
    {
        schema.extend(bounds);
    }
}

fn without_null(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        schema["type"] = kinds.iter().find(|kind| *kind != "null").cloned().unwrap_or_default();
    }
    let variants =
        schema["oneOf"].as_array().map(|variants| variants.iter().filter(|variant| variant["type"] != "null").cloned().collect());
    let variants: Vec<Value> = variants.unwrap_or_default();
    if let [only] = &variants[..] {
        *schema = only.clone();
    }
}

/// What credentials, snapshots and people are called in a path.
fn of_path(name: &str) -> Value {
    match name {
        "name" | "session" | "token" | "link" | "invitation" | "who" | "id" => {
            json!({ "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9._:-]{1,64}$" })
        }
        _ => Value::Null,
    }
}

fn of_query(row: Row, name: &str) -> Value {
    const POSITION: &str = "^[0-9]{1,19}(~[0-9a-f]{8})?$";
    const POINT: &str = "^(now|[0-9]{1,19}(~[0-9a-f]{8})?|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?)$";
    match name {
        "limit" if row.path.ends_with("/events") => json!({ "minimum": 1, "format": "uint64" }),
        "limit" => json!({ "minimum": 1, "maximum": crate::http::reads::PAGE_MAX, "default": 50 }),
        "after" => json!({ "pattern": POSITION, "examples": ["17"] }),
        "at" | "known_at" | "from" | "to" if !is_moment(row, name) => {
            json!({ "description": "A position, a moment as RFC 3339 text, or `now`.", "pattern": POINT, "examples": ["17", "2026-01-31T12:00:00Z"] })
        }
        "cursor" => json!({ "pattern": "^[0-9a-f]+(~[0-9a-f]{8})?$" }),
        "min_saving_percent" => json!({ "minimum": 0, "maximum": 100 }),
        "max_rate" => json!({ "exclusiveMinimum": 0 }),
        "gtin" => json!({ "pattern": "^([0-9]{8}|[0-9]{12,14})$" }),
        "topics" => json!({ "minLength": 1 }),
        "stream" => {
            json!({ "pattern": "^(list|product|store|order|household|system)/[A-Za-z0-9._:-]{1,64}$", "examples": ["list/weekly"] })
        }
        "type" => json!({ "enum": kinds() }),
        _ => Value::Null,
    }
}

/// The types of events, and their kinds.
fn kinds() -> Vec<&'static str> {
    let kinds: std::collections::BTreeSet<_> = EVENT_NAMES.iter().filter_map(|name| name.split('.').next()).collect();
    kinds.into_iter().chain(EVENT_NAMES.iter().copied()).collect()
}

/// Spans of spending and of prices are of moments alone.
fn is_moment(row: Row, name: &str) -> bool {
    matches!(name, "from" | "to") && (row.path.ends_with("/spend") || row.path.ends_with("/prices"))
}

/// The headers that mean something to an operation.
fn headers(row: Row, operation: &Map<String, Value>) -> Vec<Value> {
    let mut headers = vec![header(
        "X-Request-ID",
        "Names the request in the answer and in the server's log, if it is an id; else it gets a new one",
        json!({}),
    )];
    if row.need.action() != Action::Enter {
        let acting = "Somebody else's principal: an admin of the server acts for that person, and events name both";
        headers.push(header("X-Aisled-As", acting, json!({ "pattern": ID_OR_NOTHING })));
    }
    let epoch = "The history that the client knows, as an answer named it: another one is refused with `history_changed`";
    headers.push(header("X-Aisled-Epoch", epoch, json!({})));
    let has_code = |code: &str| codes::of(row).any(|known| known.1 == code);
    if has_code("invalid_idempotency_key") && has_code("key_reused") {
        let repeatable = "Makes the write repeatable: the same key again is answered like the first time";
        headers.push(header("Idempotency-Key", repeatable, json!({ "maxLength": 255, "pattern": "^[!-~]*$" })));
    }
    if row.need.is_decided() && row.operation != "undoCommands" {
        let condition = "The version as an `ETag` showed it: the write counts only there";
        headers.push(header("If-Match", condition, json!({ "examples": ["\"7\""] })));
    }
    if row.method != "GET" {
        let client = "The device or program that writes. A write that a cookie signs needs it";
        headers.push(header(
            "X-Aisled-Client",
            client,
            if has_code("invalid_client") { json!({ "pattern": ID_OR_NOTHING, "default": "docs" }) } else { json!({ "default": "docs" }) },
        ));
    }
    if operation["responses"].get("304").is_some() {
        headers.push(header("If-None-Match", "Tags that the client has: 304 if one is current", json!({})));
    }
    if row.operation == "streamLiveSse" {
        headers.push(header("Last-Event-ID", "The `id` of the last message; sent by browsers. Counts more than `since`", json!({})));
    }
    headers
}

fn header(name: &str, what: &str, bounds: Value) -> Value {
    let mut schema = json!({ "type": "string" });
    if let (Some(schema), Value::Object(bounds)) = (schema.as_object_mut(), bounds) {
        schema.extend(bounds);
    }
    json!({ "name": name, "in": "header", "description": what, "required": false, "schema": schema })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn no_parameter_may_be_null_and_each_has_one_name_in_its_place() {
        for row in walk::rows() {
            let parameters = document()["paths"][row.path][row.method.to_lowercase()]["parameters"].as_array().expect("parameters");
            assert!(!Value::from(parameters.clone()).to_string().contains("\"null\""), "{row:?}");
            let names: std::collections::BTreeSet<_> =
                parameters.iter().map(|one| (one["in"].to_string(), one["name"].to_string())).collect();
            assert_eq!(names.len(), parameters.len(), "{row:?}");
        }
    }

    #[test]
    fn a_write_of_an_entity_takes_a_key_and_a_condition_and_a_read_takes_neither() {
        let has = |path: &str, method: &str, name: &str| {
            document()["paths"][path][method]["parameters"].as_array().expect("parameters").iter().any(|one| one["name"] == name)
        };
        assert!(has("/api/v1/lists/{id}/items", "post", "Idempotency-Key") && has("/api/v1/lists/{id}/items", "post", "If-Match"));
        assert!(!has("/api/v1/lists/{id}", "get", "Idempotency-Key") && has("/api/v1/lists/{id}", "get", "If-None-Match"));
        assert!(!has("/api/v1/session", "post", "Idempotency-Key"));
    }
}
