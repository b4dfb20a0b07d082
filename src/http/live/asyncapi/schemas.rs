//! The schemas of the types that are sent, as they derive them, converted to draft 7 of JSON Schema, which AsyncAPI uses.

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    messages::{FEED, FROM_CLIENT, FROM_SERVER},
    reference,
};
use crate::{
    events::names::EVENT_NAMES,
    http::live::protocol::{Authenticate, CommandDone, ErrorReply, Hello, Pong, Refreshed, Request, RequestId, Subscribed, Unsubscribed},
    live::{
        notice::{Closing, Revoked},
        push::{EventPush, StatePush},
    },
    projections::totals::TotalsView,
};

type Found = Vec<(String, RefOr<Schema>)>;

/// Every schema by its name.
pub fn schemas() -> Value {
    let mut schemas: Map<String, Value> = found().into_iter().map(|(name, schema)| (name, draft_7(value(&schema)))).collect();
    for (kind, name) in FROM_SERVER {
        if let Some(schema) = schemas.get_mut(name) {
            fix(schema, "type", kind);
        }
    }
    requests(&mut schemas);
    join_closed(&mut schemas);
    // A command of one entity may look like one of another, so that more than one may fit.
    rename(&mut schemas["Command"], "oneOf", "anyOf");
    schemas["RecordedEvent"]["properties"]["type"]["enum"] = json!(EVENT_NAMES);
    fix(&mut schemas["DealsChanged"], "type", "deals.changed");
    let messages = FEED.iter().filter_map(|name| FROM_SERVER.iter().find(|(kind, _)| kind == name));
    let messages: Vec<_> = messages.map(|(_, name)| to(name)).collect();
    schemas.insert(
        "FeedLine".into(),
        json!({
            "description": "One line of the feed without WebSocket.",
            "type": "object",
            "required": ["cursor", "message"],
            "properties": {
                "cursor": { "type": "string", "description": "Send it back as `since` to continue after this line." },
                "message": { "oneOf": messages },
            },
        }),
    );
    Value::Object(schemas)
}

/// The schemas of all messages of the server and of everything in them.
pub(super) fn found() -> Found {
    let mut found = Found::new();
    add::<Hello<'_>>("Hello", &mut found);
    add::<Authenticate>("Authenticate", &mut found);
    add::<Refreshed<'_>>("Refreshed", &mut found);
    add::<Subscribed<'_>>("Subscribed", &mut found);
    add::<Unsubscribed<'_>>("Unsubscribed", &mut found);
    add::<CommandDone<'_, TotalsView>>("Done", &mut found);
    add::<Pong<'_>>("Pong", &mut found);
    add::<ErrorReply<'_>>("ErrorReply", &mut found);
    add::<EventPush<'_, String>>("EventPush", &mut found);
    add::<StatePush<'_, String>>("StatePush", &mut found);
    add::<Revoked<'_>>("Revoked", &mut found);
    add::<Closing>("Closing", &mut found);
    add::<RequestId>("RequestId", &mut found);
    Request::schemas(&mut found);
    found
}

fn add<T: ToSchema>(name: &str, found: &mut Found) {
    found.push((name.to_owned(), T::schema()));
    T::schemas(found);
}

/// Each variant of a request has a schema of its own, with the id that may stand next to its fields.
fn requests(schemas: &mut Map<String, Value>) {
    let mut request = draft_7(value(&Request::schema()));
    for variant in request["oneOf"].as_array_mut().into_iter().flatten() {
        let op = variant["properties"]["op"]["const"].as_str().unwrap_or_default();
        if let Some((_, name)) = FROM_CLIENT.iter().find(|(known, _)| *known == op) {
            variant["additionalProperties"] = Value::Bool(false);
            variant["properties"]["id"] = json!({ "oneOf": [{ "type": "null" }, to("RequestId")] });
            schemas.insert((*name).to_owned(), variant.take());
        }
    }
}

/// A variant that is a closed type with the tag next to its fields becomes one closed object: else each would refuse the other's fields.
fn join_closed(schemas: &mut Map<String, Value>) {
    let closed: Map<_, _> = schemas.clone().into_iter().filter(|(_, schema)| schema["additionalProperties"] == false).collect();
    let closed_part = |part: &Value| closed.get(part["$ref"].as_str()?.rsplit('/').next()?).cloned();
    for variant in schemas.values_mut().filter_map(|schema| schema.get_mut("oneOf")?.as_array_mut()).flatten() {
        let Some([part, tag]) = variant.get("allOf").and_then(Value::as_array).map(Vec::as_slice) else { continue };
        let Some(mut whole) = closed_part(part) else { continue };
        for (name, schema) in tag["properties"].as_object().into_iter().flatten() {
            whole["properties"][name] = schema.clone();
        }
        if let (Some(required), Some(more)) = (whole["required"].as_array_mut(), tag["required"].as_array()) {
            required.extend_from_slice(more);
        }
        *variant = whole;
    }
}

/// Declares that a field always has this text.
fn fix(schema: &mut Value, field: &str, text: &str) {
    if let Some(known) = schema.get_mut("properties").and_then(|properties| properties.get_mut(field)) {
        *known = json!({ "type": "string", "const": text });
    }
    for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        fix(part, field, text);
    }
}

/// A schema of OpenAPI 3.1 as one of draft 7: the few keywords that differ.
pub fn draft_7(mut schema: Value) -> Value {
    match &mut schema {
        Value::Array(parts) => parts.iter_mut().for_each(|part| *part = draft_7(part.take())),
        Value::Object(keywords) => {
            for (keyword, inner) in keywords.iter_mut() {
                match (keyword.as_str(), inner.as_object_mut()) {
                    ("properties", Some(properties)) => properties.values_mut().for_each(|one| *one = draft_7(one.take())),
                    ("example" | "examples" | "default" | "enum", _) => {}
                    _ => *inner = draft_7(inner.take()),
                }
            }
            if let Some(example) = keywords.remove("example") {
                keywords.insert("examples".into(), json!([example]));
            }
            if let Some(items) = keywords.remove("prefixItems") {
                keywords.insert("items".into(), items);
            }
            if let Some([only]) = keywords.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
                let only = only.clone();
                keywords.remove("enum");
                keywords.insert("const".into(), only);
            }
            // Draft 7 ignores what is next to a reference.
            if keywords.len() > 1
                && let Some(reference) = keywords.remove("$ref")
            {
                keywords.insert("allOf".into(), json!([{ "$ref": reference }]));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    schema
}

fn rename(schema: &mut Value, from: &str, to: &str) {
    if let Some(keywords) = schema.as_object_mut()
        && let Some(inner) = keywords.remove(from)
    {
        keywords.insert(to.to_owned(), inner);
    }
}

fn to(name: &str) -> Value {
    reference(format_args!("components/schemas/{name}"))
}

fn value<T: serde::Serialize>(schema: &T) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}
