//! Holds the import rules: what each folder may know of, read from the source itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What the pure folders must not name: clocks, randomness, async, I/O, actors.
const IMPURE: &[&str] = &[
    "actix",
    "tokio::",
    "std::fs",
    "std::io",
    "std::net",
    "std::thread",
    "std::time",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Uuid::now",
    "Uuid::new_v",
    "async fn",
    "async move",
    ".await",
    "crate::events::sled_log",
    "crate::http",
    "crate::actors",
    "crate::app",
];

#[test]
fn the_domain_is_pure() {
    refuse_in("src/domain", &[IMPURE, &["crate::projections", "crate::events"]].concat());
}

#[test]
fn the_projections_are_pure() {
    refuse_in("src/projections", IMPURE);
}

#[test]
fn events_know_nothing_of_those_who_read_them() {
    refuse_in("src/events", &["crate::actors", "crate::projections", "crate::http", "crate::app", "actix"]);
}

#[test]
fn actors_know_nothing_of_http() {
    refuse_in("src/actors", &["crate::http", "actix_web"]);
}

#[test]
fn only_one_file_imports_each_contained_crate() {
    for name in ["sled", "bincode", "actix_web_actors"] {
        let (use_line, path) = (format!("use {name}"), format!("{name}::"));
        let users: Vec<_> =
            sources("src").into_iter().filter(|file| code_lines(file).iter().any(|line| names(line, &use_line, &path))).collect();
        assert!(users.len() <= 1, "{name} is imported by more than one file: {users:?}");
    }
}

/// Whether the line names the crate itself, not a module or type whose name merely ends like it.
fn names(line: &str, use_line: &str, path: &str) -> bool {
    line.trim_start().starts_with(use_line)
        || line
            .match_indices(path)
            .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':'))
}

fn refuse_in(folder: &str, words: &[&str]) {
    for file in sources(folder) {
        for line in code_lines(&file) {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                panic!("{} must not name {word:?}: {}", file.display(), line.trim());
            }
        }
    }
}

/// The lines before the file's tests, without comments.
fn code_lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    files
}
