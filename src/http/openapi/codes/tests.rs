use std::{collections::BTreeSet, fmt::Write};

use super::{Code, groups};
use crate::http::openapi::walk::rows;

/// The page, as it is kept in `docs/errors.md`.
fn page() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery error is answered as `application/problem+json` (RFC 9457) with a stable `code`: match on that, show `detail`, and quote\n\
         `request_id` when asking for help. A 429 or 503 says in `Retry-After` when to come back. `errors` points at fields of the body with JSON\n\
         pointers. The OpenAPI document lists the codes of each operation; the error codes inside a live connection are in [live.md](live.md).\n\n\
         A test prints this page: `AISLED_UPDATE=1 cargo test --lib openapi`.\n",
    );
    for group in groups() {
        let head = "| status | code | meaning |\n|---|---|---|";
        let _ = writeln!(page, "\n## {}\n\nFor {}.\n\n{head}", group.title, group.whose);
        for Code(status, code, meaning) in group.codes {
            let _ = writeln!(page, "| {status} | `{code}` | {meaning} |");
        }
    }
    page
}

#[test]
fn the_kept_page_of_errors_is_the_one_that_the_table_prints() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors.md");
    if std::env::var_os("AISLED_UPDATE").is_some() {
        std::fs::write(file, page()).expect("the page can be written");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), page(), "AISLED_UPDATE=1 writes docs/errors.md");
}

#[test]
fn no_group_has_a_code_twice_and_every_group_but_one_has_operations() {
    for group in groups() {
        let codes: BTreeSet<_> = group.codes.iter().map(|Code(status, code, _)| (status, code)).collect();
        assert_eq!(codes.len(), group.codes.len(), "{}", group.title);
        assert_eq!(rows().any(group.applies), group.title != "No operation", "{}", group.title);
    }
}

#[test]
fn every_code_in_the_source_of_the_server_is_in_the_table() {
    let known: BTreeSet<_> = groups().flat_map(|group| group.codes).map(|Code(_, code, _)| *code).collect();
    let missing: BTreeSet<_> = sources().iter().flat_map(|source| codes_in(source)).filter(|code| !known.contains(code.as_str())).collect();
    let missing: Vec<_> = missing.iter().filter(|code| !ELSEWHERE.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "codes without a row in src/http/openapi/codes: {missing:?}");
}

/// Codes that no answer over HTTP has.
const ELSEWHERE: &[&str] = &["malformed_command"];

fn sources() -> Vec<String> {
    let folders = ["actors", "app", "commands", "domain", "http", "oidc", "people", "projections", "snapshots"];
    let mut files = Vec::new();
    for folder in folders {
        collect(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut files);
    }
    files
}

fn collect(folder: &std::path::Path, sources: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let is_test = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tests"));
        if entry.is_dir() && !is_test {
            collect(&entry, sources);
        } else if entry.extension().is_some_and(|extension| extension == "rs") && !is_test {
            let text = std::fs::read_to_string(&entry).expect("a source");
            sources.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// Texts in snake case directly after what makes a refusal or problem.
fn codes_in(source: &str) -> Vec<String> {
    const MAKERS: &[&str] = &[
        "Refusal::new(",
        "Problem::malformed(",
        "Problem::not_found(",
        "Problem::conflict(",
        "Problem::invalid(",
        "Problem::new(",
        "Problem::unavailable(",
    ];
    let after = MAKERS.iter().flat_map(|maker| source.split(maker).skip(1));
    let code = |rest: &str| {
        let first = rest.split(['"', ';']).nth(1)?;
        let is_code = first.contains('_') && first.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        is_code.then(|| first.to_owned())
    };
    after.filter_map(code).collect()
}
