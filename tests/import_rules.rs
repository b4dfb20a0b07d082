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

#[test]
fn the_log_knows_events_and_the_disk_alone() {
    allow_in("src/log", &["domain", "events", "disk", "failpoint", "log"]);
}

#[test]
fn the_disk_knows_nothing_of_what_is_kept_on_it() {
    allow_in("src/disk", &["disk"]);
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

/// Whether the line has the word, and not one that merely ends like it, such as `PartFile::create`.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| word.starts_with('.') || !line[..at].ends_with(is_of_a_name))
}

/// A file that only tests see: in a folder of that name, or a module that is declared so.
fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let declared = fs::read_to_string(file.with_file_name("mod.rs")).unwrap_or_default();
    let lines: Vec<_> = declared.lines().collect();
    stem == "tests"
        || file.components().any(|part| part.as_os_str() == "tests")
        || lines.windows(2).any(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with(&format!("mod {stem};")))
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
    for name in ["sled", "bincode", "actix_web_actors"] {
        let users: Vec<_> = sources("src")
            .into_iter()
            .filter_map(|file| code(&file).into_iter().find(|line| names_crate(&line.text, name)).map(|line| line.place(&file)))
            .collect();
        assert!(users.len() <= 1, "{name} is imported by more than one file:\n{}", users.join("\n"));
    }
}

#[test]
fn a_grouped_import_counts_like_its_parts() {
    let expanded = |text: &str| Line { number: 1, text: text.to_owned() }.expanded().into_iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(expanded("use crate::{a::{B}, c::{D, e::{F}}};"), ["use crate::a::B", "use crate::c::D", "use crate::c::e::F"]);
    assert_eq!(expanded("let x = { 1 };"), ["let x = { 1 };"]);
}

/// Whether the line names the crate itself, not a module or type whose name merely ends like it.
fn names_crate(line: &str, name: &str) -> bool {
    let whole = |at: usize| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':');
    line.strip_prefix("use ").is_some_and(|path| path.split([':', ';', ' ']).next() == Some(name))
        || line.match_indices(&format!("{name}::")).any(|(at, _)| whole(at))
}

/// Names every line at fault at once, so that one run shows all there is to mend.
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
fn allow_in(folder: &str, parts: &[&str]) {
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

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A line of code, or a whole `use` statement, by the number of its first line.
struct Line {
    number: usize,
    text: String,
}

impl Line {
    fn place(&self, file: &Path) -> String {
        let file = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file);
        format!("{}:{}", file.display(), self.number)
    }

    /// A grouped import as one line for each path, anything else as it is.
    fn expanded(self) -> Vec<Self> {
        let Some(at) = self.text.find("use ").filter(|_| self.text.ends_with(';') && self.is_use()) else { return vec![self] };
        let paths = expand(self.text[at + 4..].trim_end_matches(';'));
        paths.into_iter().map(|path| Self { number: self.number, text: format!("use {path}") }).collect()
    }

    fn is_use(&self) -> bool {
        ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|start| self.text.starts_with(start))
    }
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(path: &str) -> Vec<String> {
    let Some((prefix, group)) = path.split_once('{') else { return vec![path.trim().to_owned()] };
    let group = group.trim_end();
    let group = group.strip_suffix('}').unwrap_or(group);
    let prefix = prefix.trim();
    split_outside_braces(group).iter().flat_map(|part| expand(part)).map(|part| format!("{prefix}{part}")).collect()
}

fn split_outside_braces(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(group[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(group[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The code of a file without its comments and without what only its tests see; imports in groups are taken apart.
fn code(file: &Path) -> Vec<Line> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines().enumerate().map(|(index, line)| Line { number: index + 1, text: line.trim().to_owned() });
    let mut code = Vec::new();
    while let Some(mut line) = lines.next() {
        if line.text == "#[cfg(test)]" {
            // A test module in the file is its end; a single item is only skipped.
            match lines.next() {
                Some(next) if next.text.ends_with('{') => break,
                _ => continue,
            }
        }
        while line.is_use() && !line.text.ends_with(';') {
            let Some(next) = lines.next() else { break };
            line.text.push_str(&next.text);
        }
        if !line.text.starts_with("//") {
            code.extend(line.expanded());
        }
    }
    code
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
