//! Redacts one event after another by the table of rules.

use std::io;

use serde_json::Value;

use super::{
    BundleError,
    pseudonyms::Pseudonyms,
    rules::{ENVELOPE, SETS, rule_of},
};
use crate::{
    domain::{StreamId, StreamKind, Unit, event_table::TextRule},
    events::{
        Recorded,
        codec::{DecodeError, event_json},
        from_json::event_from_json,
    },
};

/// The redaction of one bundle.
pub struct Redaction {
    pseudonyms: Pseudonyms,
    ids_too: bool,
}

impl Redaction {
    /// A new one, with a key of its own; with `ids_too` the ids of entities are redacted as well.
    ///
    /// # Errors
    /// When the system has no randomness for the key.
    pub fn new(ids_too: bool) -> io::Result<Self> {
        Ok(Self { pseudonyms: Pseudonyms::random()?, ids_too })
    }

    #[cfg(test)]
    pub(super) fn with(pseudonyms: Pseudonyms, ids_too: bool) -> Self {
        Self { pseudonyms, ids_too }
    }

    /// The event without personal data, with its own position, times and amounts.
    ///
    /// # Errors
    /// When a text has no rule, or the event would no longer be one.
    pub fn event(&self, recorded: &Recorded) -> Result<Recorded, BundleError> {
        let mut json = event_json(recorded);
        let redacted = self.fields(&mut json).and_then(|()| event_from_json(&json));
        redacted.map_err(|error| BundleError::unredactable(recorded.position, error))
    }

    /// The name of a stream as it is in the bundle.
    #[must_use]
    pub fn stream(&self, stream: &StreamId) -> String {
        format!("{}/{}", stream.kind().as_str(), self.id(stream.kind(), stream.id()))
    }

    fn fields(&self, json: &mut Value) -> Result<(), DecodeError> {
        let event_type = json["type"].as_str().unwrap_or_default().to_owned();
        let Value::Object(fields) = json else { return Ok(()) };
        for (name, value) in fields {
            if name == "data" {
                self.data(&event_type, "", value)?;
            } else if let Value::String(text) = value {
                *text = match name.as_str() {
                    "stream" => self.stream(&text.parse().map_err(|error| DecodeError(format!("stream: {error}")))?),
                    name => {
                        let rule = ENVELOPE.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule);
                        self.text(rule.ok_or_else(|| no_rule("the envelope", name))?, text)
                    }
                };
            }
        }
        Ok(())
    }

    fn data(&self, event_type: &str, path: &str, value: &mut Value) -> Result<(), DecodeError> {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value {
            Value::String(text) => *text = self.text(rule_of(event_type, path).ok_or_else(|| no_rule(event_type, path))?, text),
            Value::Object(fields) => fields.iter_mut().try_for_each(|(name, value)| self.data(event_type, &below(name), value))?,
            Value::Array(entries) => {
                entries.iter_mut().try_for_each(|value| self.data(event_type, &below("*"), value))?;
                if SETS.contains(&(event_type, path)) {
                    entries.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Ok(())
    }

    fn text(&self, rule: TextRule, text: &str) -> String {
        match rule {
            TextRule::Keep => text.to_owned(),
            TextRule::Text => self.pseudonyms.of_text(text),
            TextRule::Unit if matches!(Unit::parse(text), Unit::Other(_)) => self.pseudonyms.of_text(text),
            TextRule::Unit => text.to_owned(),
            TextRule::Person => self.pseudonyms.of_id("person", text),
            TextRule::Command => self.pseudonyms.of_id("command", text),
            TextRule::Client => self.pseudonyms.of_id("client", text),
            TextRule::Id(kind) => self.id(kind, text),
            TextRule::PartId if self.ids_too => self.pseudonyms.of_id("part", text),
            TextRule::Code if self.ids_too => self.pseudonyms.of_id("code", text),
            TextRule::PartId | TextRule::Code => text.to_owned(),
        }
    }

    fn id(&self, kind: StreamKind, id: &str) -> String {
        if self.ids_too { self.pseudonyms.of_id(kind.as_str(), id) } else { id.to_owned() }
    }
}

fn no_rule(place: &str, name: &str) -> DecodeError {
    DecodeError(format!("there is no rule for the text {name} of {place}"))
}
