//! A full disk: the refusal is clear, nothing half written stays, and the live data continues.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    admin::{add, digests, done, failed, furnish, furnished, items, names, restore, run, snapshot},
    support::TestApp,
};

const ARGUMENTS: [&str; 2] = ["--self-restore-every-minutes", "0"];

#[test]
fn a_snapshot_that_does_not_fit_leaves_nothing_behind() {
    let mut app = furnished();
    assert_eq!(app.stop(), Some(0));
    app.restart_in(&[("AISLED_TEST_FAULT", "write@snapshots/segments:1:ENOSPC")]);
    let before = digests(&app);
    let full = run(&app, "/api/v1/admin/snapshots", &json!({}));
    let (code, detail) = failed(&full);
    assert_eq!(code, "no_disk_space", "{detail}");
    assert!(detail.contains("No space left") && detail.contains("segments"), "{detail}");
    assert_eq!((digests(&app)["digests"].clone(), names(&app)), (before["digests"].clone(), vec![]));
    assert_eq!(fs::read_dir(app.snapshots().join("segments")).unwrap().count(), 0);
    add(&app, "bread").ok();
    let manifest = snapshot(&app);
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    assert_eq!(items(&app), ["milk", "bread"]);
}

#[test]
fn a_restore_that_does_not_fit_leaves_the_live_data_as_it_was() {
    let saved = furnished();
    let manifest = snapshot(&saved);
    let folder = tempfile::tempdir().unwrap();
    let fault = ("AISLED_TEST_FAULT", "allocate@histories:1+:ENOSPC");
    let mut full = TestApp::start_on(folder.path(), &ARGUMENTS, &[fault]).unwrap();
    furnish(&full);
    add(&full, "tea").ok();
    copy(&saved.snapshots(), &full.snapshots());
    let before = digests(&full);
    let refused = restore(&full, &json!({ "snapshot": manifest["name"] }));
    let (code, detail) = failed(&refused);
    assert_eq!(code, "no_disk_space", "{detail}");
    assert!(detail.contains("No space left"), "{detail}");
    assert_eq!(digests(&full)["digests"], before["digests"]);
    let histories: Vec<_> = crate::admin::histories(&full);
    assert!(histories.is_empty(), "{histories:?}");
    add(&full, "sugar").ok();
    assert_eq!(items(&full), ["milk", "tea", "sugar"]);
    full.kill();
    assert_eq!(full.run(&["verify"]).code, Some(0));
    full.restart();
    done(&restore(&full, &json!({ "snapshot": manifest["name"] })));
    assert_eq!(items(&full), ["milk"], "with room it is restored");
}

fn copy(from: &Path, to: &Path) {
    for part in ["", "segments"] {
        fs::create_dir_all(to.join(part)).unwrap();
        let files = fs::read_dir(from.join(part)).unwrap().map(|entry| entry.unwrap().path()).filter(|file| file.is_file());
        for file in files {
            fs::copy(&file, to.join(part).join(file.file_name().unwrap())).unwrap();
        }
    }
}
