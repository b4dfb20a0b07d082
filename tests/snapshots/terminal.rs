//! What an untrained admin types, as docs/operations.md has it: one list brought back, a damaged log repaired from snapshots, a restore on
//! another folder.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    admin::{add, done, furnish, furnished, items, run, snapshot},
    support::{
        Exited, TestApp,
        log_files::{SMALL_JOURNALS, replace, segments},
        process, wait_for,
    },
};

/// A command with this server's snapshots.
fn aisled(app: &TestApp, words: &[&str]) -> Exited {
    let snapshots = app.snapshots().display().to_string();
    let words: Vec<String> = words.iter().chain(&["--snapshots", &snapshots]).map(|&word| word.to_owned()).collect();
    process::run(&words)
}

/// The last line that a dry run prints, split.
fn line_of(dry: &Exited) -> Vec<String> {
    let line = dry.stderr.lines().last().filter(|line| line.trim().starts_with("aisled restore")).unwrap_or_else(|| panic!("{dry:?}"));
    line.split_whitespace().skip(1).map(str::to_owned).collect()
}

/// Copies the files of a folder, as any backup would.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let files = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.for_each(|file| _ = fs::copy(&file, to.join(file.file_name().unwrap())).unwrap());
}

/// Runs that line unchanged: it names the folders of the dry run.
fn follow(dry: &Exited) -> Exited {
    process::run(&line_of(dry))
}

#[test]
fn one_list_is_brought_back_by_the_line_that_the_preview_printed() {
    let app = furnished();
    let position = add(&app, "bread").ok().body["position"].as_str().unwrap().to_owned();
    for item in ["milk", "bread"] {
        app.delete(&format!("/api/v1/lists/weekly/items/{item}")).ok();
    }
    let url = app.server().url().to_owned();
    let dry = aisled(&app, &["restore", "--list", "weekly", "--at", &position, "--url", &url]);
    assert_eq!((dry.code, items(&app)), (Some(0), Vec::new()), "a preview changes nothing: {dry:?}");
    assert!(dry.stderr.contains("“bread” comes back"), "{dry:?}");
    let refused = aisled(&app, &["restore", "--list", "weekly", "--at", &position, "--confirm", "no", "--url", &url]);
    assert_eq!((refused.code, items(&app)), (Some(1), Vec::new()), "{refused:?}");
    assert_eq!(follow(&dry).code, Some(0));
    assert_eq!(items(&app), ["milk", "bread"]);
}

#[test]
fn a_list_comes_back_from_a_snapshot_also_where_it_never_was() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let name = manifest["name"].as_str().unwrap();
    let preview = json!({ "stream": "list/weekly", "snapshot": name, "preview": true });
    let told = app.post("/api/v1/admin/restore/stream", &preview).ok().body;
    assert_eq!((&told["changes"]["removed"][0]["name"], items(&app).len()), (&json!("bread"), 2), "{told}");
    app.post("/api/v1/admin/restore/stream", &json!({ "stream": "list/weekly", "snapshot": name })).ok();
    assert_eq!(items(&app), ["milk"]);
    let other = TestApp::start_with(&["--self-restore-every-minutes", "0"]);
    copy(&app.snapshots(), &other.snapshots());
    copy(&app.snapshots().join("segments"), &other.snapshots().join("segments"));
    other.post("/api/v1/admin/restore/stream", &json!({ "stream": "list/weekly", "snapshot": name })).ok();
    assert_eq!(items(&other), ["milk"]);
    let refused = |body: Value| app.post("/api/v1/admin/restore/stream", &body).body["code"].as_str().unwrap().to_owned();
    assert_eq!(refused(json!({ "stream": "product/milk", "snapshot": name })), "stream_not_restorable");
    assert_eq!(refused(json!({ "stream": "list/none", "snapshot": name })), "stream_not_in_snapshot");
    assert_eq!(refused(json!({ "stream": "list/weekly", "snapshot": "none" })), "snapshot_not_found");
    assert_eq!(refused(json!({ "stream": "list/weekly", "snapshot": name, "at": "999" })), "position_beyond_snapshot");
}

