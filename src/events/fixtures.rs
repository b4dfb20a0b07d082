//! Every shape of every event that was ever stored, as files in `tests/fixtures/events`: bytes and the event they mean.
//! A fixture is never changed. For a new event write its JSON with an empty `stored` and run the tests with `AISLED_WRITE_FIXTURES=1`.

use std::{env, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use super::{
    CommandMark, Position, Recorded,
    codec::{Author, Decoder, event_json, write_body, write_opening},
    names::{EVENT_NAMES, event_name},
    upcast::current_shape,
};
use crate::domain::{ClientId, CommandId, Entity, Event, Outcome, Principal, StreamId, StreamKind, entities::entities};

/// A fixture with an optional field of the envelope, next to the one without it.
const SENT_FOR_ANOTHER: &str = "list.renamed@1-by";
const DIGEST: u64 = 0x0123_4567_89ab_cdef;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

fn read(name: &str, shape: u16) -> Value {
    read_file(&format!("{name}@{shape}"))
}

fn path_of(file: &str) -> PathBuf {
    folder().join(format!("{file}.json"))
}

fn read_file(file: &str) -> Value {
    let path = path_of(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn from_json(event: &Value) -> Recorded {
    let text = |field: &str| event[field].as_str().unwrap();
    let (kind, variant) = text("type").split_once('.').unwrap();
    let tagged = Value::Object(Map::from_iter([(variant.to_owned(), event["data"].clone())]));
    let content = entities!(kind StreamKind::of_name(kind).unwrap(), E => {
        Event::from(serde_json::from_value::<<E as Entity>::Event>(tagged).unwrap())
    });
    Recorded {
        position: text("position").parse().unwrap(),
        stream: text("stream").parse::<StreamId>().unwrap(),
        version: event["version"].as_u64().unwrap(),
        previous: text("previous").parse().ok(),
        at: text("at").parse().unwrap(),
        who: Principal::new(text("who")).unwrap(),
        by: event["by"].as_str().map(|by| Principal::new(by).unwrap()),
        command: Some(CommandMark { id: CommandId::new(text("command_id")).unwrap(), digest: DIGEST, outcome: Outcome::Applied }),
        client: event["client"].as_str().map(|client| ClientId::new(client).unwrap()),
        event: content,
    }
}

/// The event of a fixture in its present shape.
pub fn fixture(name: &str) -> Recorded {
    from_json(&read(name, current_shape(name))["event"])
}

fn stored(recorded: &Recorded) -> Vec<u8> {
    let mut bytes = Vec::new();
    let author = Author::of(recorded);
    write_opening(&mut bytes, recorded.previous, recorded.at, &author);
    write_body(&mut bytes, recorded.version, &recorded.event, &author);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_event_is_still_written_and_read_as_its_fixture_says() {
    for name in EVENT_NAMES {
        let recorded = as_its_fixture_says(&format!("{name}@{}", current_shape(name)));
        assert_eq!(event_name(&recorded.event), *name);
    }
}

/// Writes and reads the event of a fixture. A new fixture gets its stored bytes.
fn as_its_fixture_says(file: &str) -> Recorded {
    let mut fixture = read_file(file);
    let recorded = from_json(&fixture["event"]);
    if fixture["stored"] == "" && env::var_os("AISLED_WRITE_FIXTURES").is_some() {
        fixture["stored"] = json!(hex(&stored(&recorded)));
        fs::write(path_of(file), serde_json::to_string_pretty(&fixture).unwrap() + "\n").unwrap();
    }
    let bytes = unhex(fixture["stored"].as_str().unwrap());
    assert_eq!(hex(&stored(&recorded)), hex(&bytes), "{file} is written differently: it needs a new shape");
    assert_eq!(Decoder::default().decode(Position(12), &bytes).unwrap(), recorded, "{file}");
    assert_eq!(event_json(&recorded), fixture["event"], "{file} is shown differently to clients");
    recorded
}

#[test]
fn an_event_says_who_sent_it_for_somebody_else_and_without_that_has_the_bytes_it_always_had() {
    let mut recorded = as_its_fixture_says(SENT_FOR_ANOTHER);
    assert_eq!(recorded.by.take(), Some(Principal::new("local").unwrap()));
    let before = read("list.renamed", 1);
    assert_eq!(hex(&stored(&recorded)), before["stored"], "nothing is left of an absent field");
    assert_eq!(event_json(&recorded), before["event"]);
}

#[test]
fn every_shape_ever_stored_can_still_be_read() {
    let mut fixtures = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let fixture: Value = serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let bytes = unhex(fixture["stored"].as_str().unwrap());
        let recorded = Decoder::default().decode(Position(12), &bytes).unwrap();
        assert_eq!(event_json(&recorded), fixture["event"]);
        fixtures += 1;
    }
    assert!(fixtures > EVENT_NAMES.len(), "{fixtures} fixtures, old shapes among them");
}

#[test]
fn an_unknown_name_or_shape_is_an_error_and_no_guess() {
    let recorded = from_json(&read("list.item_checked", 1)["event"]);
    let bytes = hex(&stored(&recorded));
    let decode = |bytes: &str| Decoder::default().decode(Position(12), &unhex(bytes)).unwrap_err().to_string();
    let renamed = bytes.replace(&hex(b"item_checked"), &hex(b"item_cheered"));
    assert!(decode(&renamed).contains("item_cheered"), "{}", decode(&renamed));
    let reshaped = bytes.replace(&(hex(b"shape") + "01"), &(hex(b"shape") + "09"));
    assert!(decode(&reshaped).contains("shape 9"), "{}", decode(&reshaped));
}

#[test]
fn no_cut_of_an_event_s_bytes_is_read_as_an_event() {
    for file in ["product.price_observed@1", SENT_FOR_ANOTHER] {
        let bytes = stored(&from_json(&read_file(file)["event"]));
        for len in 0..bytes.len() {
            assert!(Decoder::default().decode(Position(12), &bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn a_command_id_comes_back_as_it_was_whatever_its_form() {
    for id in ["0197a0a0-7b57-7e6c-9f5d-2f3e0c1f6a11", "0197A0A0-7B57-7E6C-9F5D-2F3E0C1F6A11", "0197a0a07b577e6c9f5d2f3e0c1f6a11", "once"] {
        let mut recorded = from_json(&read("list.item_checked", 1)["event"]);
        recorded.command = Some(CommandMark { id: CommandId::new(id).unwrap(), digest: u64::MAX, outcome: Outcome::Merged });
        assert_eq!(Decoder::default().decode(Position(12), &stored(&recorded)).unwrap(), recorded);
    }
}
