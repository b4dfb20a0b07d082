//! Accounts in snapshots: sealed with the admin's key or left out with a notice, restored on a new machine and nowhere else.

use std::{fs, path::Path};

use aisled::failpoint::VARIABLE;
use serde_json::{Value, json};

use crate::{
    admin::{add, done, furnish, items, restore, run, snapshot},
    support::{Exited, TestApp, process},
};

const KEY: &str = "a key that the admin keeps";
const NO_KEY: &str = "accounts are not in this snapshot: set backup_key";
const QUIET: &[&str] = &["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0", "--durability", "flush"];

/// A server with a list and an account.
fn peopled(environment: &[(&str, &str)]) -> TestApp {
    let app = TestApp::start_in(QUIET, environment);
    furnish(&app);
    app.post("/api/v1/users", &json!({ "login": "ann", "name": "Ann", "password": "correct horse" })).ok();
    app
}

/// A server with the key, and a snapshot of it.
fn sealed() -> (TestApp, Value) {
    let app = peopled(&[("AISLED_BACKUP_KEY", KEY)]);
    let manifest = snapshot(&app);
    (app, manifest)
}

fn name(manifest: &Value) -> &str {
    manifest["name"].as_str().unwrap()
}

fn sign_in(app: &TestApp) -> u16 {
    app.post("/api/v1/session", &json!({ "login": "ann", "password": "correct horse" })).status
}

/// A new machine: the snapshots copied there by hand, as any backup would, and nothing else.
struct Machine(tempfile::TempDir);

