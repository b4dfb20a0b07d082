//! What breaks under a server: torn and damaged files, a full disk, a folder it may not write, a folder that is taken.
//! Each is a clear error, and nothing acknowledged is lost without a word.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use serde_json::json;
use support::{Answer, Exited, Server, TestApp, process, storage_file};

/// How every block of the log begins.
const BLOCK_MAGIC: &[u8] = b"aisB";
const ITEMS: usize = 60;
const ITEMS_PER_LIST: usize = 1_000;

#[test]
fn half_a_write_behind_the_last_block_is_cut_and_nothing_acknowledged_is_lost() {
    let mut app = app_with_items();
    app.kill();
    let mut file = OpenOptions::new().append(true).open(storage_file(app.data())).unwrap();
    file.write_all(BLOCK_MAGIC).unwrap();
    file.write_all(&[0x5A; 300]).unwrap();
    drop(file);
    app.restart();
    assert_items(&app);
    app.kill();
    assert_eq!(app.run(&["verify"]).code, Some(0));
}

#[test]
fn a_log_that_ends_before_what_was_acknowledged_is_not_taken_for_whole() {
    let mut app = app_with_items();
    app.kill();
    let path = storage_file(app.data());
    let bytes = fs::read(&path).unwrap();
    let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(written as u64 - 200).unwrap();
    assert_damage_is_named(&mut app);
}

#[test]
fn a_flipped_bit_is_found() {
    let mut app = app_with_items();
    app.kill();
    change_a_block(app.data(), |block| block[100] ^= 0x10);
    assert_damage_is_named(&mut app);
}

#[test]
fn a_missing_block_is_found() {
    let mut app = app_with_items();
    app.kill();
    change_a_block(app.data(), |block| block.fill(0));
    assert_damage_is_named(&mut app);
}

#[test]
fn a_full_disk_makes_the_server_read_only_and_loses_nothing() {
    let mut app = TestApp::start_with_files_of_at_most(4 << 20);
    let mut acknowledged = 0;
    let refused = loop {
        let answer = add_bulky_item(&app, acknowledged);
        if answer.status >= 300 {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 100_000, "the disk never fills");
    };
    assert_eq!(refused.status, 503, "{}", refused.text);
    let ready = app.get("/readyz");
    assert_eq!(ready.status, 503, "a server that cannot write is not ready: {}", ready.text);
    assert_eq!(ready.body["log"]["writable"], false, "{}", ready.text);
    app.get("/api/v1/lists/list-0").expect(200);
    app.kill();
    app.restart();
    let kept: usize = (0..=acknowledged / ITEMS_PER_LIST)
        .map(|list| app.get(&format!("/api/v1/lists/list-{list}")))
        .map(|list| list.body["items"].as_array().map_or(0, Vec::len))
        .sum();
    assert!((acknowledged..=acknowledged + 1).contains(&kept), "{acknowledged} items were acknowledged, {kept} are there");
}

#[test]
fn a_folder_that_may_not_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    let mut command = as_somebody_without_power(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let exited = expect_no_start(Server::start_command(command));
    assert!(exited.stderr.contains(data.to_str().unwrap()), "the folder is named: {exited:?}");
    assert!(exited.stderr.to_lowercase().contains("permission denied"), "{exited:?}");
}

#[test]
fn a_file_where_the_folder_should_be_is_a_clear_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let exited = expect_no_start(Server::start(file.path(), &[]));
    assert!(exited.stderr.contains(file.path().to_str().unwrap()), "the path is named: {exited:?}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let app = app_with_items();
    let second = expect_no_start(Server::start(app.data(), &[]));
    assert!(second.stderr.contains("in use"), "{second:?}");
    assert!(second.stderr.contains(&app.server().id().to_string()), "the process that has it is named: {second:?}");
    let verify = app.run(&["verify"]);
    assert_ne!(verify.code, Some(0), "verify needs the folder for itself");
    assert!(verify.stderr.contains("in use"), "{verify:?}");
    assert_items(&app);
}

fn app_with_items() -> TestApp {
    let app = TestApp::start();
    prepare(&app);
    for number in 0..ITEMS {
        app.post("/api/v1/lists/weekly/items", &json!({"id": format!("item-{number}"), "name": format!("Thing {number}")})).ok();
    }
    app
}

