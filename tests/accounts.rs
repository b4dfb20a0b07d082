//! People and tokens from the terminal: the same with and without a running server, and nothing secret where it does not belong.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{io::Write, os::unix::process::ExitStatusExt, path::Path, process::Stdio};

use aisled::people::{FOLDER, People};
use serde_json::{Value, json};
use support::{Exited, TestApp, process};

const PASSWORD: &str = "correct horse";

/// Runs a command with this on standard input, with more of its environment set.
fn typed_in(environment: &[(&str, &str)], words: &[&str], input: &str) -> Exited {
    let mut command = process::binary();
    command.args(words).envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that reads nothing closes it: then nothing is lost.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Exited { code: output.status.code(), signal: output.status.signal(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn typed(data: &Path, words: &[&str], input: &str) -> Exited {
    typed_in(&[("AISLED_DATA", data.to_str().unwrap())], words, input)
}

/// A running server that asks everybody to sign in.
fn strict() -> TestApp {
    TestApp::start_with(&["--require-sign-in", "--self-restore-every-minutes", "0", "--durability", "flush"])
}

/// A command, what is typed into it, and the code of its refusal; empty for none.
type Row = (&'static [&'static str], &'static str, &'static str);

const TABLE: &[Row] = &[
    (&["user", "list"], "", ""),
    (&["user", "disable", "ann"], "", "account_unknown"),
    (&["user", "add", "ann", "--name", "Ann", "--admin", "--password-stdin"], PASSWORD, ""),
    (&["user", "add", "Ben@example.org", "--password-stdin"], PASSWORD, ""),
    (&["user", "add", "ann", "--password-stdin"], PASSWORD, "principal_taken"),
    (&["user", "add", "ann", "--who", "anna", "--password-stdin"], PASSWORD, "login_taken"),
    (&["user", "add", "dan", "--who", "local", "--password-stdin"], PASSWORD, "principal_taken"),
    (&["user", "add", "two words", "--password-stdin"], PASSWORD, "login_invalid"),
    (&["user", "add", "cleo", "--password-stdin"], "short", "password_too_short"),
    (&["user", "add", "cleo", "--password-stdin"], "password", "password_too_common"),
    (&["user", "add", "cleo", "--name", "", "--password-stdin"], PASSWORD, "name_invalid"),
    (&["user", "disable", "ann"], "", "last_admin"),
    (&["user", "disable", "ben@example.org"], "", ""),
    (&["token", "create", "--user", "ben-example.org", "--name", "script", "--scopes", "read"], "", "account_inactive"),
    (&["user", "enable", "BEN@example.org"], "", ""),
    (&["token", "create", "--user", "ben@example.org", "--name", "script", "--scopes", "read write", "--days", "30"], "", ""),
    (&["token", "create", "--user", "ann", "--name", "end", "--scopes", "admin", "--expires", "2099-01-01T00:00:00Z"], "", ""),
    (&["token", "create", "--user", "ann", "--name", "old", "--scopes", "read", "--expires", "2020-01-01T00:00:00Z"], "", "expiry_invalid"),
    (&["token", "create", "--user", "ann", "--name", "wings", "--scopes", "fly"], "", "scope_unknown"),
    (&["token", "create", "--user", "ann", "--name", "none", "--scopes", ""], "", "scopes_empty"),
    (&["token", "create", "--user", "nobody", "--name", "x", "--scopes", "read"], "", "account_unknown"),
    (&["token", "list", "--user", "ben-example.org"], "", ""),
    (&["token", "list", "--user", "ann", "--json"], "", ""),
    (&["token", "revoke", "--user", "ann", "0000000000000000"], "", "credential_not_found"),
    (&["token", "revoke", "--user", "ann", "../users"], "", "credential_not_found"),
    (&["token", "list", "--user", "local", "--json"], "", ""),
    (&["token", "create", "--user", "local", "--name", "backup", "--scopes", "admin"], "", ""),
    (&["user", "disable", "ann"], "", ""),
    (&["user", "reset-password", "ben@example.org", "--password-stdin"], "another horse\n", ""),
    (&["user", "reset-password", "nobody", "--password-stdin"], PASSWORD, "account_unknown"),
    (&["user", "reset-password", "ann"], "", ""),
    (&["user", "list", "--json"], "", ""),
    (&["user", "list"], "", ""),
];

#[test]
fn every_command_does_and_refuses_the_same_with_and_without_a_running_server() {
    let (app, folder) = (strict(), tempfile::tempdir().unwrap());
    for (words, input, code) in TABLE {
        let [served, alone] = [app.data(), &folder.path().join("data")].map(|data| typed(data, words, input));
        for ended in [&served, &alone] {
            assert_eq!(ended.code, Some(i32::from(!code.is_empty())), "{words:?}: {ended:?}");
            assert!(code.is_empty() || ended.stderr.contains(&format!("({code})")), "{words:?}: {ended:?}");
        }
        assert_eq!(masked(&served.stdout), masked(&alone.stdout), "{words:?}");
        assert_eq!(served.stderr, alone.stderr, "{words:?}");
    }
}

/// The words without what differs each time: ids, times, secrets. Blanks do not count: a time is shorter if it ends in zeros.
fn masked(stdout: &str) -> Vec<String> {
    let hidden = |word: &str| {
        let is_id = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = word.starts_with("20") && word.ends_with('Z');
        let is_secret = word.starts_with("aisled_t_") || word.len() == 20 && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_id || is_time || is_secret { "*".to_owned() } else { word.to_owned() }
    };
    stdout.lines().flat_map(|line| line.split([' ', '"']).filter(|word| !word.is_empty()).map(hidden).collect::<Vec<_>>()).collect()
}

#[test]
fn a_token_and_a_generated_password_made_without_a_server_open_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let added = typed(&data, &["user", "add", "gina"], "").ok().summary();
    let made = typed(&data, &["token", "create", "--user", "gina", "--name", "script", "--scopes", "read"], "").ok().summary();
    let again = typed(&data, &["user", "list", "--json"], "").ok();
    let (password, token) = (added["password"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(password.len(), 20);
    assert!(!again.said().contains(password), "it is shown once");
    let app = TestApp::start_on(folder.path(), &["--require-sign-in"], &[]).unwrap();
    app.post("/api/v1/session", &json!({ "login": "gina", "password": password })).ok();
    let signed = |token: &str| app.client().get_with("/api/v1/lists", &[("authorization", &format!("Bearer {token}"))]).status;
    assert_eq!(signed(token), 200);
    typed(&data, &["token", "revoke", "--user", "gina", made["id"].as_str().unwrap()], "").ok();
    assert_eq!(signed(token), 401);
}

#[test]
fn a_key_that_a_killed_server_left_is_passed_over_and_a_held_store_without_a_server_is_told() {
    let mut app = strict();
    typed(app.data(), &["user", "add", "ann", "--password-stdin"], PASSWORD).ok();
    app.kill();
    let listed = typed(app.data(), &["user", "list", "--json"], "").ok().summary();
    assert_eq!(listed["users"][0]["who"], "ann");
    let held = People::open(&app.data().join(FOLDER)).unwrap();
    let refused = typed(app.data(), &["user", "list"], "");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("people_locked") && refused.stderr.contains("no server answers"), "{refused:?}");
    drop(held);
    typed(app.data(), &["user", "list"], "").ok();
}

#[test]
fn looking_makes_no_folder_and_wrong_words_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("none");
    typed(&data, &["user", "list"], "").ok();
    assert_eq!(typed(&data, &["user", "disable", "ann"], "").code, Some(1));
    assert!(!data.exists());
    let both = ["token", "create", "--user", "a", "--name", "b", "--scopes", "read", "--days", "1", "--expires", "2099-01-01T00:00:00Z"];
    for words in [&["user", "add"][..], &["user", "add", "ann", "--who", "a b"], &["user", "add", "ann", "--password", "x"], &both] {
        assert_eq!(typed(&data, words, "").code, Some(2), "{words:?}");
    }
}

#[test]
fn commands_of_this_machine_reach_a_server_that_asks_everybody_to_sign_in() {
    let app = strict();
    let (url, data) = (app.server().url(), app.data().to_str().unwrap());
    let commands: [&[&str]; 4] = [
        &["events", "--url", url],
        &["snapshot", "create", "--url", url],
        &["snapshot", "list", "--url", url],
        &["user", "list", "--url", url],
    ];
    for words in commands {
        typed_in(&[("AISLED_DATA", data)], words, "").ok();
        let elsewhere = typed_in(&[("AISLED_DATA", "/nowhere")], words, "");
        assert_eq!(elsewhere.code, Some(1), "only who can read the folder: {elsewhere:?}");
        let by_token = typed_in(&[("AISLED_DATA", "/nowhere"), ("AISLED_ADMIN_TOKEN", "sixteen-letters-x")], words, "");
        assert_eq!(by_token.code, Some(1), "a wrong token: {by_token:?}");
    }
}

#[test]
fn nothing_secret_is_printed_or_logged() {
    let key = "a backup key nobody sees";
    let arguments = ["--require-sign-in", "--log-filter", "debug", "--snapshot-every-minutes", "0"];
    let mut app = TestApp::start_in(&arguments, &[("AISLED_BACKUP_KEY", key)]);
    let data = app.data().to_owned();
    let environment = [("AISLED_DATA", data.to_str().unwrap()), ("AISLED_BACKUP_KEY", key), ("AISLED_LOG_FILTER", "debug")];
    let run = |words: &[&str], input: &str| typed_in(&environment, words, input);
    let mut said = run(&["user", "add", "ann", "--password-stdin"], PASSWORD).ok().said();
    let made = run(&["token", "create", "--user", "ann", "--name", "x", "--scopes", "read"], "").ok();
    let generated = run(&["user", "reset-password", "ann"], "").ok();
    let secrets = [made.summary()["token"].clone(), generated.summary()["password"].clone()];
    said += &[made.stderr, generated.stderr].concat();
    app.post("/api/v1/session", &json!({ "login": "ann", "password": secrets[1] })).ok();
    let url = app.server().url().to_owned();
    for words in [&["user", "list", "--json"][..], &["token", "list", "--user", "ann"], &["config"], &["snapshot", "create", "--url", &url]]
    {
        said += &run(words, "").ok().said();
    }
    said += &app.stop_and_tell().said();
    said += &run(&["user", "add", "ann", "--password-stdin"], PASSWORD).said();
    assert!(said.contains("backup_key"), "the settings were printed");
    for secret in secrets.iter().filter_map(Value::as_str).chain([PASSWORD, key, "argon2id"]) {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
