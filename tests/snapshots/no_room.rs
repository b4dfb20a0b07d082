//! A full disk: the refusal is clear, nothing half written stays, and the live data goes on.

use std::{fs, os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};

use crate::{
    admin::{add, digests, done, failed, furnished, items, names, next_segment, part_of, restore, run, snapshot},
    support::{Random, TestApp},
};

/// Larger than what the small server may write, and hardly to be compressed.
const PRICES: usize = 3_000;
const EVIDENCE_CHARS: usize = 900;
const FILE_BYTES_MAX: u64 = 1 << 20;

#[test]
fn a_snapshot_that_does_not_fit_leaves_nothing_behind() {
    let mut app = furnished();
    let segment = next_segment(&mut app);
    symlink("/dev/full", part_of(&segment)).unwrap();
    let before = digests(&app);
    let full = run(&app, "/api/v1/admin/snapshots", &json!({}));
    let (code, detail) = failed(&full);
    assert_eq!(code, "no_disk_space", "{detail}");
    assert!(detail.contains("No space left") && detail.contains(".segment"), "{detail}");
    assert_eq!((digests(&app)["digests"].clone(), names(&app)), (before["digests"].clone(), vec![]));
    assert_eq!(fs::read_dir(app.snapshots().join("segments")).unwrap().count(), 0);
    add(&app, "bread").ok();
    let manifest = snapshot(&app);
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    assert_eq!(items(&app), ["milk", "bread"]);
}

#[test]
fn a_restore_that_does_not_fit_leaves_the_live_data_as_it_was() {
    let large = furnished();
    let manifest = {
        fill(&large);
        snapshot(&large)
    };
    let mut small = TestApp::start_with_files_of_at_most(FILE_BYTES_MAX);
    small.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    add(&small, "tea").ok();
    copy(&large.snapshots(), &small.snapshots());
    let before = digests(&small);
    let refused = restore(&small, &json!({ "snapshot": manifest["name"] }));
    let (code, detail) = failed(&refused);
    assert_eq!(code, "restored_log_unusable", "{detail}");
    assert_eq!(digests(&small)["digests"], before["digests"]);
    let histories: Vec<_> = crate::admin::histories(&small);
    assert!(histories.is_empty(), "{histories:?}");
    add(&small, "sugar").ok();
    assert_eq!(items(&small), ["tea", "sugar"]);
    small.kill();
    assert_eq!(small.run(&["verify"]).code, Some(0));
    small.restart();
    done(&restore(&small, &json!({ "snapshot": manifest["name"] })));
    assert_eq!(items(&small), ["milk"], "with room it is restored");
}

/// Some megabytes of prices.
fn fill(app: &TestApp) {
    app.post("/api/v1/stores", &json!({ "id": "corner", "name": "Corner", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "milk", "name": "Milk" })).ok();
    let mut random = Random(7);
    let lines = (0..PRICES).map(|number| {
        let evidence: String = (0..EVIDENCE_CHARS).map(|_| char::from(b'#' + u8::try_from(random.below(80)).unwrap())).collect();
        let price: Value = json!({ "amount": format!("{}.{:02}", 1 + number / 100, number % 100), "currency": "EUR", "per": "each" });
        json!({ "product": "milk", "store": "corner", "price": price, "evidence": evidence }).to_string()
    });
    let body = lines.collect::<Vec<_>>().join("\n");
    let answer = app.client().post_text("/api/v1/prices?answers=refused", "application/x-ndjson", &body).ok();
    let last = answer.lines().pop().unwrap();
    assert!(answer.lines().len() == 1, "{last}");
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
