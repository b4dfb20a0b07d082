//! One line of an export: an event, its place in the chain, and back.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::{cloud, from_hex, to_hex};
use crate::{
    events::{
        Position, Recorded,
        codec::{Author, DecodeError, Decoder, write_body, write_opening},
        from_json::{event_from_json, whole_json},
    },
    log::block::Chain,
};

/// The format of the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Events as clients see them.
    #[default]
    Ndjson,
    /// `CloudEvents` 1.0 in JSON.
    Cloudevents,
}

/// One event of an export.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub recorded: Recorded,
    /// As the log keeps it.
    pub stored: Vec<u8>,
    /// On the last event of a block: the chain up to there.
    pub chain: Option<Chain>,
    /// Nothing follows in the export.
    pub is_last: bool,
}

/// Why a line is not an event of an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LineError {
    /// The event it claims to be.
    pub position: Option<Position>,
    pub reason: String,
}

const CHAIN: &str = "chain";
const STORED: &str = "stored";
const LAST: &str = "last";

impl Line {
    /// The line as JSON; `source` names the history in `CloudEvents`.
    #[must_use]
    pub fn to_json(&self, format: Format, source: &str) -> Value {
        let mut json = whole_json(&self.recorded);
        // What does not round-trip is written as stored, next to its meaning today.
        let comes_back = event_from_json(&json).is_ok_and(|event| stored_form(&event) == self.stored);
        if let Value::Object(fields) = &mut json {
            if !comes_back {
                fields.insert(STORED.into(), to_hex(&self.stored).into());
            }
            if let Some(chain) = &self.chain {
                fields.insert(CHAIN.into(), to_hex(chain).into());
            }
            if self.is_last {
                fields.insert(LAST.into(), true.into());
            }
        }
        match format {
            Format::Ndjson => json,
            Format::Cloudevents => cloud::wrap(&json, source),
        }
    }

    /// Reads a line of either format.
    ///
    /// # Errors
    /// Names the field that is missing, wrong or unknown, and the position if the line has one.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let unplaced = |reason: String| LineError { position: None, reason };
        let json: Value = serde_json::from_str(text).map_err(|error| unplaced(format!("this is not JSON: {error}")))?;
        let Value::Object(mut fields) = json else { return Err(unplaced("this is not an event: it must be a JSON object".into())) };
        let position = fields.get("position").or(fields.get("id")).and_then(Value::as_str).and_then(|text| text.parse().ok());
        let wrong = |error: DecodeError| LineError { position, reason: error.0 };
        if fields.contains_key("specversion") {
            fields = cloud::unwrap(fields).map_err(wrong)?;
        }
        Self::of_fields(fields).map_err(wrong)
    }

    fn of_fields(mut fields: Map<String, Value>) -> Result<Self, DecodeError> {
        let chain = fields.remove(CHAIN).map(|chain| bytes_of(CHAIN, &chain)).transpose()?;
        let stored = fields.remove(STORED).map(|stored| bytes_of(STORED, &stored)).transpose()?;
        let is_last = fields.remove(LAST).is_some_and(|last| last == true);
        let json = Value::Object(fields);
        let chain = chain.map(Chain::try_from).transpose().map_err(|_| DecodeError("chain must have 32 bytes".into()))?;
        let recorded = event_from_json(&json)?;
        let (recorded, stored) = match stored {
            None => {
                let stored = stored_form(&recorded);
                (recorded, stored)
            }
            Some(stored) => (same_event(&stored, &json, recorded.position)?, stored),
        };
        Ok(Self { recorded, stored, chain, is_last })
    }
}

/// Reads the event of a line, whatever else the line carries.
///
/// # Errors
/// See [`Line::parse`].
pub fn event_of_line(text: &str) -> Result<Recorded, LineError> {
    Line::parse(text).map(|line| line.recorded)
}

/// Visits the events of an export, or of a bundle, whose first line is its manifest.
///
/// # Errors
/// Names the line that is not an event; those of `see`.
pub fn each_event(file: impl BufRead, mut see: impl FnMut(Recorded) -> io::Result<()>) -> io::Result<()> {
    for (line, number) in file.lines().zip(1_u64..) {
        let line = line?;
        if line.trim().is_empty() || (number == 1 && is_manifest(&line)) {
            continue;
        }
        see(event_of_line(&line).map_err(|error| io::Error::other(format!("line {number}: {error}")))?)?;
    }
    Ok(())
}

/// The start of a bundle's first line.
pub const MANIFEST_FIELD: &str = "aisled_bundle";

fn is_manifest(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|line| line.get(MANIFEST_FIELD).is_some())
}

/// An event as the log keeps it today.
#[must_use]
pub fn stored_form(recorded: &Recorded) -> Vec<u8> {
    let (Recorded { version, previous, at, event, .. }, author) = (recorded, Author::of(recorded));
    let mut bytes = Vec::with_capacity(256);
    write_opening(&mut bytes, *previous, *at, &author);
    write_body(&mut bytes, *version, event, &author);
    bytes
}

/// The event of stored bytes, if the line agrees.
fn same_event(stored: &[u8], json: &Value, position: Position) -> Result<Recorded, DecodeError> {
    let recorded = Decoder::default().decode(position, stored)?;
    if whole_json(&recorded) == *json { Ok(recorded) } else { Err(DecodeError("the stored event differs from the line".into())) }
}

fn bytes_of(name: &str, value: &Value) -> Result<Vec<u8>, DecodeError> {
    value.as_str().and_then(from_hex).ok_or_else(|| DecodeError(format!("{name} must be a hexadecimal text")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{domain::Principal, projections::testing::any_log};

    #[test]
    fn an_event_of_an_older_shape_keeps_its_stored_bytes() {
        let fixture = include_str!("../../tests/fixtures/events/list.item_added@0.json");
        let fixture: Value = serde_json::from_str(fixture).unwrap();
        let stored = from_hex(fixture["stored"].as_str().unwrap()).unwrap();
        let recorded = Decoder::default().decode(Position(12), &stored).unwrap();
        let line = Line { recorded, stored, chain: Some([7; 32]), is_last: true };
        for format in [Format::Ndjson, Format::Cloudevents] {
            let json = line.to_json(format, "urn:aisled:x");
            assert_eq!(Line::parse(&json.to_string()).unwrap(), line);
            let changed = json.to_string().replace("Milk", "Silk");
            assert!(Line::parse(&changed).unwrap_err().reason.contains("differs from the line"));
        }
    }

    #[test]
    fn what_is_not_an_event_is_refused_with_the_reason() {
        let refusal = |text: &str| Line::parse(text).unwrap_err().reason;
        assert!(refusal("PNG").contains("not JSON"));
        assert!(refusal("[1]").contains("JSON object"));
        assert!(refusal(r#"{"specversion":"2.0","id":"1"}"#).contains("2.0"));
        assert!(refusal(r#"{"name":"milk"}"#).contains("name"));
    }

    proptest! {
        #[test]
        fn a_line_of_either_format_comes_back_the_same(log in any_log(), acting: bool) {
            for recorded in &log.events {
                let by = acting.then(|| Principal::new("local").unwrap());
                let recorded = Recorded { by, ..recorded.clone() };
                let line = Line { stored: stored_form(&recorded), recorded, chain: None, is_last: false };
                for format in [Format::Ndjson, Format::Cloudevents] {
                    let json = line.to_json(format, "urn:aisled:x");
                    prop_assert!(json.get("stored").is_none() && json.get("aisledstored").is_none());
                    prop_assert_eq!(Line::parse(&json.to_string()).unwrap(), line.clone());
                }
            }
        }
    }
}
