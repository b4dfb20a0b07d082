//! Given a log, when it is exported and imported, then it is the same log, even with events of older shapes.

use std::path::Path;

use proptest::prelude::*;

use super::{line::stored_form, *};
use crate::{
    events::{Log, Position},
    log::{
        DiskLog, LogOptions,
        block::{CHAIN_START, Sealer, push_event},
        build::Builder,
    },
    projections::testing::any_log,
};

/// A log of stored events, this many in a block.
fn log_of(folder: &Path, stored: &[Vec<u8>], block_events: usize) -> DiskLog {
    let (mut builder, mut sealer) = (Builder::create(folder).unwrap(), Sealer::after(CHAIN_START).unwrap());
    let mut first = 1;
    for events in stored.chunks(block_events) {
        let mut raw = Vec::new();
        events.iter().for_each(|event| push_event(&mut raw, |raw| raw.extend_from_slice(event)));
        let block = sealer.seal(&raw, Position(first), u32::try_from(events.len()).unwrap()).unwrap();
        builder.add(Position(first), &block).unwrap();
        first += events.len() as u64;
    }
    builder.finish().unwrap();
    DiskLog::open(LogOptions::new(folder)).unwrap().0
}

fn lines(log: &DiskLog, format: Format) -> (Exported, Vec<u8>) {
    let mut text = Vec::new();
    let exported = export(log, Range::of(log, None, None).unwrap(), format, "urn:aisled:x", &mut text).unwrap();
    (exported, text)
}

/// Checks that both formats return the same blocks.
fn assert_same_again(log: &DiskLog, folder: &Path) {
    let blocks = |log: &DiskLog| log.blocks_from(Position(1)).map(|entry| entry.unwrap().1.to_vec()).collect::<Vec<_>>();
    for (format, name) in [(Format::Ndjson, "ndjson"), (Format::Cloudevents, "cloudevents")] {
        let (exported, text) = lines(log, format);
        let built = import(&text[..], &folder.join(name)).unwrap();
        assert_eq!((built.head, to_hex(&built.chain)), (log.head(), exported.chain));
        let copy = DiskLog::open(LogOptions::new(folder.join(name))).unwrap().0;
        assert_eq!(blocks(&copy), blocks(log));
    }
}

#[test]
fn an_event_stored_in_an_older_shape_keeps_its_bytes_and_its_hash() {
    let fixture = include_str!("../../tests/fixtures/events/list.item_added@0.json");
    let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
    // As the first event of its stream.
    let stored = fixture["stored"].as_str().unwrap().replace(&(to_hex(b"previous") + "09"), &(to_hex(b"previous") + "c0"));
    let stored = stored.replace(&(to_hex(b"version") + "03"), &(to_hex(b"version") + "01"));
    let dir = tempfile::tempdir().unwrap();
    let log = log_of(&dir.path().join("log"), &[from_hex(&stored).unwrap()], 1);
    assert!(String::from_utf8(lines(&log, Format::Ndjson).1).unwrap().contains("\"stored\":"));
    assert_same_again(&log, dir.path());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_log_comes_back_block_for_block(events in any_log(), block_events in 1_usize..20) {
        let dir = tempfile::tempdir().unwrap();
        let stored: Vec<_> = events.events.iter().map(stored_form).collect();
        let log = log_of(&dir.path().join("log"), &stored, block_events);
        assert_same_again(&log, dir.path());
    }

    #[test]
    fn any_changed_byte_of_an_export_is_refused_or_means_the_same(events in any_log(), at: prop::sample::Index, bit in 0_u8..8) {
        let dir = tempfile::tempdir().unwrap();
        let stored: Vec<_> = events.events.iter().map(stored_form).collect();
        let log = log_of(&dir.path().join("log"), &stored, 7);
        let (exported, mut text) = lines(&log, Format::Ndjson);
        let at = at.index(text.len());
        text[at] ^= 1 << bit;
        match import(&text[..], &dir.path().join("new")) {
            // A change that JSON ignores, such as a blank.
            Ok(built) => prop_assert_eq!(to_hex(&built.chain), exported.chain),
            Err(_) => prop_assert!(!dir.path().join("new").exists(), "no log is left"),
        }
    }
}
