//! Given events, when they are redacted, then nothing personal is left and everything else is unchanged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proptest::prelude::*;
use serde_json::Value;

use super::{pseudonyms::Pseudonyms, rules::rule_of, *};
use crate::{
    domain::{StreamId, event_table::TextRule},
    events::{Recorded, codec::event_json, from_json::event_from_json, names::EVENT_NAMES},
    projections::testing::any_log,
};

fn redaction(ids_too: bool) -> Redaction {
    Redaction::with(Pseudonyms::with_key([3; 32]), ids_too)
}

fn fixtures() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let read = |entry: fs::DirEntry| serde_json::from_slice::<Value>(&fs::read(entry.path()).unwrap()).unwrap()["event"].clone();
    fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap())).collect()
}

/// Every text in a value with its path, `*` for a place in a list.
fn texts(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(&below(name), value, found)),
        Value::Array(entries) => entries.iter().for_each(|value| texts(&below("*"), value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_type_of_event_and_every_text_of_the_fixtures_has_a_rule() {
    let mut seen = BTreeSet::new();
    for event in fixtures() {
        let (name, mut found) = (event["type"].as_str().unwrap(), Vec::new());
        seen.insert(name.to_owned());
        texts("", &event["data"], &mut found);
        for (path, _) in found {
            assert!(rule_of(name, &path).is_some(), "{name} has no rule for {path}");
        }
    }
    assert_eq!(seen, EVENT_NAMES.iter().map(|name| (*name).to_owned()).collect(), "every type has a fixture");
}

#[test]
fn no_personal_text_of_any_fixture_is_left() {
    for event in fixtures() {
        let recorded = event_from_json(&event).unwrap();
        let redacted = event_json(&redaction(true).event(&recorded).unwrap());
        let (mut before, mut after) = (Vec::new(), Vec::new());
        texts("", &event["data"], &mut before);
        texts("", &redacted["data"], &mut after);
        for ((path, text), (_, now)) in before.iter().zip(&after) {
            let kept = matches!(rule_of(event["type"].as_str().unwrap(), path), Some(TextRule::Keep | TextRule::Unit)) || text.is_empty();
            assert_eq!(text == now, kept, "{path} of {}: {text} is {now}", event["type"]);
        }
        for field in ["who", "command_id", "stream"] {
            assert_ne!(redacted[field], event[field]);
        }
        if let Some(by) = event["by"].as_str() {
            assert!(redacted["by"].as_str().is_some_and(|now| now != by), "{redacted}");
        }
        for field in ["position", "previous", "version", "at", "type"] {
            assert_eq!(redacted[field], event[field]);
        }
    }
}

#[test]
fn a_person_has_one_pseudonym_whether_they_act_or_another_acts_for_them() {
    let event = fixtures().into_iter().find(|event| event["by"].is_string()).unwrap();
    let mut swapped = event.clone();
    (swapped["who"], swapped["by"]) = (event["by"].clone(), event["who"].clone());
    let redaction = redaction(false);
    let redacted = |event: &Value| event_json(&redaction.event(&event_from_json(event).unwrap()).unwrap());
    let (before, after) = (redacted(&event), redacted(&swapped));
    assert_eq!((&before["who"], &before["by"]), (&after["by"], &after["who"]));
}

#[test]
fn ids_stay_unless_they_are_to_be_redacted_too() {
    let event = fixtures().into_iter().find(|event| event["type"] == "list.item_added").unwrap();
    let redacted = event_json(&redaction(false).event(&event_from_json(&event).unwrap()).unwrap());
    assert_eq!((&redacted["stream"], &redacted["data"]["product"]), (&event["stream"], &event["data"]["product"]));
    let stream: StreamId = "list/weekly".parse().unwrap();
    assert_eq!(redaction(false).stream(&stream), "list/weekly");
    assert!(redaction(true).stream(&stream).starts_with("list/list-"));
}

#[test]
fn a_text_nobody_thought_of_has_no_rule_and_a_unit_somebody_typed_is_text() {
    assert_eq!(rule_of("list.renamed", "diary"), None);
    assert_eq!(rule_of("list.cheered", "name"), None);
    let mut event = fixtures().into_iter().find(|event| event["type"] == "list.item_added").unwrap();
    event["data"]["quantity"]["unit"] = "Benny's mug".into();
    let redacted = event_json(&redaction(false).event(&event_from_json(&event).unwrap()).unwrap());
    assert!(redacted["data"]["quantity"]["unit"].as_str().unwrap().starts_with("text-"), "{redacted}");
}

fn sealed(dir: &Path, events: &[Recorded]) -> (std::path::PathBuf, Manifest) {
    let manifest = Manifest {
        aisled_bundle: FORMAT,
        program: "test".into(),
        streams: vec!["list/list0".into()],
        from: Position(1),
        to: Position(9),
        redacted_ids: false,
        with_prices: false,
        events: events.len() as u64,
        outcome: fold(events),
    };
    let path = dir.join("bundle");
    write(&path, &manifest, events).unwrap();
    (path, manifest)
}

#[test]
fn every_flipped_byte_and_every_cut_of_a_bundle_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let events: Vec<_> = fixtures().iter().take(3).map(|event| event_from_json(event).unwrap()).collect();
    let (path, manifest) = sealed(dir.path(), &events);
    assert_eq!(read(&path).unwrap().0, manifest);
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x04;
        fs::write(&path, &flipped).unwrap();
        let error = read(&path).expect_err("a flipped byte is found");
        assert!(matches!(error, BundleError::Damaged(_) | BundleError::Foreign(_)), "{at}: {error}");
        fs::write(&path, &bytes[..at]).unwrap();
        assert!(read(&path).is_err(), "cut at {at}");
    }
}

#[test]
fn a_foreign_or_newer_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "PNG").unwrap();
    assert!(matches!(read(&path), Err(BundleError::Foreign(_))));
    fs::write(&path, zstd::bulk::compress(b"{\"aisled_bundle\":2}\n", 1).unwrap()).unwrap();
    assert!(matches!(read(&path), Err(BundleError::Newer(2))));
}

/// Amounts and times by position: what a redaction must not change.
fn amounts(events: &[Recorded]) -> BTreeMap<Position, Vec<String>> {
    let of = |event: &Recorded| {
        let mut found = Vec::new();
        texts("", &event_json(event)["data"], &mut found);
        found.into_iter().filter(|(path, _)| path.ends_with("amount") || path.ends_with("_at")).map(|(_, text)| text).collect()
    };
    events.iter().map(|event| (event.position, of(event))).collect()
}

proptest! {
    #[test]
    fn a_redacted_history_keeps_its_amounts_and_totals_and_folds_the_same_everywhere(log in any_log(), ids_too: bool) {
        let redaction = redaction(ids_too);
        let redacted: Vec<_> = log.events.iter().map(|event| redaction.event(event).unwrap()).collect();
        prop_assert_eq!(amounts(&redacted), amounts(&log.events));
        let (before, after) = (fold(&log.events), fold(&redacted));
        if !ids_too {
            // Totals default to the first store by id if none was chosen, so ids may matter.
            prop_assert_eq!(before.totals, after.totals.clone());
        }
        let dir = tempfile::tempdir().unwrap();
        let (path, manifest) = sealed(dir.path(), &redacted);
        let (read_back, events) = read(&path).unwrap();
        prop_assert_eq!(&read_back, &manifest);
        prop_assert!(fold(&events).differing(&manifest.outcome).is_empty());
        prop_assert_eq!(fold(&events), after);
    }
}
