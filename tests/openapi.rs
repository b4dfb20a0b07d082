//! The OpenAPI document as others use it: two generators of clients, and a fuzzer that holds every answer against it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value};
use support::{PATIENCE, TestApp, process::succeeds};

const TOKEN: &str = "sesame-sesame-sesame";

/// A server with the demo, where a request needs the token, and its document in a folder.
fn demo() -> (TestApp, tempfile::TempDir) {
    let app = TestApp::start_in(&["--demo"], &[("AISLED_ADMIN_TOKEN", TOKEN)]);
    let folder = tempfile::tempdir().unwrap();
    let document = app.get("/api/v1/openapi.json").ok().text;
    fs::write(folder.path().join("openapi.json"), document).unwrap();
    (app, folder)
}

#[test]
fn the_typescript_client_compiles_in_strict_mode_and_runs_the_readmes_tour() {
    let (app, folder) = demo();
    let modules = tools().join("node_modules");
    std::os::unix::fs::symlink(&modules, folder.path().join("node_modules")).unwrap();
    for name in ["tour.ts", "tsconfig.json", "package.json"] {
        fs::copy(script(name), folder.path().join(name)).unwrap();
    }
    let tool = |path: &str| {
        let mut command = Command::new("node");
        command.arg(modules.join(path)).current_dir(folder.path());
        command
    };
    succeeds(tool("openapi-typescript/bin/cli.js").args(["openapi.json", "-o", "schema.ts"]));
    succeeds(tool("typescript/bin/tsc").args(["-p", "."]));
    let mut tour = Command::new("node");
    let said =
        succeeds(tour.arg("built/tour.js").current_dir(folder.path()).env("AISLED_URL", app.server().url()).env("AISLED_TOKEN", TOKEN));
    assert_eq!(said.trim(), "the tour is done");
}

#[test]
fn the_python_client_covers_every_operation() {
    let (app, folder) = demo();
    let python = |name: &str| {
        let mut command = Command::new(tools().join("python/bin").join(name));
        command.current_dir(folder.path());
        command
    };
    let generated = succeeds(
        python("openapi-python-client")
            .args(["generate", "--path", "openapi.json", "--output-path", "client", "--config"])
            .arg(script("python.yml")),
    );
    assert!(!generated.contains("WARNING"), "{generated}");
    let mut coverage = python("python");
    coverage.arg(script("coverage.py")).args(["client", "openapi.json"]).env("AISLED_URL", app.server().url()).env("AISLED_TOKEN", TOKEN);
    let said = succeeds(&mut coverage);
    assert!(said.trim().ends_with("operations"), "{said}");
}

/// A short slice; `make conformance` runs many more examples.
#[test]
fn the_fuzzer_finds_nothing_that_contradicts_the_document() {
    let (app, folder) = demo();
    let config = script("schemathesis.toml");
    let (phases, examples) = match std::env::var("AISLED_FUZZ_EXAMPLES") {
        Ok(examples) => ("examples,coverage,fuzzing,stateful", examples),
        Err(_) => ("examples,coverage,fuzzing", "3".to_owned()),
    };
    let mut fuzzer = Command::new(tools().join("python/bin/schemathesis"));
    fuzzer.env("SCHEMATHESIS_HOOKS", "hooks").env("PYTHONPATH", script(""));
    fuzzer.current_dir(folder.path()).arg("--config-file").arg(config).args(["run", "openapi.json", "--url"]).arg(app.server().url());
    fuzzer.args(["--checks", "all", "--phases", phases, "--max-examples", &examples, "--seed", "1", "--workers", "2", "--no-color"]);
    fuzzer.args(["--header", &format!("Authorization: Bearer {TOKEN}"), "--request-timeout", &PATIENCE.as_secs().to_string()]);
    // Live streams have no end, and a provider is not there.
    fuzzer.args(["--exclude-path-regex", "/live|/oidc/", "--continue-on-failure"]);
    let said = succeeds(&mut fuzzer);
    let (tried, all) = operations(folder.path());
    assert!(said.contains(&format!("{tried} selected / {all} total")) && said.contains(&format!("{tried} passed")), "{said}");
}

/// How many operations the document has, and how many of them the fuzzer tries.
fn operations(folder: &Path) -> (usize, usize) {
    let document: Value = serde_json::from_str(&fs::read_to_string(folder.join("openapi.json")).unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let count = |wanted: fn(&str) -> bool| {
        let wanted = paths.iter().filter(|(path, _)| wanted(path));
        wanted.map(|(_, item)| item.as_object().map_or(0, Map::len)).sum()
    };
    (count(|path| !path.contains("/live") && !path.contains("/oidc/")), count(|_| true))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi").join(name)
}

/// The folder of the installed tools.
fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../openapi").canonicalize().unwrap_or_default();
    assert!(tools.join("ready").exists(), "the tools are not installed: run `make interop` once");
    tools
}
