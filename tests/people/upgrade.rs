//! A folder from before there were accounts: what was done without one is the first owner's.

use std::process::Command;

use serde_json::json;

use crate::{
    browser::{Browser, PASSWORD},
    support::TestApp,
};

#[test]
fn a_folder_of_before_opens_and_its_local_owner_becomes_the_first_account() {
    let folder = tempfile::tempdir().unwrap();
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/folders/v2-local.tar.gz");
    assert!(Command::new("tar").args(["-xzf", archive, "-C"]).arg(folder.path()).status().unwrap().success());
    let app = TestApp::start_on(folder.path(), &["--require-sign-in"], &[]).unwrap_or_else(|exited| panic!("{exited:?}"));
    let anna = Browser::of_owner(&app);
    assert_eq!(anna.get("/api/v1/session").expect(200).body["households"], json!({ "home": "owner" }));
    let household = anna.get("/api/v1/households/home").expect(200).body;
    let role = |who: &str| household["members"].as_array().unwrap().iter().find(|member| member["member"] == who).unwrap()["role"].clone();
    assert_eq!((role("local"), role("ben"), role("cleo")), (json!("owner"), json!("adult"), json!("viewer")));
    assert_eq!(anna.get("/api/v1/lists/private").expect(200).body["members"], json!([{ "member": "local", "role": "owner" }]));
    // Ben was a member by name only. An admin gives him an account under that name; nobody else can take it.
    anna.post("/api/v1/users", &json!({ "login": "ben", "password": PASSWORD })).expect(201);
    let ben = Browser::of(&app);
    ben.sign_in("ben", PASSWORD).expect(201);
    assert_eq!(ben.get("/api/v1/lists/weekly").expect(200).body["items"][1]["added_by"], "ben");
    assert_eq!(ben.get("/api/v1/lists/private").expect(404).code(), "list_not_found");
    ben.post("/api/v1/lists/weekly/items", &json!({ "name": "Eggs" })).expect(201);
}
