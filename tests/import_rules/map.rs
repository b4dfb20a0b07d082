//! ARCHITECTURE.md and CONTRIBUTING.md, checked against the source: every folder may use what its row allows, and every path and
//! function named exists.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    allow_in,
    source::{code, sources},
};

/// A row of the code map: the files and folders, and the parts of the program that they may use; `None` is all of them.
struct Row {
    places: Vec<String>,
    may_use: Option<Vec<String>>,
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rows() -> Vec<Row> {
    let page = page("ARCHITECTURE.md");
    let lines = page.lines().filter(|line| line.starts_with("| `src/"));
    lines.map(|line| Row::of(&line.split('|').map(str::trim).collect::<Vec<_>>())).collect()
}

impl Row {
    fn of(cells: &[&str]) -> Self {
        let may_use = match cells[3] {
            "everything" => None,
            "nothing of ours" => Some(Vec::new()),
            parts => Some(parts.split(", ").map(str::to_owned).collect()),
        };
        Self { places: quoted(cells[1]), may_use }
    }
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn each_part_uses_only_what_the_map_allows() {
    let rows = rows();
    assert!(rows.len() > 10, "the map has a row for each part");
    for row in &rows {
        let Some(parts) = &row.may_use else { continue };
        for place in &row.places {
            let own = Path::new(place).file_stem().unwrap().to_str().unwrap();
            let allowed: Vec<_> = parts.iter().map(String::as_str).chain([own]).collect();
            allow_in(place.trim_end_matches('/'), &allowed);
        }
    }
}

#[test]
fn every_part_of_the_source_is_on_the_map() {
    let places: BTreeSet<_> = rows().into_iter().flat_map(|row| row.places).map(|place| place.trim_end_matches('/').to_owned()).collect();
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".rs");
        let is_there = [format!("src/{name}"), format!("src/{stem}.rs"), format!("src/{stem}")].iter().any(|place| places.contains(place));
        assert!(is_there, "src/{name} is not on the map in ARCHITECTURE.md");
    }
}

#[test]
fn every_path_and_function_that_the_pages_name_exists() {
    let all = tracked();
    let mut missing = Vec::new();
    for page_name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for (number, line) in page(page_name).lines().enumerate() {
            for token in quoted(line) {
                if !exists(&token, &all) {
                    missing.push(format!("{page_name}:{}: `{token}`", number + 1));
                }
            }
        }
    }
    assert!(missing.is_empty(), "these are named and do not exist:\n{}", missing.join("\n"));
}

/// Every file of ours, with the folders that lead to it.
fn tracked() -> BTreeSet<String> {
    let mut all = BTreeSet::from(["web".to_owned()]);
    let mut folders: Vec<_> =
        ["src", "tests", "load", "crates", "benches", "docs", "web/src", "web/test"].map(|folder| root().join(folder)).into();
    while let Some(folder) = folders.pop() {
        all.insert(name_of(&folder));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(name_of(&path));
            }
        }
    }
    all
}

fn name_of(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// Whether a text is an existing path, an existing function, or neither a path nor a function.
fn exists(token: &str, all: &BTreeSet<String>) -> bool {
    let is_path = !token.contains(['<', ' ', '=', '{']) && (token.ends_with(".rs") || token.ends_with('/') && !token.starts_with('/'));
    if is_path {
        let wanted = token.trim_end_matches('/');
        // Those of a running server are not source files.
        let is_data = ["log/", "data/", "checkpoints/"].iter().any(|start| token.starts_with(start)) && !token.ends_with(".rs");
        return is_data || all.iter().any(|path| path == wanted || path.ends_with(&format!("/{wanted}")));
    }
    match token.split_once("::") {
        Some((kind, function)) if kind.starts_with(char::is_uppercase) && function.starts_with(char::is_lowercase) => {
            has_function(kind, function.split([':', '(']).next().unwrap_or(function))
        }
        _ => true,
    }
}

/// Whether a file that makes or extends the type also has the function.
fn has_function(kind: &str, function: &str) -> bool {
    sources("src").iter().any(|file| {
        let code = code(file);
        let has = |wanted: &dyn Fn(&str) -> bool| code.iter().any(|line| wanted(&line.text));
        let of_kind = |line: &str| ["impl", "trait", "enum", "struct"].iter().any(|word| line.contains(word)) && has_word(line, kind);
        has(&of_kind) && has(&|line: &str| line.contains(&format!("fn {function}(")) || line.contains(&format!("fn {function}<")))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|part| part == word)
}
