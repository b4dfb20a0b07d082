//! Circles of imports between files of one folder: files that name one another can only be understood together.
//! A folder inside counts as one file of the folder around it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    is_of_a_name,
    source::{code, is_test, sources},
};

/// The folders checked, each with the root of its crate.
const FOLDERS: [(&str, &str); 4] = [("src", "src/http"), ("src", "src/actors"), ("src", "src/domain/list"), ("load/src", "load/src")];

/// Circles that stay: the folder, its files, and why.
const ACCEPTED: &[(&str, &[&str], &str)] = &[
    (
        "actors",
        &["entity", "handle", "hosted", "hydrate", "interest", "memos", "message", "recent", "registry", "shared"],
        "one generic machine: the registry wakes an actor, its handle addresses it, and what it hosts names the handle",
    ),
    (
        "domain::list",
        &["events", "facts"],
        "an event says in the shape of the facts what it is about, and that is named next to the event, so that a new one touches one file",
    ),
];

/// The names that lead to a module from the root of its crate.
type Module = Vec<String>;
/// Who names whom within one folder.
type Names = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_files_of_a_folder_name_one_another() {
    let found: BTreeSet<_> = FOLDERS.iter().flat_map(|(root, folder)| circles_in(root, folder)).collect();
    let accepted: BTreeSet<_> = ACCEPTED.iter().map(|(folder, files, _)| text(folder, files.iter().copied())).collect();
    let new: Vec<_> = found.difference(&accepted).collect();
    assert!(new.is_empty(), "move what both sides need to a file of its own: {new:#?}");
    let gone: Vec<_> = accepted.difference(&found).collect();
    assert!(gone.is_empty(), "these need no exception any more: {gone:#?}");
}

fn text<'a>(folder: &str, files: impl Iterator<Item = &'a str>) -> String {
    format!("{folder}: {}", files.collect::<Vec<_>>().join(", "))
}

/// The circles of a folder and of every folder in it.
fn circles_in(root: &str, folder: &str) -> Vec<String> {
    let uses = uses(root, folder);
    let folders: BTreeSet<_> = uses.iter().flat_map(|(from, _)| (0..from.len()).map(|length| from[..length].to_vec())).collect();
    let of_folder = |folder: &Module| {
        let circles = circles(&names_within(folder, &uses));
        circles.into_iter().map(|circle| text(&folder.join("::"), circle.iter().map(String::as_str))).collect::<Vec<_>>()
    };
    folders.iter().flat_map(of_folder).collect()
}

/// Every file with the paths it names, from the root of the crate.
fn uses(root: &str, folder: &str) -> Vec<(Module, Vec<Module>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let files = sources(folder).into_iter().filter(|file| !is_test(file));
    let of_file = |file: std::path::PathBuf| {
        let own = module_of(file.strip_prefix(&root).unwrap());
        let named = code(&file).iter().flat_map(|line| paths_in(&line.text)).map(|path| resolved(&own, &path)).collect();
        (own, named)
    };
    files.map(of_file).collect()
}

fn module_of(file: &Path) -> Module {
    let mut names: Module = file.with_extension("").iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    names.pop_if(|last| ["mod", "main", "lib"].contains(&last.as_str()));
    names
}

/// The paths of a line that begin at the crate or at a module around it.
fn paths_in(line: &str) -> Vec<String> {
    let starts = ["crate::", "super::"].into_iter().flat_map(|start| line.match_indices(start).map(|(at, _)| at));
    let whole = starts.filter(|at| !line[..*at].ends_with(|before: char| is_of_a_name(before) || before == ':'));
    whole.map(|at| line[at..].chars().take_while(|letter| is_of_a_name(*letter) || *letter == ':').collect()).collect()
}

fn resolved(own: &[String], path: &str) -> Module {
    let ups = path.split("::").take_while(|name| *name == "super").count();
    let begin = if ups == 0 { &[][..] } else { &own[..own.len().saturating_sub(ups)] };
    let rest = path.split("::").skip_while(|name| ["crate", "super"].contains(name));
    begin.iter().cloned().chain(rest.map(str::to_owned)).collect()
}

/// Which of a folder's files and folders name which.
fn names_within(folder: &[String], uses: &[(Module, Vec<Module>)]) -> Names {
    let child = |module: &Module| module.strip_prefix(folder).and_then(|rest| rest.first()).cloned();
    let mut names = Names::new();
    for (from, named) in uses {
        if let Some(own) = child(from) {
            names.entry(own.clone()).or_default().extend(named.iter().filter_map(child).filter(|other| *other != own));
        }
    }
    // What is no file is an item of the folder's own module.
    let files: BTreeSet<_> = names.keys().cloned().collect();
    names.values_mut().for_each(|named| named.retain(|name| files.contains(name)));
    names
}

/// Those who reach each other.
fn circles(names: &Names) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<_, _> = names.keys().map(|from| (from, reached_from(from, names))).collect();
    let of_file =
        |file: &String| names.keys().filter(|other| reached[file].contains(*other) && reached[other].contains(file)).cloned().collect();
    names.keys().map(of_file).filter(|circle: &Vec<_>| circle.len() > 1).collect()
}

fn reached_from(from: &str, names: &Names) -> BTreeSet<String> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(next) = open.pop() {
        open.extend(names[&next].iter().filter(|name| reached.insert((*name).clone())).cloned());
    }
    reached
}

#[test]
fn a_circle_is_found_however_long_and_whatever_leads_into_it() {
    let uses = |from: &str, lines: &[&str]| {
        let own: Module = from.split("::").map(str::to_owned).collect();
        let named = lines.iter().flat_map(|line| paths_in(line)).map(|path| resolved(&own, &path)).collect();
        (own, named)
    };
    let uses = [
        uses("f::a", &["use super::b::B", "use super::Item"]),
        uses("f::b", &["let c = crate::f::c::new();"]),
        uses("f::c::inner", &["use super::super::a"]),
        uses("f::d", &["use super::a"]),
    ];
    let found = circles(&names_within(&["f".to_owned()], &uses));
    assert_eq!(found, BTreeSet::from([["a", "b", "c"].map(str::to_owned).to_vec()]));
}
