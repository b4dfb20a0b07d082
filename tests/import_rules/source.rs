//! The source as the rules see it: lines of code, with grouped imports expanded.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file that only tests see: in a folder of that name, or a module that is declared so.
pub fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let declared = fs::read_to_string(file.with_file_name("mod.rs")).unwrap_or_default();
    let lines: Vec<_> = declared.lines().collect();
    stem == "tests"
        || file.components().any(|part| part.as_os_str() == "tests")
        || lines.windows(2).any(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with(&format!("mod {stem};")))
}

/// A line of code, or a whole `use` statement, by the number of its first line.
pub struct Line {
    number: usize,
    pub text: String,
}

impl Line {
    pub fn place(&self, file: &Path) -> String {
        let file = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file);
        format!("{}:{}", file.display(), self.number)
    }

    /// A grouped import as one line for each path, anything else unchanged.
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

/// The code of a file without its comments and without what only its tests see; grouped imports are expanded.
pub fn code(file: &Path) -> Vec<Line> {
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

/// The source files of a folder, or the one file.
pub fn sources(folder: &str) -> Vec<PathBuf> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if place.is_file() {
        return vec![place];
    }
    let (mut folders, mut files) = (vec![place], Vec::new());
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

#[test]
fn a_grouped_import_counts_like_its_parts() {
    let expanded = |text: &str| Line { number: 1, text: text.to_owned() }.expanded().into_iter().map(|line| line.text).collect::<Vec<_>>();
    assert_eq!(expanded("use crate::{a::{B}, c::{D, e::{F}}};"), ["use crate::a::B", "use crate::c::D", "use crate::c::e::F"]);
    assert_eq!(expanded("let x = { 1 };"), ["let x = { 1 };"]);
}