impl Machine {
    fn with_snapshots_of(app: &TestApp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for part in ["", "segments"] {
            let (from, to) = (app.snapshots().join(part), folder.path().join("snapshots").join(part));
            fs::create_dir_all(&to).unwrap();
            let files = fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
            files.for_each(|file| _ = fs::copy(&file, to.join(file.file_name().unwrap())).unwrap());
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, words: &[&str], environment: &[(&str, &str)]) -> Exited {
        let mut command = process::binary();
        command.args(words).current_dir(self.path()).envs(environment.iter().copied()).stdin(std::process::Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Exited { code: output.status.code(), signal: None, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    fn dry_run(&self, manifest: &Value, key: Option<&str>) -> Exited {
        self.run(&["restore", "--snapshot", name(manifest)], &key_of(key))
    }

    fn restore(&self, manifest: &Value, key: Option<&str>, more: &[(&str, &str)]) -> Exited {
        let plan = self.dry_run(manifest, None).ok().summary();
        let words = ["restore", "--snapshot", name(manifest), "--confirm", plan["confirm"].as_str().unwrap()];
        self.run(&words, &[&key_of(key)[..], more].concat())
    }

    fn users(&self) -> Vec<Value> {
        self.run(&["user", "list", "--json"], &[]).ok().summary()["users"].as_array().unwrap().clone()
    }

    fn serve(&self) -> TestApp {
        TestApp::start_on(self.path(), QUIET, &[]).unwrap()
    }
}

fn key_of(key: Option<&str>) -> Vec<(&str, &str)> {
    key.map(|key| ("AISLED_BACKUP_KEY", key)).into_iter().collect()
}

#[test]
fn a_new_machine_gets_the_accounts_with_the_key_and_the_old_password_signs_in() {
    let (app, manifest) = sealed();
    let file = manifest["people"]["sealed"]["file"].as_str().unwrap();
    assert_eq!(file, format!("{}.people.sealed", name(&manifest)));
    let machine = Machine::with_snapshots_of(&app);
    let verified = machine.run(&["snapshot", "verify", name(&manifest)], &[]).ok().summary();
    assert_eq!((&verified["ok"], &verified["files"]), (&json!(true), &json!(3)), "manifest, segment and accounts");
    let dry = machine.dry_run(&manifest, Some(KEY)).ok();
    assert!(dry.stderr.contains("the accounts of the snapshot are restored as well"), "{dry:?}");
    assert_eq!(machine.users(), Vec::<Value>::new(), "a dry run restores nothing");
    let restored = machine.restore(&manifest, Some(KEY), &[]).ok();
    assert!(restored.stderr.contains("the accounts of the snapshot are restored as well"), "{restored:?}");
    let other = machine.serve();
    assert_eq!((items(&other), sign_in(&other)), (vec!["milk".to_owned()], sign_in(&app)));
    assert!(sign_in(&other) < 300);
}

#[test]
fn without_a_key_accounts_are_left_out_and_everybody_is_told() {
    let mut app = peopled(&[]);
    let manifest = snapshot(&app);
    assert_eq!(manifest["people"], json!({ "left_out": NO_KEY }), "the operation's result, which is the manifest");
    assert_eq!(app.server().stderr().matches(NO_KEY).count(), 1, "the log says it once");
    let told = |words: &[&str]| app.run(&[words, &["--snapshots", app.snapshots().to_str().unwrap()]].concat()).ok();
    let served = told(&["snapshot", "create", "--url", app.server().url()]);
    assert_eq!((served.stderr.matches(NO_KEY).count(), &served.summary()["people"]["left_out"]), (1, &json!(NO_KEY)));
    app.stop();
    let snapshots = app.snapshots();
    let alone = app.run(&["snapshot", "create", "--snapshots", snapshots.to_str().unwrap()]).ok();
    assert_eq!((alone.stderr.matches(NO_KEY).count(), &alone.summary()["people"]["left_out"]), (1, &json!(NO_KEY)));
    let machine = Machine::with_snapshots_of(&app);
    let restored = machine.restore(&manifest, Some(KEY), &[]).ok();
    assert!(restored.stderr.contains("accounts are not in this snapshot"), "{restored:?}");
    assert_eq!(machine.users(), Vec::<Value>::new());
}

#[test]
fn a_snapshot_at_the_terminal_seals_the_accounts_too_and_a_restore_without_the_key_leaves_them_out() {
    let mut app = peopled(&[]);
    app.stop();
    let machine = Machine(tempfile::tempdir().unwrap());
    let (data, snapshots) = (app.data().to_str().unwrap(), machine.path().join("snapshots").display().to_string());
    let made = machine.run(&["snapshot", "create", "--data", data, "--snapshots", &snapshots], &key_of(Some(KEY))).ok();
    assert!(!made.stderr.contains(NO_KEY), "{made:?}");
    let manifest = made.summary();
    let restored = machine.restore(&manifest, None, &[]).ok();
    assert!(restored.stderr.contains("the accounts in this snapshot are not restored: set backup_key"), "{restored:?}");
    assert_eq!(machine.users(), Vec::<Value>::new());
    let sealed = machine.path().join("snapshots").join(manifest["people"]["sealed"]["file"].as_str().unwrap()).display().to_string();
    let later = |key| machine.run(&["user", "restore-backup", &sealed], &key_of(key));
    for (key, code) in [(None, "backup_key_missing"), (Some("another key of the admin"), "backup_sealed")] {
        let refused = later(key);
        assert!(refused.code == Some(1) && refused.stderr.contains(code), "{refused:?}");
    }
    assert_eq!(later(Some(KEY)).ok().summary(), json!({ "accounts": 1 }));
    assert!(later(Some(KEY)).stderr.contains("people_not_empty"));
    assert!(sign_in(&machine.serve()) < 300);
}

#[test]
fn a_wrong_key_is_refused_before_anything_is_changed() {
    let (app, manifest) = sealed();
    let machine = Machine::with_snapshots_of(&app);
    let wrong = Some("another key of the admin");
    let dry = machine.dry_run(&manifest, wrong);
    assert_eq!((dry.code, dry.summary()["problems"].as_array().map(Vec::len)), (Some(1), Some(1)), "{dry:?}");
    let refused = machine.restore(&manifest, wrong, &[]);
    assert!(refused.code == Some(1) && refused.stderr.contains("backup_key is not the one that sealed them"), "{refused:?}");
    assert!(!machine.path().join("data/histories").exists() && machine.users().is_empty());
    machine.restore(&manifest, Some(KEY), &[]).ok();
    assert_eq!(machine.users().len(), 1);
}

#[test]
fn a_flipped_byte_or_a_missing_file_is_named_and_nothing_is_restored() {
    let (app, manifest) = sealed();
    let file = app.snapshots().join(manifest["people"]["sealed"]["file"].as_str().unwrap());
    let whole = fs::read(&file).unwrap();
    let verify = format!("/api/v1/admin/snapshots/{}/verify", name(&manifest));
    for at in [0, 30, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&file, flipped).unwrap();
        let problems = done(&run(&app, &verify, &json!({})))["problems"].clone();
        assert_eq!(problems[0]["file"], manifest["people"]["sealed"]["file"], "{problems}");
    }
    let tried = done(&run(&app, "/api/v1/admin/self-restore", &json!({}))).clone();
    assert_eq!(tried["ok"], false, "{tried}");
    let dry = Machine::with_snapshots_of(&app).dry_run(&manifest, Some(KEY));
    assert_eq!((dry.code, dry.summary()["problems"].as_array().map(Vec::len)), (Some(1), Some(1)), "{dry:?}");
    fs::remove_file(&file).unwrap();
    assert_eq!(done(&run(&app, &verify, &json!({})))["problems"][0]["reason"], "it is missing");
    fs::write(&file, whole).unwrap();
    assert_eq!(done(&run(&app, "/api/v1/admin/self-restore", &json!({})))["ok"], true);
}

#[test]
fn a_self_restore_with_another_key_says_so() {
    let (mut app, _) = sealed();
    app.stop();
    app.restart_in(&[("AISLED_BACKUP_KEY", "another key of the admin")]);
    let tried = done(&run(&app, "/api/v1/admin/self-restore", &json!({}))).clone();
    assert_eq!(tried["ok"], false);
    assert!(tried["reason"].as_str().unwrap().contains("backup_key"), "{tried}");
}

#[test]
fn a_restore_in_place_brings_back_no_session_and_no_disabled_account() {
    let (mut app, manifest) = sealed();
    add(&app, "bread").ok();
    app.patch("/api/v1/users/ann", &json!({ "disabled": true })).ok();
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    assert_eq!((items(&app), sign_in(&app)), (vec!["milk".to_owned()], 401));
    app.stop();
    let snapshots = app.snapshots();
    let words = ["restore", "--snapshot", name(&manifest), "--snapshots", snapshots.to_str().unwrap()];
    let dry = app.run(&words).ok();
    assert!(dry.stderr.contains("the accounts of this folder stay as they are"), "{dry:?}");
    app.run(&[&words[..], &["--confirm", dry.summary()["confirm"].as_str().unwrap()]].concat()).ok();
    app.restart();
    assert_eq!(sign_in(&app), 401);
}

#[test]
fn a_crash_of_a_restore_leaves_both_history_and_accounts_or_neither() {
    let (app, manifest) = sealed();
    for (place, both) in [("accounts.staged", false), ("accounts.switched", true)] {
        let machine = Machine::with_snapshots_of(&app);
        let died = machine.restore(&manifest, Some(KEY), &[(VARIABLE, place)]);
        assert_eq!(died.code, None, "{place}: {died:?}");
        assert_eq!(machine.users().len(), usize::from(both), "{place}");
        if !both {
            machine.restore(&manifest, Some(KEY), &[]).ok();
        }
        let other = machine.serve();
        assert!(items(&other) == ["milk"] && sign_in(&other) < 300, "{place}");
    }
}

#[test]
fn a_deleted_snapshot_takes_its_accounts_with_it_and_leaves_the_others() {
    let (app, first) = sealed();
    let second = snapshot(&app);
    let file = |manifest: &Value| app.snapshots().join(manifest["people"]["sealed"]["file"].as_str().unwrap());
    app.delete(&format!("/api/v1/admin/snapshots/{}", name(&first))).expect(204);
    assert!(!file(&first).exists() && file(&second).exists());
}
