//! Damaged, foreign and forged files over HTTP: listed with what is wrong, named by a check and a dry run, refused by a restore.
//! That every single byte counts is proved next to the code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use aisled::snapshots::Manifest;
use serde_json::{Value, json};

use crate::{
    admin::{add, confirmed, digests, done, failed, furnished, histories, manifest_file, names, restore, run, segment, snapshot},
    support::TestApp,
};

/// What is done to the bytes of a file.
type Damage = fn(&mut Vec<u8>);

/// Changes a file and returns its former content.
fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let original = fs::read(file).unwrap();
    let mut changed = original.clone();
    change(&mut changed);
    fs::write(file, changed).unwrap();
    original
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_damaged_segment_is_named_by_a_check_and_a_dry_run_and_not_restored() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let (file, before) = (segment(&app, &manifest, 0), digests(&app));
    let damages: [(&str, Damage); 8] = [
        ("snapshot_damaged", |bytes| bytes[20] ^= 4),
        ("snapshot_damaged", |bytes| bytes[138] ^= 1),
        ("snapshot_damaged", |bytes| *bytes.last_mut().unwrap() ^= 0x80),
        ("snapshot_damaged", |bytes| bytes.truncate(bytes.len() / 2)),
        ("snapshot_damaged", Vec::clear),
        ("snapshot_damaged", |bytes| bytes.push(0)),
        ("snapshot_foreign", |bytes| bytes[..8].copy_from_slice(b"\x89PNG\r\n\x1a\n")),
        ("snapshot_newer_format", |bytes| bytes[..8].copy_from_slice(b"aisSegm3")),
    ];
    for (code, damage) in damages {
        let original = change(&file, damage);
        assert_refused(&app, &manifest, code, &name_of(&file));
        fs::write(&file, original).unwrap();
    }
    let away = file.with_extension("away");
    fs::rename(&file, &away).unwrap();
    assert_refused(&app, &manifest, "snapshot_damaged", &name_of(&file));
    fs::rename(&away, &file).unwrap();
    assert_eq!(digests(&app)["digests"], before["digests"]);
    add(&app, "jam").ok();
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
}

/// What opens is checked, planned and refused; the live data is as it was.
fn assert_refused(app: &TestApp, manifest: &Value, code: &str, file: &str) {
    let checked = run(app, &format!("/api/v1/admin/snapshots/{}/verify", manifest["name"].as_str().unwrap()), &json!({}));
    let problem = &done(&checked)["problems"][0];
    assert_eq!((problem["file"].as_str(), problem["position"].is_string()), (Some(file), true), "{checked}");
    let request = json!({ "snapshot": manifest["name"] });
    let plan = app.post("/api/v1/admin/restore", &request).expect(200).body;
    assert_eq!(plan["problems"], done(&checked)["problems"], "the dry run tells it");
    let refused = run(app, "/api/v1/admin/restore", &confirmed(&request, &plan));
    let (found, detail) = failed(&refused);
    assert_eq!(found, code, "{detail}");
    assert!(detail.contains(file), "{detail}");
    assert!(histories(app).is_empty(), "nothing half built stays");
}

