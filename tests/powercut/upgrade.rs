//! Power cuts while a server of today opens a folder of the first format.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    admin::{answered, verify_snapshots},
    disk::unpack,
    machine::Machine,
    shopper::shop,
    support::{
        TestApp,
        old_folder::{as_now, without_marks},
        run_on,
    },
};

const FOLDERS: [&str; 3] = ["v1-clean", "v1-restored", "v1-killed"];

/// Puts an old folder on an empty disk, cuts one start or two, and finds all of it in the end.
pub fn cut_an_upgrade(machine: &mut Machine) {
    let name = FOLDERS[usize::try_from(machine.random.below(3)).expect("it is small")];
    let expected: Value = serde_json::from_slice(&fs::read(fixture(name, "json")).unwrap()).unwrap();
    let longest = longest(machine, name);
    lay_down(machine, name);
    for _ in 0..=machine.random.below(2) {
        let time = machine.moment(longest);
        crate::stages::cut_a_start_after(machine, time);
    }
    machine.boot();
    check_answers(machine.app(), &expected["answers"]);
    machine.known.commands.extend(shop(machine.app().client(), "upgraded", 3));
    verify_snapshots(machine.app());
    machine.end();
    check_export(machine, &expected);
    if !expected["left"].is_null() {
        go_back(machine, &expected["left"]);
    }
}

/// How long such a start takes without a cut, and a little more.
fn longest(machine: &mut Machine, name: &str) -> Duration {
    lay_down(machine, name);
    let took = machine.boot();
    machine.kill();
    took * 5 / 4
}

fn lay_down(machine: &mut Machine, name: &str) {
    machine.format();
    unpack(&fixture(name, "tar.gz"), &machine.disk.root());
    machine.disk.sync();
}

/// The history that the restore replaced is there as well.
fn go_back(machine: &mut Machine, left: &Value) {
    machine.boot();
    answered(machine.app().client(), "/api/v1/admin/restore/undo", &json!({}));
    check_answers(machine.app(), &left["answers"]);
    machine.end();
    check_export(machine, left);
}

fn check_answers(app: &TestApp, expected: &Value) {
    for (path, answer) in expected.as_object().expect("answers by path") {
        assert_eq!(without_marks(app.get(path).expect(200).body), as_now(path, answer), "{path}");
    }
}

/// The events up to the old head are the same to the byte.
fn check_export(machine: &Machine, expected: &Value) {
    let (data, head) = (machine.disk.root().join("data"), expected["head"].as_str().expect("a position"));
    let exported = run_on(&data, &["export", "--to", head]).ok().stdout;
    assert_eq!(blake3::hash(exported.as_bytes()).to_hex().as_str(), expected["export_blake3"], "the export up to {head}");
}

fn fixture(name: &str, kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/folders/{name}.{kind}"))
}
