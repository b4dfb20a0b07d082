//! Events as `CloudEvents` 1.0: what has no attribute of its own becomes an extension, in lower-case letters and simple types only.

use serde_json::{Map, Value, json};

use crate::events::{
    codec::DecodeError,
    from_json::{DIGEST_FIELD, OUTCOME_FIELD},
};

const SPEC_VERSION: &str = "1.0";
const TYPE_PREFIX: &str = "aisled.";

/// Our fields by their attribute. Null ones are left out there.
const ATTRIBUTES: [(&str, &str); 17] = [
    ("position", "id"),
    ("stream", "subject"),
    ("at", "time"),
    ("type", "type"),
    ("data", "data"),
    ("version", "aisledversion"),
    ("previous", "aisledprevious"),
    ("who", "aisledwho"),
    ("by", "aisledby"),
    ("client", "aisledclient"),
    ("command_id", "aisledcommand"),
    (DIGEST_FIELD, "aisleddigest"),
    (OUTCOME_FIELD, "aisledoutcome"),
    ("shape", "aisledshape"),
    ("chain", "aisledchain"),
    ("stored", "aisledstored"),
    ("last", "aisledlast"),
];

/// Fields that are null where an attribute is absent.
const NULLABLE: [&str; 2] = ["previous", "command_id"];

/// Our line as a cloud event.
pub fn wrap(line: &Value, source: &str) -> Value {
    let mut event = Map::new();
    event.insert("specversion".into(), SPEC_VERSION.into());
    event.insert("source".into(), source.into());
    event.insert("datacontenttype".into(), "application/json".into());
    for (field, attribute) in ATTRIBUTES {
        let value = match (field, line.get(field)) {
            (_, None | Some(Value::Null)) => continue,
            ("type", Some(Value::String(name))) => format!("{TYPE_PREFIX}{name}").into(),
            // A cloud event's integers end at 31 bits.
            ("version", Some(version)) => version.to_string().into(),
            (_, Some(value)) => value.clone(),
        };
        event.insert(attribute.into(), value);
    }
    Value::Object(event)
}

/// Our line of a cloud event that [`wrap`] made.
pub fn unwrap(mut event: Map<String, Value>) -> Result<Map<String, Value>, DecodeError> {
    let version = event.remove("specversion").unwrap_or(Value::Null);
    if version != SPEC_VERSION {
        return Err(DecodeError(format!("unknown CloudEvents specversion {version}; only {SPEC_VERSION:?} is supported")));
    }
    event.remove("source");
    event.remove("datacontenttype");
    let mut line: Map<String, Value> = NULLABLE.into_iter().map(|field| (field.to_owned(), Value::Null)).collect();
    for (field, attribute) in ATTRIBUTES {
        if let Some(value) = event.remove(attribute) {
            line.insert(field.into(), value_of(field, value)?);
        }
    }
    match event.keys().next() {
        None => Ok(line),
        Some(attribute) => Err(DecodeError(format!("this version of the program does not know the attribute {attribute}"))),
    }
}

fn value_of(field: &str, value: Value) -> Result<Value, DecodeError> {
    let wrong = || DecodeError(format!("the attribute of {field} was not written by aisled"));
    match (field, value.as_str()) {
        ("type", Some(name)) => name.strip_prefix(TYPE_PREFIX).map(Value::from).ok_or_else(wrong),
        ("version", Some(version)) => version.parse::<u64>().map(|version| json!(version)).map_err(|_| wrong()),
        ("type" | "version", None) => Err(wrong()),
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_names_and_types_that_cloud_events_allow() {
        let line = json!({"position": "7", "stream": "list/a", "version": 3, "previous": null, "at": "2024-06-01T08:31:00Z", "who": "ann", "by": "ben",
            "command_id": "c", "type": "list.renamed", "shape": 1, "data": {"name": "A"}, "chain": "00", "last": true});
        let event = wrap(&line, "urn:aisled:e");
        let wanted = json!({"specversion": "1.0", "id": "7", "source": "urn:aisled:e", "type": "aisled.list.renamed", "subject": "list/a",
            "time": "2024-06-01T08:31:00Z", "datacontenttype": "application/json", "data": {"name": "A"}, "aisledversion": "3",
            "aisledwho": "ann", "aisledby": "ben", "aisledcommand": "c", "aisledshape": 1, "aisledchain": "00", "aisledlast": true});
        assert_eq!(event, wanted);
        for name in event.as_object().unwrap().keys() {
            assert!(name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
        }
        let Value::Object(event) = event else { panic!("it is an object") };
        assert_eq!(Value::Object(unwrap(event).unwrap()), line);
    }
}
