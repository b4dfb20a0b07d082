//! Checks messages against the AsyncAPI document in the repository: each against the schema of its `type`, each request against its `op`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// The kept document; `tests/asyncapi.rs` checks that it is the served one.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/asyncapi.json");
    serde_json::from_str(&fs::read_to_string(path).expect("the document is kept")).expect("it is JSON")
});

static VALIDATORS: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
    let messages = DOCUMENT["components"]["messages"].as_object().expect("the document has messages");
    messages.iter().map(|(name, message)| (name.as_str(), compile(message["payload"].clone()))).collect()
});

/// A schema of the document, whose references lead into the document.
fn compile(schema: Value) -> Validator {
    let schema = json!({ "allOf": [schema], "components": { "schemas": DOCUMENT["components"]["schemas"] } });
    validator(Draft::Draft7, &schema)
}

/// A validator of a whole schema.
pub fn validator(draft: Draft, schema: &Value) -> Validator {
    jsonschema::options().with_draft(draft).build(schema).unwrap_or_else(|error| panic!("no schema: {error}"))
}

/// A validator's faults of a value, each with its place.
pub fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.validate(value).err().into_iter().flatten();
    // Several branches of a schema may report the same.
    let faults: BTreeSet<_> = errors.map(|error| format!("{}: {error}", error.instance_path)).collect();
    faults.into_iter().collect()
}

/// Fails the test unless a value is the message of this name.
#[track_caller]
pub fn assert_message(name: &str, message: &Value) {
    let validator = VALIDATORS.get(name).unwrap_or_else(|| panic!("the document has no message {name}: {message}"));
    let faults = faults(validator, message);
    assert!(faults.is_empty(), "this is no {name} as docs/asyncapi.json has it:\n{message:#}\n{}", faults.join("\n"));
}

/// Fails the test unless what the server sent is one of its messages.
#[track_caller]
pub fn assert_sent_by_server(message: &Value) {
    assert_message(message["type"].as_str().unwrap_or_default(), message);
}
