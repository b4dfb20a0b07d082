//! Every kind of file next to the log, damaged in every way: rebuilt from what is whole, or refused with its name and the way out. None is
//! trusted, and what was served before is served afterwards.

mod place;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use self::place::{Place, answers, ended};
use crate::support::log_files::replace;

/// A file's damage; the second is the same file of another server. `None`: it is removed.
type Damage = fn(&[u8], &[u8]) -> Option<Vec<u8>>;

const DAMAGES: [(&str, Damage); 6] = [
    ("flipped", |whole, _| {
        let mut flipped = whole.to_vec();
        flipped[whole.len() / 2] ^= 4;
        Some(flipped)
    }),
    ("cut", |whole, _| Some(whole[..whole.len() / 2].to_vec())),
    ("zeroed", |whole, _| Some(vec![0; whole.len()])),
    ("removed", |_, _| None),
    ("doubled", |whole, _| Some([whole, whole].concat())),
    ("another server's", |_, other| Some(other.to_vec())),
];

/// Damages a file in every way, checks what the server does, and restores it.
fn walk(find: impl Fn(&Place) -> PathBuf, mut see: impl FnMut(&mut Place, &Path, &str)) {
    let (mut place, other) = (Place::prepare("apple"), Place::prepare("pear"));
    let (file, other) = (find(&place), fs::read(find(&other)).unwrap());
    for (name, damage) in DAMAGES {
        let whole = fs::read(&file).unwrap();
        match damage(&whole, &other) {
            Some(damaged) => replace(&file, &damaged),
            None => fs::remove_file(&file).unwrap(),
        }
        see(&mut place, &file, name);
        fs::write(&file, whole).unwrap();
    }
    place.serve("put back");
    place.app.kill();
    assert_eq!(place.app.run(&["verify"]).ok().summary()["ok"], true);
}

#[test]
fn which_history_is_served_is_never_guessed() {
    walk(
        |place| place.app.data().join("current"),
        |place, file, damage| {
            let refused = place.app.try_restart().expect_err("nobody knows which history to serve");
            for word in [file.to_str().unwrap(), "Write the id of the history to serve into it, one of: "] {
                assert!(refused.stderr.contains(word), "{damage}: {word}: {refused:?}");
            }
        },
    );
}

#[test]
fn a_damaged_name_of_the_history_is_replaced_and_nothing_is_lost() {
    walk(
        |place| place.history().join("epoch"),
        |place, file, damage| {
            place.serve(damage);
            place.end(file, damage);
        },
    );
}

#[test]
fn a_damaged_name_of_the_history_that_was_left_stops_only_its_undo() {
    walk(
        |place| place.history().join("left"),
        |place, file, damage| {
            place.serve(damage);
            let refused = ended(&place.app, "/api/v1/admin/restore/undo", &json!({}));
            let detail = refused["error"]["detail"].as_str().unwrap();
            let expected = if damage == "removed" { "there is no restore to undo" } else { file.to_str().unwrap() };
            assert!(detail.contains(expected), "{damage}: {refused}");
            assert_eq!(answers(&place.app), place.answers, "{damage}");
            place.end(Path::new(""), damage);
        },
    );
}

#[test]
fn damaged_views_are_made_anew_from_the_log() {
    walk(
        |place| place.history().join("checkpoints/views"),
        |place, file, damage| {
            place.serve(damage);
            place.end(file, damage);
        },
    );
}

#[test]
fn a_damaged_state_of_an_entity_is_made_anew_from_the_log() {
    walk(
        |place| memo(&place.history().join("checkpoints/entities")),
        |place, _, damage| {
            place.serve(damage);
            let again = place.app.post("/api/v1/lists/weekly/items", &json!({ "id": "kept", "name": "kept" }));
            assert_eq!((again.status, &again.body["outcome"]), (200, &json!("unchanged")), "{damage}: {}", again.text);
            place.end(Path::new(""), damage);
        },
    );
}

#[test]
fn a_damaged_manifest_is_named_and_not_restored() {
    walk(Place::manifest, |place, file, damage| {
        place.serve(damage);
        let refused = place.app.post("/api/v1/admin/restore", &json!({ "snapshot": place.name() }));
        let expected = if damage == "removed" { "snapshot_not_found" } else { file.file_name().unwrap().to_str().unwrap() };
        // Another server's manifest of the same second and position has the same name; then the files that it names are missing.
        let is_incomplete = refused.body["problems"].as_array().is_some_and(|problems| !problems.is_empty());
        assert!(is_incomplete || refused.status >= 400 && refused.text.contains(expected), "{damage}: {}", refused.text);
        place.end(Path::new(""), damage);
    });
}

#[test]
fn a_damaged_segment_of_a_snapshot_is_named_and_not_restored() {
    walk(Place::segment, |place, file, damage| {
        place.serve(damage);
        let plan = place.app.post("/api/v1/admin/restore", &json!({ "snapshot": place.name() })).expect(200).body;
        let request = json!({ "snapshot": place.name(), "confirm": plan["confirm"] });
        for told in [&plan["problems"], &ended(&place.app, "/api/v1/admin/restore", &request)["error"]] {
            assert!(told.to_string().contains(file.file_name().unwrap().to_str().unwrap()), "{damage}: {told}");
        }
        assert_eq!(answers(&place.app), place.answers, "{damage}");
        place.end(Path::new(""), damage);
    });
}

#[test]
fn a_damaged_result_of_a_self_restore_does_not_count() {
    walk(
        |place| place.app.snapshots().join(".self-restore.json"),
        |place, file, damage| {
            place.serve(damage);
            assert_eq!(place.app.get("/readyz").expect(200).body["self_restore"], Value::Null, "{damage}");
            place.end(file, damage);
        },
    );
}

#[test]
fn a_mark_of_a_half_built_history_does_not_remove_the_one_that_is_served() {
    let mut place = Place::prepare("apple");
    let mark = place.history().join("staged");
    fs::write(&mark, "").unwrap();
    place.serve("marked");
    place.app.kill();
    place.serve("marked");
}

/// The file of the list's state: the only one there is.
fn memo(folder: &Path) -> PathBuf {
    let entry = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    if entry.is_dir() { memo(&entry) } else { entry }
}
