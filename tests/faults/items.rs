//! A list whose items are counted: what was acknowledged is there, or the test fails.

use serde_json::json;

use crate::support::TestApp;

/// How many items the list of [`app_with_items`] has.
pub const ITEMS: usize = 60;

/// A server with a list of items, each in a block of its own.
pub fn app_with_items() -> TestApp {
    let app = TestApp::start_with(&["--self-restore-every-minutes", "0"]);
    app.post("/api/v1/lists", &json!({"id": "weekly", "name": "Weekly"})).ok();
    for number in 0..ITEMS {
        app.post("/api/v1/lists/weekly/items", &json!({"id": format!("item-{number}"), "name": format!("Thing {number}")})).ok();
    }
    app
}

/// Every acknowledged item is there.
#[track_caller]
pub fn assert_items(app: &TestApp) {
    assert_eq!(count_items(app), ITEMS, "every acknowledged item is there");
}

/// How many items the list has.
#[track_caller]
pub fn count_items(app: &TestApp) -> usize {
    let list = app.get("/api/v1/lists/weekly").expect(200);
    list.body["items"].as_array().map_or(0, Vec::len)
}
