//! The log as text and back: through the real binary, on real files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use support::{Exited, process, run_on};
use tempfile::TempDir;

/// A folder with the demo household's log in `data`.
struct Demo(TempDir);

impl Demo {
    fn new() -> Self {
        let demo = Self(tempfile::tempdir().unwrap());
        run_on(&demo.path("data"), &["demo"]).ok();
        demo
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn export(&self, data: &str, out: &str, more: &[&str]) -> Exited {
        run_on(&self.path(data), &[&["export", "--out", &self.text(out)], more].concat())
    }

    fn import(&self, file: &str, data: &str) -> Exited {
        run_on(&self.path(data), &["import-log", &self.text(file)])
    }

    fn lines(&self, file: &str) -> Vec<String> {
        fs::read_to_string(self.path(file)).unwrap().lines().map(str::to_owned).collect()
    }

    fn write(&self, file: &str, lines: &[String]) {
        fs::write(self.path(file), lines.join("\n") + "\n").unwrap();
    }

    /// Imports changed lines: refused with all of `words`, and no log is left.
    #[track_caller]
    fn assert_refused(&self, lines: &[String], words: &[&str]) {
        self.write("bad.ndjson", lines);
        let refused = self.import("bad.ndjson", "new");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        words.iter().for_each(|word| assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr));
        assert!(!self.path("new/log").exists(), "no log is left");
    }
}

#[test]
fn an_export_becomes_the_same_log_with_the_same_hashes_in_either_format() {
    let demo = Demo::new();
    let verified = run_on(&demo.path("data"), &["verify"]).ok().summary();
    for (number, (file, format)) in
        [("a.ndjson", "ndjson"), ("b.ndjson.zst", "ndjson"), ("c.jsonl.gz", "cloudevents")].into_iter().enumerate()
    {
        let exported = demo.export("data", file, &["--format", format]).ok().summary();
        let data = format!("new-{number}");
        let imported = demo.import(file, &data).ok().summary();
        assert_eq!(imported["chain"], exported["chain"]);
        assert_eq!(imported["last_position"], verified["last_position"]);
        let again = run_on(&demo.path(&data), &["verify"]).ok().summary();
        assert_eq!((&again["digests"], &again["ok"]), (&verified["digests"], &json!(true)));
        let copy = format!("again-{number}.ndjson");
        demo.export(&data, &copy, &[]).ok();
        assert_eq!(demo.lines(&copy), demo.lines("a.ndjson"), "its export is the same again");
    }
}

#[test]
fn cloud_events_name_history_stream_and_type() {
    let demo = Demo::new();
    let printed = run_on(&demo.path("data"), &["export", "--format", "cloudevents"]).ok().stdout;
    let file = fs::read_to_string(demo.path("data/epoch")).unwrap();
    let epoch = file.split_whitespace().next().unwrap();
    for (line, position) in printed.lines().zip(1..) {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&event["specversion"], &event["id"]), (&json!("1.0"), &json!(position.to_string())));
        assert_eq!(event["source"], format!("urn:aisled:{epoch}"));
        let kind = event["subject"].as_str().unwrap().split('/').next().unwrap();
        assert!(event["type"].as_str().unwrap().starts_with(&format!("aisled.{kind}.")), "{event}");
    }
}

#[test]
fn a_part_can_be_exported_and_a_range_that_is_none_is_refused() {
    let demo = Demo::new();
    demo.export("data", "part", &["--after", "3", "--to", "7"]).ok();
    let positions: Vec<_> =
        demo.lines("part").iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["position"].clone()).collect();
    assert_eq!(positions, ["4", "5", "6", "7"]);
    for range in [["--after", "5", "--to", "5"], ["--after", "0", "--to", "999999"]] {
        let refused = demo.export("data", "none", &range);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("position"), "{refused:?}");
        assert!(!demo.path("none").exists());
    }
    assert_eq!(demo.export("data", "part", &[]).code, Some(1), "nothing is overwritten");
}

#[test]
fn a_line_that_was_tampered_with_is_found_and_no_log_is_left() {
    let demo = Demo::new();
    demo.export("data", "a.ndjson", &[]).ok();
    let lines = demo.lines("a.ndjson");
    let tampered = |at: usize, change: &dyn Fn(&mut Value)| {
        let mut lines = lines.clone();
        let mut event: Value = serde_json::from_str(&lines[at]).unwrap();
        change(&mut event);
        lines[at] = event.to_string();
        lines
    };
    let fifth = |change: &dyn Fn(&mut Value)| tampered(4, change);
    demo.assert_refused(&fifth(&|event| event["who"] = json!("mallory")), &["position", "an event from here up to", "hash"]);
    demo.assert_refused(&fifth(&|event| event["version"] = json!(77)), &["position"]);
    demo.assert_refused(&fifth(&|event| event["position"] = json!("9")), &["position 9", "position 5 is next"]);
    demo.assert_refused(&fifth(&|event| event["shape"] = json!(2)), &["position 5", "shape 2"]);
    demo.assert_refused(&fifth(&|event| event["mood"] = json!("good")), &["position 5", "mood"]);
    let newer = fifth(&|event| *event = json!({"specversion": "2.0", "id": "5"}));
    demo.assert_refused(&newer, &["position 5", "specversion"]);
    demo.write("good.ndjson", &lines);
    demo.import("good.ndjson", "new").ok();
}

#[test]
fn a_cut_foreign_or_partial_file_is_refused() {
    let demo = Demo::new();
    demo.export("data", "a.ndjson", &[]).ok();
    let lines = demo.lines("a.ndjson");
    let chained = lines.iter().position(|line| line.contains("\"chain\"")).unwrap();
    demo.assert_refused(&lines[..3], &["cut", "position 3"]);
    if chained + 1 < lines.len() {
        demo.assert_refused(&lines[..=chained], &["cut"]);
    }
    let half = lines[0][..lines[0].len() / 2].to_owned();
    demo.assert_refused(&[half], &["line 1"]);
    demo.assert_refused(&lines[1..], &["position 2", "position 1"]);
    demo.assert_refused(&[&lines[..4], &lines[5..]].concat(), &["position 6", "position 5 is next"]);
    demo.assert_refused(&[&lines[..], &lines[..1]].concat(), &["position 1", "end mark"]);
    demo.assert_refused(&["\u{fffd}PNG".to_owned()], &["line 1", "not JSON"]);
    demo.assert_refused(&[String::new()], &["no event"]);
    fs::write(demo.path("cut.zst"), b"\x28\xb5\x2f\xfd junk").unwrap();
    assert_eq!(demo.import("cut.zst", "new").code, Some(1));
}

#[test]
fn only_a_new_or_empty_folder_takes_an_import() {
    let demo = Demo::new();
    demo.export("data", "a.ndjson", &[]).ok();
    let refused = demo.import("a.ndjson", "data");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("not empty"), "{refused:?}");
    fs::create_dir(demo.path("empty")).unwrap();
    demo.import("a.ndjson", "empty").ok();
}

#[test]
fn a_reader_that_has_seen_enough_ends_an_export_well() {
    let demo = Demo::new();
    let mut command = process::clean(std::process::Command::new("bash"));
    command.args(["-c", "\"$0\" export --data \"$1\" | head -n 1; exit ${PIPESTATUS[0]}", env!("CARGO_BIN_EXE_aisled")]);
    let output = command.arg(demo.path("data")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
