//! Reads an event from its JSON: for an import, a bundle, and a server's stream to a tool.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    codec::{DecodeError, event_json},
    envelope::{CommandMark, Position, Recorded},
    names::{EVENT_NAMES, event_name},
    upcast::current_shape,
};
use crate::domain::{ClientId, CommandId, Entity, Event, Moment, Outcome, Principal, StreamId, StreamKind, entities::entities};

/// What [`event_json`] leaves out because no client needs it; an export adds both, so that nothing of the log is lost.
pub const DIGEST_FIELD: &str = "command_digest";
/// See [`DIGEST_FIELD`].
pub const OUTCOME_FIELD: &str = "command_outcome";

/// Reads what [`event_json`] or [`whole_json`] wrote. Without the fields of an export a command's digest is zero and its outcome `applied`.
///
/// # Errors
/// Names the field that is missing, wrong or unknown.
pub fn event_from_json(json: &Value) -> Result<Recorded, DecodeError> {
    let fields = Fields(json.as_object().ok_or_else(|| DecodeError("an event is a JSON object".into()))?);
    fields.refuse_unknown()?;
    let name = fields.text("type")?;
    let shape: u16 = fields.read("shape")?;
    if !EVENT_NAMES.contains(&name) {
        return Err(DecodeError(format!("{name:?} is not the name of an event")));
    }
    if shape != current_shape(name) {
        return Err(DecodeError(format!("this version of the program does not know shape {shape} of {name}")));
    }
    Ok(Recorded {
        position: fields.read::<Position>("position")?,
        stream: fields.read::<StreamId>("stream")?,
        version: fields.read("version")?,
        previous: fields.read("previous")?,
        at: fields.read::<Moment>("at")?,
        who: fields.read::<Principal>("who")?,
        by: fields.optional::<Principal>("by")?,
        command: fields.command()?,
        client: fields.optional::<ClientId>("client")?,
        event: content(name, fields.value("data")?)?,
    })
}

/// Like [`event_json`], with everything the log knows of the event's command.
#[must_use]
pub fn whole_json(recorded: &Recorded) -> Value {
    let mut json = event_json(recorded);
    if let (Some(mark), Value::Object(fields)) = (&recorded.command, &mut json) {
        fields.insert(DIGEST_FIELD.into(), format!("{:016x}", mark.digest).into());
        fields.insert(OUTCOME_FIELD.into(), serde_json::to_value(mark.outcome).unwrap_or(Value::Null));
    }
    json
}

/// Reads the fields of an event by its name.
fn content(name: &str, data: &Value) -> Result<Event, DecodeError> {
    let (kind, variant) = name.split_once('.').unwrap_or_default();
    let tagged = Value::Object(Map::from_iter([(variant.to_owned(), data.clone())]));
    let kind = StreamKind::of_name(kind).ok_or_else(|| DecodeError(format!("{name:?} is not the name of an event")))?;
    let event = entities!(kind kind, E => read::<<E as Entity>::Event>(tagged).map(Event::from))?;
    exact(name, event, data)
}

/// A field that the event does not have would be lost silently.
fn exact(name: &str, event: Event, data: &Value) -> Result<Event, DecodeError> {
    debug_assert_eq!(event_name(&event), name);
    let again = super::codec::content_json(&event);
    if again == *data { Ok(event) } else { Err(DecodeError(format!("data is not in the form of {name}, which is {again}"))) }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, DecodeError> {
    serde_json::from_value(value).map_err(|error| DecodeError(format!("data: {error}")))
}

const KNOWN: [&str; 14] = [
    "position",
    "stream",
    "version",
    "previous",
    "at",
    "who",
    "command_id",
    "type",
    "shape",
    "data",
    // Who sent the command for `who`.
    "by",
    // Which device or program sent the command.
    "client",
    DIGEST_FIELD,
    OUTCOME_FIELD,
];

struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn refuse_unknown(&self) -> Result<(), DecodeError> {
        let unknown = self.0.keys().find(|name| !KNOWN.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(DecodeError(format!("this version of the program does not know the field {name}"))))
    }

    fn value(&self, name: &str) -> Result<&'a Value, DecodeError> {
        self.0.get(name).ok_or_else(|| DecodeError(format!("the field {name} is missing")))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, DecodeError> {
        T::deserialize(self.value(name)?).map_err(|error| DecodeError(format!("{name}: {error}")))
    }

    fn optional<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DecodeError> {
        self.0.contains_key(name).then(|| self.read(name)).transpose()
    }

    fn text(&self, name: &str) -> Result<&'a str, DecodeError> {
        self.value(name)?.as_str().ok_or_else(|| DecodeError(format!("{name} must be a text")))
    }

    fn command(&self) -> Result<Option<CommandMark>, DecodeError> {
        let Some(id) = self.read::<Option<CommandId>>("command_id")? else { return Ok(None) };
        let digest = match self.0.get(DIGEST_FIELD) {
            None => 0,
            Some(_) => {
                u64::from_str_radix(self.text(DIGEST_FIELD)?, 16).map_err(|error| DecodeError(format!("{DIGEST_FIELD}: {error}")))?
            }
        };
        let outcome = if self.0.contains_key(OUTCOME_FIELD) { self.read(OUTCOME_FIELD)? } else { Outcome::Applied };
        Ok(Some(CommandMark { id, digest, outcome }))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::projections::testing::any_log;

    fn fixtures() -> Vec<Value> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
        let read = |entry: fs::DirEntry| serde_json::from_slice::<Value>(&fs::read(entry.path()).unwrap()).unwrap()["event"].clone();
        fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap())).collect()
    }

    #[test]
    fn every_fixture_comes_back_from_its_json() {
        let events = fixtures();
        assert!(events.len() >= EVENT_NAMES.len());
        for event in events {
            let recorded = event_from_json(&event).unwrap();
            assert_eq!(event_json(&recorded), event);
            assert_eq!(event_from_json(&whole_json(&recorded)).unwrap(), recorded);
        }
    }

    #[test]
    fn what_is_missing_wrong_or_unknown_is_named() {
        let event = fixtures().into_iter().find(|event| event["type"] == "list.item_added").unwrap();
        let refusal = |change: &dyn Fn(&mut Value)| {
            let mut changed = event.clone();
            change(&mut changed);
            event_from_json(&changed).unwrap_err().to_string()
        };
        assert!(refusal(&|e| drop(e.as_object_mut().unwrap().remove("stream"))).contains("stream"));
        assert!(refusal(&|e| e["mood"] = json!("good")).contains("mood"));
        assert!(refusal(&|e| e["data"]["mood"] = json!("good")).contains("data"));
        assert!(refusal(&|e| e["type"] = json!("list.item_cheered")).contains("item_cheered"));
        assert!(refusal(&|e| e["shape"] = json!(9)).contains("shape 9"));
        assert!(refusal(&|e| e["at"] = json!("noon")).contains("at"));
        assert!(event_from_json(&json!([1])).is_err());
    }

    proptest! {
        #[test]
        fn any_event_comes_back_from_its_json(log in any_log(), digest: u64, which in 0_usize..3, acting: bool) {
            for event in &log.events {
                let mut event = event.clone();
                let outcome = [Outcome::Applied, Outcome::Merged, Outcome::Unchanged][which];
                event.command = Some(CommandMark { id: CommandId::new("c1").unwrap(), digest, outcome });
                event.by = acting.then(|| Principal::new("local").unwrap());
                prop_assert_eq!(event_from_json(&whole_json(&event)).unwrap(), event);
            }
        }
    }
}