#[test]
fn what_is_no_snapshot_is_listed_with_the_reason_and_refused() {
    let app = furnished();
    let (old, manifest) = (snapshot(&app), snapshot(&app));
    let folder = app.snapshots();
    let text = fs::read_to_string(manifest_file(&app, &manifest)).unwrap();
    let files: [(&str, &str, Vec<u8>); 7] = [
        ("photo", "snapshot_foreign", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("empty", "snapshot_foreign", Vec::new()),
        ("other", "snapshot_foreign", br#"{"name": "other", "version": "1.0"}"#.to_vec()),
        ("newer", "snapshot_newer_format", br#"{"format": 5, "name": "newer", "what": ["nobody", "knows"]}"#.to_vec()),
        ("cut", "snapshot_damaged", text.as_bytes()[..text.len() / 2].to_vec()),
        ("renamed", "snapshot_damaged", text.clone().into_bytes()),
        ("edited", "snapshot_damaged", text.replace("\"scheduled\": false", "\"scheduled\": true").into_bytes()),
    ];
    for (name, _, bytes) in &files {
        fs::write(folder.join(format!("{name}.json")), bytes).unwrap();
    }
    let listed = app.get("/api/v1/admin/snapshots").ok().body;
    for (name, code, _) in &files {
        let line = listed["snapshots"].as_array().unwrap().iter().find(|line| line["name"] == *name).unwrap();
        assert!(line["problem"].as_str().unwrap().contains(&format!("{name}.json")), "{line}");
        for refused in [
            app.get(&format!("/api/v1/admin/snapshots/{name}")),
            app.post(&format!("/api/v1/admin/snapshots/{name}/verify"), &json!({})),
            app.post("/api/v1/admin/restore", &json!({ "snapshot": name })),
        ] {
            assert_eq!((refused.status, refused.code()), (422, *code), "{name}: {}", refused.text);
            assert!(refused.text.contains(&format!("{name}.json")), "{}", refused.text);
        }
    }
    // As long as the needs of the broken ones are unknown, nothing that they could need is removed.
    app.delete(&format!("/api/v1/admin/snapshots/{}", old["name"].as_str().unwrap())).expect(204);
    assert!(segment(&app, &old, 0).exists());
    for (name, _, _) in &files {
        app.delete(&format!("/api/v1/admin/snapshots/{name}")).expect(204);
    }
    assert_eq!(names(&app), [manifest["name"].clone()]);
    assert!(!segment(&app, &old, 0).exists());
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
}

#[test]
fn a_forged_manifest_with_a_right_checksum_is_not_restored() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let (file, before) = (manifest_file(&app, &manifest), digests(&app));
    let text = fs::read_to_string(&file).unwrap();
    let forge = |change: &dyn Fn(&mut Manifest)| {
        let mut forged: Manifest = serde_json::from_str(&text).unwrap();
        change(&mut forged);
        fs::write(&file, forged.sealed().to_json()).unwrap();
    };
    forge(&|manifest| manifest.chain = "0".repeat(64));
    assert_forgery(&app, &manifest, "snapshot_damaged", true);
    forge(&|manifest| manifest.segments[0].file = "../../data/epoch".into());
    assert_forgery(&app, &manifest, "snapshot_damaged", true);
    // Only a replay knows the result of the views.
    forge(&|manifest| manifest.views.as_mut().unwrap().digests.values_mut().for_each(|digest| *digest = "0".repeat(64)));
    assert_forgery(&app, &manifest, "digests_differ", false);
    fs::write(&file, text).unwrap();
    assert_eq!(digests(&app)["digests"], before["digests"]);
    add(&app, "jam").ok();
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
}

fn assert_forgery(app: &TestApp, manifest: &Value, code: &str, planned: bool) {
    let request = json!({ "snapshot": manifest["name"] });
    let plan = app.post("/api/v1/admin/restore", &request).expect(200).body;
    assert_eq!(!plan["problems"].as_array().unwrap().is_empty(), planned, "{plan}");
    let refused = run(app, "/api/v1/admin/restore", &confirmed(&request, &plan));
    assert_eq!(failed(&refused).0, code, "{refused}");
    assert!(histories(app).is_empty());
}

#[test]
fn flipped_bits_in_what_names_the_histories_are_named_and_nothing_else_is_served() {
    let mut app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    let before = digests(&app);
    let left: PathBuf = histories(&app)[0].join("left");
    for damage in [(|bytes| bytes[0] ^= 2) as Damage, Vec::clear, |bytes| bytes.extend(b"../x"), |bytes| bytes[0] = 0xff] {
        let original = change(&left, damage);
        let refused = run(&app, "/api/v1/admin/restore/undo", &json!({}));
        assert!(failed(&refused).1.contains("/left: "), "{refused}");
        fs::write(&left, original).unwrap();
    }
    assert_eq!(digests(&app)["digests"], before["digests"]);
    assert_eq!(app.stop(), Some(0));
    let current = app.data().join("current");
    let damages: [Damage; 5] =
        [|bytes| bytes[0] ^= 1, |bytes| bytes[9] ^= 0x40, |bytes| bytes.truncate(20), Vec::clear, |bytes| bytes[5] = 0xff];
    for damage in damages {
        let original = change(&current, damage);
        assert_not_served(&mut app);
        fs::write(&current, original).unwrap();
    }
    let away = current.with_extension("away");
    fs::rename(&current, &away).unwrap();
    assert_not_served(&mut app);
    fs::rename(&away, &current).unwrap();
    app.restart();
    assert_eq!(digests(&app)["digests"], before["digests"]);
}

fn assert_not_served(app: &mut TestApp) {
    let refused = app.try_restart().expect_err("nobody knows which history to serve");
    assert!(refused.code.is_some_and(|code| code != 0) && refused.stderr.contains("current: "), "{refused:?}");
}