/// Adds an item that takes about a kilobyte on disk, on a new list now and then because a list holds so many only.
fn add_bulky_item(app: &TestApp, number: usize) -> Answer {
    let list = number / ITEMS_PER_LIST;
    if number.is_multiple_of(ITEMS_PER_LIST) {
        let made = app.post("/api/v1/lists", &json!({"id": format!("list-{list}"), "name": "Bulky"}));
        if made.status >= 300 {
            return made;
        }
    }
    let item = json!({"id": format!("item-{number}"), "name": format!("Thing {number}"), "note": noise(number)});
    app.post(&format!("/api/v1/lists/list-{list}/items"), &item)
}

fn prepare(app: &TestApp) {
    app.post("/api/v1/lists", &json!({"id": "weekly", "name": "Weekly"})).ok();
}

fn assert_items(app: &TestApp) {
    let list = app.get("/api/v1/lists/weekly").expect(200);
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(ITEMS), "every acknowledged item is there: {}", list.text);
}

/// Neither `verify` nor `serve` takes the log for whole, and both say where it is damaged.
fn assert_damage_is_named(app: &mut TestApp) {
    let verified = app.run(&["verify"]);
    assert!(verified.code.is_some_and(|code| code != 0), "verify fails: {verified:?}");
    assert!(verified.said().contains("position"), "verify names the position: {verified:?}");
    let refused = app.try_restart().expect_err("the server does not serve what is damaged");
    assert!(refused.code.is_some_and(|code| code != 0), "the exit code says that it failed: {refused:?}");
    assert!(refused.stderr.contains("position"), "the server names the position: {refused:?}");
}

/// Changes every copy that the storage holds of one block in the middle of the log.
fn change_a_block(data: &Path, change: impl Fn(&mut [u8])) {
    let path = storage_file(data);
    let mut bytes = fs::read(&path).unwrap();
    let starts: Vec<_> =
        bytes.windows(BLOCK_MAGIC.len()).enumerate().filter(|(_, window)| *window == BLOCK_MAGIC).map(|(at, _)| at).collect();
    let head = |at: usize| bytes[at..at + 32].to_vec();
    let chosen = head(starts[starts.len() / 2]);
    let copies: Vec<_> = starts.into_iter().filter(|at| head(*at) == chosen).collect();
    for at in copies {
        change(&mut bytes[at..at + 120]);
    }
    fs::write(&path, bytes).unwrap();
}

/// The binary, run by somebody whom file permissions stop: root must step down, and take the binary along.
fn as_somebody_without_power(folder: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    if fs::metadata(folder).unwrap().uid() != 0 {
        return process::binary();
    }
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join("aisled");
    fs::copy(env!("CARGO_BIN_EXE_aisled"), &copy).unwrap();
    let mut command = process::clean(Command::new(copy));
    command.uid(NOBODY).gid(NOBODY).current_dir(folder);
    command
}

fn expect_no_start(started: Result<Server, Exited>) -> Exited {
    match started {
        Ok(server) => panic!("the server at {} should not have started", server.url()),
        Err(exited) => {
            assert!(exited.code.is_some_and(|code| code != 0), "the exit code says that it failed: {exited:?}");
            exited
        }
    }
}

/// Text that hardly compresses, so that a small disk fills soon.
fn noise(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    (0..900)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
        })
        .collect()
}

#[test]
fn a_start_that_is_refused_leaves_every_file_as_it_was() {
    let mut app = TestApp::start();
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    for number in 0..20 {
        app.post("/api/v1/lists/weekly/items", &json!({ "name": format!("item {number}") })).ok();
    }
    app.kill();
    let raw = storage_file(app.data());
    let mut bytes = fs::read(&raw).unwrap();
    // Every copy that sled keeps of one block in the middle.
    let copies: Vec<_> = (0..bytes.len() - 80).filter(|&at| bytes[at..].starts_with(b"aisB") && bytes[at + 12] == 9).collect();
    assert!(!copies.is_empty(), "there is a block that starts at position 9");
    copies.iter().for_each(|at| bytes[at + 68] ^= 1);
    fs::write(&raw, &bytes).unwrap();
    let survey = |app: &TestApp| app.run(&["salvage", "--snapshots", "/nowhere"]).summary();
    let before = survey(&app);
    assert_eq!((&before["whole_to"], before["blocks_behind"].as_u64() > Some(5)), (&json!("8"), true), "{before}");
    let Err(refused) = app.try_restart() else { panic!("a log with a hole is served") };
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(app.run(&["verify"]).code, Some(1));
    assert!(fs::read(&raw).unwrap() == bytes, "the raw file is not touched");
    assert_eq!(survey(&app), before);
}
