//! Enforces the import rules: what each folder may use, read from the source itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod circles;
mod map;
mod source;

use std::path::Path;

use source::{Line, code, is_test, sources};

/// What the pure folders must not name: clocks, randomness, async, I/O, actors.
const IMPURE: &[&str] = &[
    "actix",
    "tokio::",
    "rand::",
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
    "crate::log",
    "crate::disk",
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
    refuse_in("src/events", &["crate::actors", "crate::projections", "crate::http", "crate::app", "crate::log", "actix"]);
}

/// What changes files or folders. A change that must last needs the syncs that `src/disk` does with it.
const CHANGES_OF_THE_DISK: &[&str] = &[
    "fs::write",
    "fs::rename",
    "fs::copy",
    "fs::hard_link",
    "fs::remove_",
    "fs::create_dir",
    "fs::set_permissions",
    "fs::symlink",
    "DirBuilder",
    "File::create",
    "File::options",
    "OpenOptions",
    ".set_len(",
];

/// Who changes files nevertheless, and why.
const CHANGE_FILES_THEMSELVES: &[(&str, &str)] = &[
    ("src/cli/output.rs", "an output file that the user named: what is half written is removed"),
    ("src/import/report.rs", "an output file that the user named"),
    ("src/exchange/files.rs", "an export to a file that the user named"),
    ("src/debug/bundle/file.rs", "a bundle in a file that the user named"),
    ("src/log/folder.rs", "the process id in the lock file, for people: it means nothing after the process"),
];

#[test]
fn only_the_disk_changes_files() {
    let mut faults = Vec::new();
    let is_ours = |file: &Path, path: &str| file.strip_prefix(env!("CARGO_MANIFEST_DIR")).is_ok_and(|file| file.starts_with(path));
    for file in sources("src").into_iter().filter(|file| !is_ours(file, "src/disk") && !is_test(file)) {
        let changes = |line: &Line| CHANGES_OF_THE_DISK.iter().any(|word| names(&line.text, word));
        let found: Vec<_> = code(&file).into_iter().filter(changes).collect();
        let excepted = CHANGE_FILES_THEMSELVES.iter().any(|(path, _)| is_ours(&file, path));
        assert!(!excepted || !found.is_empty(), "{} needs no exception any more", file.display());
        if !excepted {
            faults.extend(found.iter().map(|line| format!("{} changes files without `disk`: {}", line.place(&file), line.text)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Whether the line has the name, and not one that merely ends like it, such as `PartFile::create`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| word.starts_with('.') || !line[..at].ends_with(is_of_a_name))
}

#[test]
fn the_past_is_read_from_the_log_alone() {
    refuse_in("src/past", &["crate::actors", "crate::http", "crate::app", "actix"]);
}

#[test]
fn actors_know_nothing_of_http() {
    refuse_in("src/actors", &["crate::http", "actix_web"]);
}

#[test]
fn only_one_file_imports_each_contained_crate() {
    for name in ["sled", "bincode", "actix_web_actors", "redb", "argon2"] {
        let users: Vec<_> = sources("src")
            .into_iter()
            .filter_map(|file| code(&file).into_iter().find(|line| names_crate(&line.text, name)).map(|line| line.place(&file)))
            .collect();
        assert!(users.len() <= 1, "{name} is imported by more than one file:\n{}", users.join("\n"));
    }
}

#[test]
fn only_one_file_knows_tls_and_only_the_folder_of_the_provider_signed_tokens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, place) in
        [("ring", "src/oidc"), ("jsonwebtoken", "src/oidc"), ("rustls", "src/tls.rs"), ("rustls_native_certs", "src/tls.rs")]
    {
        for file in sources("src").into_iter().filter(|file| !file.starts_with(root.join(place))) {
            let found = code(&file).into_iter().find(|line| names_crate(&line.text, name));
            assert!(found.is_none(), "{} names {name}", file.display());
        }
    }
}

/// Whether the line names the crate itself, not a module or type whose name merely ends like it.
fn names_crate(line: &str, name: &str) -> bool {
    let whole = |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':');
    line.strip_prefix("use ").is_some_and(|path| path.split([':', ';', ' ']).next() == Some(name))
        || line.match_indices(&format!("{name}::")).any(|(at, _)| whole(at))
}

/// Names every line at fault at once, so that one run shows everything to fix.
fn refuse_in(folder: &str, words: &[&str]) {
    let mut faults = Vec::new();
    for file in sources(folder) {
        for line in code(&file) {
            if let Some(word) = words.iter().find(|word| line.text.contains(**word)) {
                faults.push(format!("{} must not name {word:?}: {}", line.place(&file), line.text));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Names every line that names a part of the program which is not in the list.
pub fn allow_in(folder: &str, parts: &[&str]) {
    let mut faults = Vec::new();
    for file in sources(folder).into_iter().filter(|file| !is_test(file)) {
        for line in code(&file) {
            let named =
                line.text.split("crate::").skip(1).map(|rest| rest.split(|letter: char| !is_of_a_name(letter)).next().unwrap_or(""));
            if let Some(part) = named.into_iter().find(|part| !parts.contains(part)) {
                faults.push(format!("{} must not name {part:?}: {}", line.place(&file), line.text));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

pub fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
