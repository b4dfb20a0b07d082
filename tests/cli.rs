//! The binary from outside, without a server: settings, refusals, exit codes, and commands on a folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// The binary in a folder of its own, with nothing of the caller's environment.
fn aisled(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("aisled").unwrap();
    let ours = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("AISLED_"));
    for name in ours {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments);
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The JSON line a command ends with.
fn summary(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn config_names_the_source_of_each_value_and_hides_the_token() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "aisled.toml", "workers = 3\n");
    let mut command = aisled(folder.path(), &["config", "--json", "--sessions-max", "5"]);
    let (code, stdout, _) = run(command.env("AISLED_ADMIN_TOKEN", "a-token-nobody-sees"));
    assert_eq!(code, Some(0));
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&shown["workers"]["value"], &shown["sessions_max"]["value"]), (&3.into(), &5.into()));
    assert!(shown["workers"]["source"].as_str().unwrap().contains("aisled.toml"));
    assert_eq!(shown["sessions_max"]["source"], "flag --sessions-max");
    assert_eq!(shown["admin_token"]["source"], "environment AISLED_ADMIN_TOKEN");
    assert!(!stdout.contains("nobody-sees"));
}

#[test]
fn an_unknown_key_and_a_wrong_value_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "aisled.toml", "lissen = \"127.0.0.1:1\"\n");
    let (code, _, stderr) = run(&mut aisled(folder.path(), &["config"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("lissen"), "{stderr}");
    write(folder.path(), "aisled.toml", "sessions_max = 0\n");
    let (code, _, stderr) = run(&mut aisled(folder.path(), &["config"]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("sessions_max"), "{stderr}");
}

#[test]
fn three_wrong_settings_are_all_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "aisled.toml", "sessions_per_address_max = 0\nworkers = \"many\"\nlissen = \"127.0.0.1:1\"\n");
    for command in ["config", "serve", "verify"] {
        let (code, _, stderr) = run(&mut aisled(folder.path(), &[command]));
        assert_eq!(code, Some(2), "{stderr}");
        for part in ["sessions_per_address_max is 0", "from 1 to 1000000 sessions", "workers is \"many\"", "lissen is not a setting"] {
            assert!(stderr.contains(part), "{part} is missing in {stderr}");
        }
    }
}

#[test]
fn an_address_that_others_can_reach_needs_no_token_because_they_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(&mut aisled(folder.path(), &["config", "--listen", "0.0.0.0:0"]));
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn verify_and_replay_of_a_folder_without_a_log_fail() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stdout, _) = run(&mut aisled(folder.path(), &["verify", "--data", "none"]));
    assert_eq!((code, &summary(&stdout)["ok"]), (Some(1), &false.into()));
    let (code, _, stderr) = run(&mut aisled(folder.path(), &["replay", "--data", "none"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("none"), "{stderr}");
    assert!(!folder.path().join("none").exists(), "looking must not make a folder");
}

#[test]
fn the_demo_is_added_once_verifies_and_replays_to_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let on_data = |command: &str| run(&mut aisled(folder.path(), &[command, "--data", "data"]));
    let (code, stdout, stderr) = on_data("demo");
    assert_eq!(code, Some(0), "{stderr}");
    let events = summary(&stdout)["events_appended"].as_u64().unwrap();
    assert!(events > 1_900);
    let (_, stdout, _) = on_data("demo");
    assert_eq!(summary(&stdout)["events_appended"], 0);
    let (code, stdout, stderr) = on_data("verify");
    assert_eq!(code, Some(0), "{stderr}");
    let verified = summary(&stdout);
    assert_eq!((&verified["events"], &verified["ok"]), (&events.into(), &true.into()));
    let (code, stdout, _) = on_data("replay");
    assert_eq!((code, &summary(&stdout)["digests"]), (Some(0), &verified["digests"]));
}

#[test]
fn events_are_printed_filtered_and_limited() {
    let folder = tempfile::tempdir().unwrap();
    run(&mut aisled(folder.path(), &["demo", "--data", "data"]));
    let filter = ["events", "--data", "data", "--stream", "list/demo:weekly", "--type", "list.item_added", "--limit", "3"];
    let (code, stdout, stderr) = run(&mut aisled(folder.path(), &filter));
    assert_eq!(code, Some(0), "{stderr}");
    let events: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| event["stream"] == "list/demo:weekly" && event["type"] == "list.item_added"));
    let (code, _, stderr) = run(&mut aisled(folder.path(), &["events", "--data", "data", "--type", "list.item_aded"]));
    assert_eq!(code, Some(2), "{stderr}");
}
