//! Data folders of the first format, and what must be found in them: see `tests/fixtures/folders/README.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{TestApp, run_on};

/// A kept folder, unpacked where it may be changed.
pub struct OldFolder {
    folder: tempfile::TempDir,
    pub expected: Value,
}

impl OldFolder {
    /// Unpacks `v1-clean`, `v1-restored` or `v1-killed`.
    pub fn unpack(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let unpacked = Command::new("tar").arg("-xzf").arg(fixture(name, "tar.gz")).arg("-C").arg(folder.path()).status();
        assert!(unpacked.expect("tar runs").success());
        let text = fs::read(fixture(name, "json")).expect("what is in it is written down");
        Self { folder, expected: serde_json::from_slice(&text).expect("it is JSON") }
    }

    /// Where `data` and `snapshots` are.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the log of the history that is served.
    pub fn log(&self) -> PathBuf {
        let histories = fs::read_dir(self.data().join("histories")).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        histories.last().unwrap_or_else(|| self.data()).join("log")
    }
}

/// Every answer is the old server's.
#[track_caller]
pub fn check_answers(app: &TestApp, expected: &Value) {
    for (path, answer) in expected["answers"].as_object().expect("answers by path") {
        assert_eq!(without_marks(app.get(path).expect(200).body), as_now(path, answer), "{path}");
    }
}

/// The old server did not say which history a position belongs to.
pub fn without_marks(mut answer: Value) -> Value {
    match &mut answer {
        Value::String(text) => {
            if let Some((number, mark)) = text.split_once('~')
                && number.parse::<u64>().is_ok()
                && mark.len() == 8
            {
                *text = number.to_owned();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = without_marks(value.take())),
        Value::Object(fields) => fields.values_mut().for_each(|value| *value = without_marks(value.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    answer
}

/// An answer of the old server as it is given now: an `editor` of a household is called `adult`.
pub fn as_now(path: &str, answer: &Value) -> Value {
    let mut answer = answer.clone();
    if path.starts_with("/api/v1/households/") {
        for member in answer["members"].as_array_mut().into_iter().flatten().filter(|member| member["role"] == "editor") {
            member["role"] = "adult".into();
        }
    }
    answer
}

/// The events up to the old head are the same to the byte. No process may have the folder open.
#[track_caller]
pub fn check_export(data: &Path, expected: &Value) {
    let head = expected["head"].as_str().expect("a position");
    let exported = run_on(data, &["export", "--to", head]).ok();
    assert_eq!(blake3::hash(exported.stdout.as_bytes()).to_hex().as_str(), expected["export_blake3"], "the export up to {head}");
}

fn fixture(name: &str, kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/folders/{name}.{kind}"))
}
