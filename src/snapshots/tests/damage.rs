//! Every byte of every file counts: anything flipped, cut, added, swapped or forged is named, and none of it is restored.

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::Scene;
use crate::{
    events::Position,
    log::LogOptions,
    snapshots::{Manifest, PeopleEntry, PeopleKept, Progress, SnapshotError, SnapshotFolder, error::name_of, stage, verify},
};

/// The start of a segment: no bit of it may be wrong.
const HEAD_BYTES: usize = 192;

/// Changes by an attacker who can compute checksums.
type Forgery<'a> = Box<dyn Fn(&mut Manifest) + 'a>;

struct Victim {
    place: Scene,
    manifest: Manifest,
}

impl Victim {
    /// A snapshot of several small segments.
    fn new() -> Self {
        let place = Scene::filled(100);
        let manifest = place.snapshot();
        assert!(manifest.segments.len() >= 3, "{manifest:?}");
        Self { place, manifest }
    }

    fn folder(&self) -> &SnapshotFolder {
        &self.place.folder
    }

    fn manifest_file(&self) -> PathBuf {
        self.folder().manifest_file(&self.manifest.name).unwrap()
    }

    fn segment(&self, number: usize) -> PathBuf {
        self.folder().segments().join(&self.manifest.segments[number].file)
    }

    /// The faulty files, as verification names them; reading for a restore must refuse for the same reason.
    fn found(&self) -> Vec<String> {
        let snapshot = match self.folder().open(&self.manifest.name) {
            Ok(snapshot) => snapshot,
            Err(error) => return vec![named_in(&error)],
        };
        let problems = verify(&snapshot, &Progress::default()).problems;
        let read = snapshot.visit(&mut |_, _| Ok(ControlFlow::Continue(())));
        assert_eq!(read.is_err(), !problems.is_empty(), "{read:?} {problems:?}");
        if let Err(error) = read {
            assert_eq!(named_in(&error), problems[0].file, "{error} {problems:?}");
        }
        problems.into_iter().map(|problem| problem.file).collect()
    }

    /// Tries a change of a file and reverts it.
    fn assert_named(&self, file: &Path, what: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let original = fs::read(file).unwrap();
        let mut changed = original.clone();
        change(&mut changed);
        fs::write(file, changed).unwrap();
        assert_eq!(self.found().first(), Some(&name_of(file)), "{what}");
        fs::write(file, original).unwrap();
    }

    /// Seals a forged manifest, as an attacker who can compute checksums would.
    fn forge(&self, change: impl FnOnce(&mut Manifest)) -> Manifest {
        let mut forged = self.manifest.clone();
        change(&mut forged);
        let forged = forged.sealed();
        fs::write(self.manifest_file(), forged.to_json()).unwrap();
        forged
    }
}

fn named_in(error: &SnapshotError) -> String {
    let (SnapshotError::Damaged { file, .. } | SnapshotError::Foreign { file, .. } | SnapshotError::NewerFormat { file, .. }) = error
    else {
        panic!("this names no file: {error:?}")
    };
    file.clone()
}

#[test]
fn accounts_that_are_changed_cut_missing_or_elsewhere_are_named() {
    let victim = Victim::new();
    let Some(PeopleKept::Sealed(entry)) = victim.manifest.people.clone() else { panic!("the snapshot has accounts") };
    let file = victim.folder().path().join(&entry.file);
    let problems = || {
        let snapshot = victim.folder().open(&victim.manifest.name).unwrap();
        let found: Vec<_> = verify(&snapshot, &Progress::default()).problems.into_iter().map(|problem| problem.file).collect();
        assert_eq!(snapshot.people().is_err(), !found.is_empty());
        found
    };
    assert!(problems().is_empty());
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        for bytes in [&changed[..], &whole[..at]] {
            fs::write(&file, bytes).unwrap();
            assert_eq!(problems(), std::slice::from_ref(&entry.file), "byte {at}");
        }
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(problems(), std::slice::from_ref(&entry.file), "missing");
    fs::write(&file, &whole).unwrap();
    let elsewhere = "../elsewhere.people.sealed".to_owned();
    victim.forge(|manifest| manifest.people = Some(PeopleKept::Sealed(PeopleEntry { file: elsewhere.clone(), ..entry.clone() })));
    assert_eq!(problems(), [elsewhere]);
}

