//! What is stored as a cache has a version that says so: a changed form without a raised version is found here, not on a user's disk.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::Arc};

use aisled::{
    actors::memos::MEMO_FORMAT,
    demo,
    domain::{Entity, household::Households, list::Lists, order::Orders, product::Products, store::Stores},
    events::{Log, Position, Recorded, clock::ManualClock, memory::MemoryLog},
    projections::Views,
};
use serde::{Deserialize, Serialize};

/// A version as the code has it, and a digest of what is stored under it for the demo household.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Form {
    version: u32,
    digest: String,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/stored_forms.json")
}

#[test]
fn a_changed_form_of_a_cache_has_a_raised_version() {
    let found = forms();
    if env::var_os("AISLED_WRITE_FIXTURES").is_some() {
        fs::write(file(), format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
    }
    let known: BTreeMap<String, Form> = serde_json::from_slice(&fs::read(file()).unwrap()).unwrap();
    for (name, form) in &found {
        let before = known.get(name).unwrap_or_else(|| panic!("{name} is new: {WRITE}"));
        let is_forgotten = before.digest != form.digest && before.version == form.version;
        assert!(!is_forgotten, "{name} are stored in another form, or hold other results: raise their version, then {WRITE}");
        assert_eq!(before, form, "{name} have a new version: {WRITE}");
    }
    assert_eq!(known.len(), found.len());
}

/// How the fixture is written.
const WRITE: &str = "run AISLED_WRITE_FIXTURES=1 cargo test --test stored_forms, and look at the difference";

fn forms() -> BTreeMap<String, Form> {
    let clock = Arc::new(ManualClock::at("2026-03-01T15:00:00Z".parse().unwrap()));
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(clock.clone()));
    demo::seed_at(&log, clock).unwrap();
    let events = log.read(Position::START, usize::MAX).unwrap();
    let mut views = Views::default();
    events.iter().for_each(|event| drop(views.apply(event)));
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let memos = [
        folded::<Lists>(&events),
        folded::<Products>(&events),
        folded::<Orders>(&events),
        folded::<Households>(&events),
        folded::<Stores>(&events),
    ];
    BTreeMap::from([
        ("checkpoints of views".into(), Form { version: Views::VERSION, digest: digest(&views.freeze()) }),
        ("memos of entities".into(), Form { version: MEMO_FORMAT, digest: digest(&memos.concat()) }),
    ])
}

/// The states of all entities of a kind, as their memos hold them.
fn folded<E: Entity>(events: &[Arc<Recorded>]) -> Vec<u8> {
    let mut states = BTreeMap::<String, E::State>::new();
    for event in events.iter().filter(|event| event.stream.kind() == E::KIND) {
        event.evolve::<E>(states.entry(event.stream.id().to_owned()).or_default());
    }
    rmp_serde::to_vec_named(&states).unwrap()
}