#[test]
fn a_start_takes_from_snapshots_what_the_log_has_lost() {
    let mut app = with_segments();
    snapshot(&app);
    add(&app, "last").ok();
    let before = items(&app).len();
    assert_eq!(app.stop(), Some(0));
    let segments = segments(app.data());
    fs::remove_file(&segments[0]).unwrap();
    let bytes = fs::read(&segments[1]).unwrap();
    replace(&segments[1], &bytes[..bytes.len() / 2]);
    // Without the snapshots the log is refused.
    let alone = app.run(&["verify"]);
    assert_eq!(alone.code, Some(1), "{alone:?}");
    for word in ["position 1", "is missing", "aisled restore"] {
        assert!(alone.said().contains(word), "{word}: {alone:?}");
    }
    app.restart();
    assert!(app.server().stderr().contains("repaired the log from a copy"), "{}", app.server().stderr());
    assert_eq!(items(&app).len(), before, "also what came after the snapshot");
    assert_eq!(app.stop(), Some(0));
    assert_eq!(app.run(&["verify"]).code, Some(0));
}

#[test]
fn a_snapshot_is_restored_into_another_folder_without_a_server() {
    let app = furnished();
    let manifest = snapshot(&app);
    let other = app.data().with_file_name("other").display().to_string();
    let dry = aisled(&app, &["restore", "--snapshot", manifest["name"].as_str().unwrap(), "--data", &other]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(dry.stderr.contains("The folder is empty."), "{dry:?}");
    assert_eq!(follow(&dry).code, Some(0));
    let verified = process::run(&["verify", "--data", &other].map(str::to_owned));
    assert_eq!((verified.code, &verified.summary()["ok"]), (Some(0), &json!(true)), "{verified:?}");
    assert_eq!(done(&run(&app, "/api/v1/admin/self-restore", &json!({})))["ok"], true);
}

#[test]
fn a_start_takes_nothing_of_a_history_that_was_left() {
    let mut app = with_segments();
    let first = snapshot(&app);
    add_until_sealed(&app, "left");
    snapshot(&app);
    done(&crate::admin::restore(&app, &json!({ "snapshot": first["name"] })));
    let served = crate::admin::histories(&app).remove(0).join("log/segments");
    // The end of the first snapshot: in the history that was left a longer segment begins there.
    let end = files_in(&served).pop().unwrap();
    let copy = app.snapshots().join("segments").join(end.file_name().unwrap());
    let bytes = fs::read(&copy).unwrap();
    add_until_more_segments(&app, &served, "kept");
    let before = items(&app);
    assert_eq!(app.stop(), Some(0));
    replace(&end, &bytes[..bytes.len() / 2]);
    replace(&copy, &bytes[..bytes.len() / 2]);
    let refused = app.try_restart().expect_err("no other history goes on for this one");
    assert!(refused.stderr.contains("position") && refused.stderr.contains("aisled restore"), "{refused:?}");
    replace(&copy, &bytes);
    app.restart();
    assert_eq!(items(&app), before);
}

/// A server with small journals and some segments.
fn with_segments() -> TestApp {
    let app = TestApp::start_in(&["--self-restore-every-minutes", "0"], &[SMALL_JOURNALS]);
    furnish(&app);
    (0..2).for_each(|round| add_until_sealed(&app, &format!("item-{round}")));
    app
}

/// Adds items until one more journal is a segment.
fn add_until_sealed(app: &TestApp, name: &str) {
    add_until_more_segments(app, &app.data().join("log/segments"), name);
}

fn add_until_more_segments(app: &TestApp, folder: &Path, name: &str) {
    let (before, mut number) = (files_in(folder).len(), 0);
    wait_for("a journal to be sealed", || {
        let added = add(app, &format!("{name}-{number}"));
        number += 1;
        assert!(added.status < 300 || added.code() == "list_full", "{}", added.text);
        (files_in(folder).len() > before).then_some(())
    });
}

fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

#[test]
fn a_time_at_which_another_history_was_served_is_told_before_anything_is_restored() {
    let app = furnished();
    let first = snapshot(&app);
    let left = add(&app, "left").ok().body["position"].as_str().unwrap().to_owned();
    let second = snapshot(&app);
    let before = left.parse::<u64>().unwrap() - 1;
    let left_at = app.get(&format!("/api/v1/events?after={before}&limit=1")).lines()[0]["at"].clone();
    done(&crate::admin::restore(&app, &json!({ "snapshot": first["name"] })));
    let plan = app.post("/api/v1/admin/restore", &json!({ "at": left_at })).ok().body;
    let note = plan["notes"][0].as_str().unwrap_or_default();
    assert!(note.contains("another history was served") && note.contains(second["name"].as_str().unwrap()), "{plan}");
}

#[test]
fn a_dry_run_of_a_damaged_snapshot_prints_no_line_to_run() {
    let app = furnished();
    let manifest = snapshot(&app);
    let name = manifest["name"].as_str().unwrap();
    let file = app.snapshots().join("segments").join(manifest["segments"][0]["file"].as_str().unwrap());
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let other = app.data().with_file_name("other").display().to_string();
    for place in [["--url", app.server().url()], ["--data", &other]] {
        let dry = aisled(&app, &["restore", "--snapshot", name, place[0], place[1]]);
        assert_eq!((dry.code, dry.summary()["problems"].as_array().map(Vec::len)), (Some(1), Some(1)), "{dry:?}");
        assert!(dry.stderr.contains("The restore would be refused") && !dry.stderr.contains("aisled restore --snapshot"), "{dry:?}");
    }
}

#[test]
fn a_folder_that_a_server_has_open_says_what_to_do() {
    let app = furnished();
    for words in [&["snapshot", "create"][..], &["restore", "--at", "1"], &["events"], &["replay", "--compare"], &["debug", "list/weekly"]]
    {
        let refused = app.run(words);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("stop that server, or use it with --url http://"), "{refused:?}");
    }
}