#[test]
fn every_flipped_bit_of_a_manifest_is_named() {
    let victim = Victim::new();
    let file = victim.manifest_file();
    let bytes = fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let refused = Manifest::parsed(&file, &flipped).expect_err("a flipped bit");
            assert_eq!(named_in(&refused), name_of(&file), "byte {at}, bit {bit}");
        }
    }
    for at in 0..bytes.len() {
        let refused = Manifest::parsed(&file, &bytes[..at]).expect_err("it is cut");
        assert_eq!(named_in(&refused), name_of(&file), "cut at {at}");
    }
    for more in [&b"\n"[..], b" ", b"{}", &[0]] {
        assert!(Manifest::parsed(&file, &[&bytes, more].concat()).is_err(), "{more:?} added");
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_segment_is_named() {
    let victim = Victim::new();
    let last = victim.segment(victim.manifest.segments.len() - 1);
    let bytes = fs::metadata(&last).unwrap().len();
    for at in 0..usize::try_from(bytes).unwrap() {
        let bits = if at < HEAD_BYTES { 0..8 } else { at % 8..at % 8 + 1 };
        for bit in bits {
            victim.assert_named(&last, &format!("byte {at}, bit {bit}"), |bytes| bytes[at] ^= 1 << bit);
        }
    }
    assert_eq!(victim.found(), Vec::<String>::new());
}

#[test]
fn a_segment_that_is_cut_or_longer_is_named() {
    let victim = Victim::new();
    let first = victim.segment(0);
    let bytes = usize::try_from(fs::metadata(&first).unwrap().len()).unwrap();
    for cut in [0, 1, 7, 8, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, bytes - 1] {
        victim.assert_named(&first, &format!("cut to {cut}"), |bytes| bytes.truncate(cut));
    }
    for more in [1, HEAD_BYTES, 10_000] {
        victim.assert_named(&first, &format!("{more} more"), |bytes| bytes.resize(bytes.len() + more, 0));
    }
    let other = fs::read(victim.segment(1)).unwrap();
    victim.assert_named(&first, "another segment after it", |bytes| bytes.extend(&other));
}

#[test]
fn swapped_and_missing_segments_are_named_with_their_positions() {
    let victim = Victim::new();
    let (first, second) = (victim.segment(0), victim.segment(1));
    let away = victim.place.path().join("away");
    for (from, to) in [(&first, &away), (&second, &first), (&away, &second)] {
        fs::rename(from, to).unwrap();
    }
    assert_eq!(victim.found(), [name_of(&first), name_of(&second)]);
    for (from, to) in [(&first, &away), (&second, &first), (&away, &second)] {
        fs::rename(from, to).unwrap();
    }
    fs::remove_file(&second).unwrap();
    let problems = verify(&victim.place.open(&victim.manifest), &Progress::default()).problems;
    let known = &victim.manifest.segments[1];
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].file.as_str(), problems[0].position), (known.file.as_str(), Some(known.first)));
    assert!(problems[0].reason.contains("missing"), "{problems:?}");
}

#[test]
fn a_forged_manifest_does_not_pass_and_leaves_nothing_behind() {
    let victim = Victim::new();
    let other = victim.manifest.segments[0].chain.clone();
    let forgeries: [(&str, Forgery<'_>); 10] = [
        ("another chain", Box::new(|manifest| manifest.chain = other.clone())),
        ("an earlier end", Box::new(|manifest| manifest.position = Position(3))),
        ("no end", Box::new(|manifest| manifest.position = Position(u64::MAX))),
        ("a segment less", Box::new(|manifest| drop(manifest.segments.pop()))),
        ("no segments", Box::new(|manifest| manifest.segments.clear())),
        ("segments in another order", Box::new(|manifest| manifest.segments.swap(0, 1))),
        ("a segment twice", Box::new(|manifest| manifest.segments.insert(0, manifest.segments[0].clone()))),
        ("a segment without end", Box::new(|manifest| manifest.segments[0].last = Position(u64::MAX))),
        ("a way out", Box::new(|manifest| manifest.segments[0].file = "../secret".into())),
        ("another file's hash", Box::new(|manifest| manifest.segments[0].blake3 = manifest.segments[1].blake3.clone())),
    ];
    for (what, change) in forgeries {
        let forged = victim.forge(change);
        let snapshot = victim.place.open(&forged);
        assert!(!verify(&snapshot, &Progress::default()).is_well(), "{what}");
        let refused = stage(&snapshot, None, LogOptions::new(victim.place.path().join("new")), &Progress::default());
        let refused = refused.map(drop).unwrap_err();
        assert_eq!(refused.code(), "snapshot_damaged", "{what}: {refused}");
        assert!(!victim.place.path().join("new").exists() && !victim.place.path().join("new.building").exists(), "{what}");
    }
}

#[test]
fn a_forged_digest_is_found_by_the_replay_and_an_unbelievable_size_by_the_disk() {
    let victim = Victim::new();
    let options = || LogOptions::new(victim.place.path().join("new"));
    let refusal = |forged: &Manifest| stage(&victim.place.open(forged), None, options(), &Progress::default()).map(drop).unwrap_err();
    let forged = victim.forge(|manifest| {
        let digests = &mut manifest.views.as_mut().unwrap().digests;
        digests.values_mut().for_each(|digest| *digest = "0".repeat(64));
    });
    assert_eq!(refusal(&forged).code(), "digests_differ");
    fs::remove_dir_all(victim.place.path().join("new")).unwrap();
    // Links take no room; a snapshot of an older format must be copied.
    let forged = victim.forge(|manifest| (manifest.format, manifest.bytes) = (2, u64::MAX));
    assert_eq!(refusal(&forged).code(), "no_disk_space");
}
