//! A segment that rots and of which no copy is whole: what needs its events is refused by position, all else continues.

use std::fs;

use serde_json::json;

use crate::{
    session::Session,
    support::{
        log_files::{change, forget_window, segments},
        wait_for,
    },
};

/// Enough for two segments and some more.
const ITEMS: usize = 220;
/// After the head of a segment and the header of its first block.
const PAYLOAD_AT: usize = 300;

#[test]
fn what_needs_a_rotten_segment_is_refused_by_position_and_all_else_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = Session::start_whole(folder.path());
    session.make_list().expect(201);
    assert_eq!(session.add_until_refused("item", ITEMS).map(|refused| refused.text), None);
    session.stop();
    let data = folder.path().join("data");
    let rotten = segments(&data).swap_remove(1);
    change(&rotten, |bytes| bytes[PAYLOAD_AT] ^= 4);
    forget_window(&data);
    let mut session = Session::start_whole(folder.path());
    let name = rotten.file_name().unwrap().to_str().unwrap();
    let first: u64 = name.split('-').next().unwrap().parse().unwrap();
    for path in [
        format!("/api/v1/events?after={}&limit=5", first - 1),
        "/api/v1/lists/weekly/timeline?limit=5".into(),
        format!("/api/v1/lists/weekly?at={}", first + 1),
    ] {
        let refused = session.client.get(&path);
        assert_eq!((refused.status, refused.code()), (500, "history_unreadable"), "{path}: {}", refused.text);
        assert!(refused.text.contains("position"), "{path}: {}", refused.text);
    }
    assert_eq!(session.client.get("/api/v1/events?limit=5").ok().text.lines().count(), 5);
    session.add("afterwards").expect(201);
    let ready = wait_for("the damage to be named", || {
        let ready = session.client.get("/readyz");
        let damaged = ready.body["log"]["verification"]["damaged"].to_string();
        damaged.contains(name).then_some(ready)
    });
    assert_eq!((ready.status, &ready.body["ready"]), (200, &json!(true)), "{}", ready.text);
    let snapshot = session.work("/api/v1/admin/snapshots", &json!({})).unwrap();
    assert_eq!(snapshot["state"], "failed", "a snapshot of it would be no way back: {snapshot}");
    assert!(snapshot["error"]["detail"].as_str().unwrap().contains(name), "{snapshot}");
}

#[test]
fn a_data_folder_without_its_log_is_refused_where_its_views_know_of_more() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::start_whole(folder.path());
    session.make_list().expect(201);
    session.stop();
    fs::remove_dir_all(folder.path().join("data/log")).unwrap();
    let refused = Session::start(folder.path(), "").err().expect("it does not start");
    assert!(refused.stderr.contains("the journal is missing") && refused.stderr.contains("--accept-lost-tail"), "{refused:?}");
}