#[test]
fn snapshots_are_listed_as_they_were_made_and_one_made_for_a_restore_is_not_kept_for_ever() {
    let app = furnished();
    add(&app, "bread").ok();
    let dry = aisled(&app, &["restore", "--at", "2", "--url", app.server().url()]);
    assert_eq!(follow(&dry).code, Some(0), "{dry:?}");
    let by_hand = snapshot(&app);
    let listed = app.get("/api/v1/admin/snapshots").ok().body["snapshots"].take();
    assert_eq!((&listed[0]["scheduled"], &listed[1]["scheduled"]), (&json!(true), &json!(false)), "{listed}");
    assert_eq!(listed[1]["name"], by_hand["name"], "the newest is last, though it may hold fewer events");
}

#[test]
fn a_deletion_at_the_terminal_is_recorded_where_there_is_a_log_and_left_to_the_server_where_one_runs() {
    let mut app = furnished();
    let names = [(); 3].map(|()| {
        add(&app, &uuid::Uuid::now_v7().to_string()).ok();
        snapshot(&app)["name"].as_str().unwrap().to_owned()
    });
    let data = app.data().display().to_string();
    let refused = aisled(&app, &["snapshot", "delete", &names[0], "--data", &data]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--url"), "{refused:?}");
    assert_eq!(app.stop(), Some(0));
    assert_eq!(aisled(&app, &["snapshot", "delete", &names[0], "--data", &data]).ok().summary()["deleted"], json!(names[0]));
    let elsewhere = app.data().with_file_name("nowhere").display().to_string();
    aisled(&app, &["snapshot", "delete", &names[1], "--data", &elsewhere]).ok();
    assert!(!Path::new(&elsewhere).exists(), "no log is made for it");
    assert_eq!(aisled(&app, &["snapshot", "prune", "--data", &data]).ok().summary()["removed"], json!([]));
    app.restart();
    assert_eq!(app.get(&format!("/api/v1/admin/snapshots/{}", names[2])).ok().body["name"], json!(names[2]));
    let actions = app.get("/api/v1/events?stream=system/admin").ok().lines();
    let deleted: Vec<_> = actions.iter().filter(|action| action["type"] == "system.snapshot_deleted").collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    assert_eq!((&deleted[0]["data"]["snapshot"], &deleted[0]["who"]), (&json!(names[0]), &json!("admin")));
}
