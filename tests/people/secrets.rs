//! Nothing secret is written where it does not belong.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    browser::{Browser, PASSWORD},
    family::Family,
};

#[test]
fn no_password_and_no_secret_is_in_the_log_the_events_or_any_file() {
    let mut family = Family::start();
    let token = family.ben.post("/api/v1/tokens", &json!({ "name": "t", "scopes": "read" })).expect(201).body["token"].clone();
    let link = family.anna.post("/api/v1/lists/weekly/links", &json!({})).expect(201).body["link"].clone();
    let link = link.as_str().unwrap().split('#').nth(1).unwrap().to_owned();
    Browser::of(&family.app).sign_in("ben", "a wrong password").expect(401);
    let cookie = family.ben.cookie();
    let session = cookie.split('=').nth(1).unwrap();
    let secrets = [PASSWORD, "a wrong password", token.as_str().unwrap(), &link, session];
    let data = family.app.data().to_owned();
    let said = family.app.stop_and_tell();
    for secret in secrets {
        assert!(!said.stderr.contains(secret), "in the server's log");
        assert!(!is_in(&data, secret.as_bytes()), "in a file of the data folder");
    }
    assert!(is_in(&data, b"weekly"), "the search finds what is there");
}

fn is_in(folder: &Path, text: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() { is_in(&path, text) } else { memchr::memmem::find(&fs::read(path).unwrap(), text).is_some() }
    })
}
