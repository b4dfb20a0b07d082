//! A snapshot of the format before restores as well; without the digests of its views it is replayed twice and compared.
//! The fixture is never changed. It was written once, with `AISLED_WRITE_FIXTURES=1`, out of a real snapshot.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use aisled::snapshots::Manifest;
use serde_json::{Value, json};

use crate::{
    admin::{add, done, furnished, items, restore, run, snapshot},
    support::TestApp,
};

const NAME: &str = "20261101T080000Z-6";

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshots/format-1")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("segments")).unwrap();
    for part in ["", "segments"] {
        let files = fs::read_dir(from.join(part)).unwrap().map(|entry| entry.unwrap().path()).filter(|file| file.is_file());
        for file in files {
            fs::copy(&file, to.join(part).join(file.file_name().unwrap())).unwrap();
        }
    }
}

/// Writes the fixture: a small history as format 1 had it.
fn write_fixture() {
    let app = furnished();
    app.post("/api/v1/stores", &json!({ "id": "corner", "name": "Corner", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "milk", "name": "Milk" })).ok();
    app.post("/api/v1/products/milk/prices", &json!({ "store": "corner", "price": { "amount": "1.29", "currency": "EUR" } })).ok();
    add(&app, "bread").ok();
    let made: Manifest = serde_json::from_value(snapshot(&app)).unwrap();
    let old = Manifest { format: 1, name: NAME.into(), created_at: "2026-11-01T08:00:00Z".parse().unwrap(), views: None, ..made };
    fs::create_dir_all(fixture().join("segments")).unwrap();
    fs::write(fixture().join(format!("{NAME}.json")), old.clone().sealed().to_json()).unwrap();
    for segment in &old.segments {
        fs::copy(app.snapshots().join("segments").join(&segment.file), fixture().join("segments").join(&segment.file)).unwrap();
    }
}

#[test]
fn a_snapshot_of_the_format_before_is_listed_verified_and_restored() {
    if env::var_os("AISLED_WRITE_FIXTURES").is_some() && !fixture().exists() {
        write_fixture();
    }
    let app = TestApp::start_with(&["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0"]);
    copy(&fixture(), &app.snapshots());
    let shown = app.get(&format!("/api/v1/admin/snapshots/{NAME}")).ok().body;
    assert_eq!((&shown["format"], &shown["position"], &shown["views"]), (&json!(1), &json!("6"), &Value::Null));
    let verified = run(&app, &format!("/api/v1/admin/snapshots/{NAME}/verify"), &json!({}));
    assert_eq!(done(&verified)["problems"], json!([]));
    let restored = restore(&app, &json!({ "snapshot": NAME }));
    assert_eq!(done(&restored)["proof"]["compared"], "with_second_replay");
    assert_eq!(items(&app), ["milk", "bread"]);
    let prices = app.get("/api/v1/products/milk/prices").ok();
    assert!(prices.text.contains("corner") && prices.text.contains("1.29"), "{}", prices.text);
    add(&app, "jam").ok();
    let newer = snapshot(&app);
    assert_eq!(newer["format"], 4);
    assert_eq!(done(&restore(&app, &json!({ "snapshot": newer["name"] })))["proof"]["compared"], "with_snapshot");
}
