//! What clients saw in a history that was replaced: refused on every route, wherever it is sent.

use std::sync::Arc;

use actix_web::{http::Method, test::TestRequest};
use serde_json::{Value, json};

use super::{
    matrix::samples::{Sample, sample},
    rig::{Answer, Rig, local, method_of},
};
use crate::{
    actors::Request,
    domain::{
        Context, Principal,
        system::{ADMIN, System, SystemEvent},
    },
    events::{Log, MemoryLog, SystemClock},
    http::{NEEDS, ROUTES},
};

/// Parameters in which a client says what it saw.
const SEEN_IN: [&str; 6] = ["after", "at", "known_at", "from", "to", "cursor"];

/// A server on a history that begins as a copy of the past of another one, with something recorded since.
async fn restored() -> (Rig, Rig) {
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Arc::new(SystemClock)));
    let before = Rig::on(Arc::clone(&log));
    before.done("POST", "/api/v1/stores", json!({"id": "s", "name": "Shop", "currency": "EUR"})).await;
    before.done("POST", "/api/v1/products", json!({"id": "p", "name": "Milk"})).await;
    before.done("POST", "/api/v1/households", json!({"id": "h", "name": "Home"})).await;
    before.done("POST", "/api/v1/lists", json!({"id": "l", "name": "Weekly", "store": "s"})).await;
    before.done("POST", "/api/v1/lists/l/items", json!({"id": "i", "name": "Tea"})).await;
    let event = SystemEvent::Restored { snapshot: None, position: log.head().0, left_epoch: "e".into(), left_position: 9 };
    let context = Context::of_admin(Principal::new("ann").expect("an id"), before.app.clock.now());
    let request = Request { command: event, more: Vec::new(), context, key: None, client: None, if_version: None };
    before.app.registry.execute::<System>(ADMIN, request).await.expect("it is recorded");
    let after = Rig::on(log);
    for (path, name) in [("stores/s", "Corner"), ("products/p", "Oat milk"), ("lists/l", "Daily")] {
        after.done("PATCH", &format!("/api/v1/{path}"), json!({"name": name})).await;
    }
    after.done("POST", "/api/v1/products/p/prices", super::rig::price("2.00", "EUR")).await;
    after.done("PATCH", "/api/v1/lists/l/items/i", json!({"note": "green"})).await;
    after
        .done("POST", "/api/v1/households/h/commands", json!({"op": "set_budget", "monthly": {"amount": "5.00", "currency": "EUR"}}))
        .await;
    (before, after)
}

fn filled(text: &str) -> String {
    let things =
        [("$list", "l"), ("$product", "p"), ("$store", "s"), ("$household", "h"), ("$item", "i"), ("$order", "o"), ("$new", "new")];
    let text = text.replace("$position", "4").replace("$now", "4");
    things.iter().fold(text, |text, (name, id)| text.replace(name, id))
}

fn asked(sample: Sample, parameter: Option<(&str, &str)>) -> TestRequest {
    let target = filled(&sample.target());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && parameter.is_none_or(|(name, _)| !pair.starts_with(&format!("{name}="))));
    let query: Vec<_> = kept.map(str::to_owned).chain(parameter.map(|(name, value)| format!("{name}={value}"))).collect();
    let request = local(method_of(sample.method), format!("{path}?{}", query.join("&")).trim_end_matches('?'));
    match (sample.body, sample.path) {
        ("", _) => request,
        (body, "/api/v1/prices") => request.insert_header(("content-type", "application/x-ndjson")).set_payload(filled(body)),
        (body, _) => request.insert_header(("content-type", "application/json")).set_payload(filled(body)),
    }
}

fn is_history_changed(answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["code"] == "history_changed" && body["epoch"] == "memory"
}

fn code(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    body["code"].as_str().unwrap_or_default().to_owned()
}

#[actix_web::test]
async fn no_route_takes_a_position_time_or_cursor_of_a_history_that_was_replaced() {
    let (_, rig) = restored().await;
    let line = rig.line().await;
    let head = rig.app.log.head().0;
    let (mut refused, mut faults) = (0, Vec::new());
    for (method, path) in ROUTES.iter().filter(|(method, _)| *method == "GET") {
        let sample = sample(method, path).expect("every route has a sample");
        for name in SEEN_IN {
            let hex = "6c";
            let values =
                if name == "cursor" { [hex.to_owned(), format!("{hex}~deadbeef")] } else { [head.to_string(), format!("{head}~deadbeef")] };
            for value in values {
                let answer = line.send(asked(sample, Some((name, &value)))).await;
                let takes = !["unknown_parameter", "missing_parameter"].contains(&&*code(&answer)) && path.starts_with("/api/v1/");
                if is_history_changed(&answer) {
                    refused += 1;
                } else if takes
                    && answer.status.is_success()
                    && String::from_utf8_lossy(&answer.body).len() > 2
                    && takes_query(&line, sample).await
                {
                    faults.push(format!("{path}?{name}={value}: {} {:?}", answer.status, answer.body));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(refused >= 60, "only {refused} refusals: do the routes still take these parameters?");
}

/// Whether a route looks at its query at all: one that does not answers an unknown parameter as well.
async fn takes_query(line: &super::rig::Line, sample: Sample) -> bool {
    code(&line.send(asked(sample, Some(("unknown", "x")))).await) == "unknown_parameter"
}

#[actix_web::test]
async fn no_route_answers_a_request_that_names_another_epoch() {
    let (_, rig) = restored().await;
    let line = rig.line().await;
    for (method, path) in ROUTES {
        let request = asked(sample(method, path).expect("every route has a sample"), None);
        let answer = line.send(request.insert_header(("x-aisled-epoch", "another"))).await;
        assert!(is_history_changed(&answer) && answer.status == 409, "{method} {path}: {answer:?}");
    }
}

#[actix_web::test]
async fn no_command_counts_on_a_version_of_a_history_that_was_replaced() {
    let (before, rig) = restored().await;
    let (line, mut refused) = (rig.line().await, 0);
    for ((method, path), _) in ROUTES.iter().zip(NEEDS).filter(|(_, need)| need.is_decided()) {
        let sample = sample(method, path).expect("every route has a sample");
        for version in 1..=4 {
            for tag in [format!("\"{version}\""), format!("\"{version}~deadbeef\"")] {
                let head = rig.app.log.head();
                let answer = line.send(asked(sample, None).insert_header(("if-match", tag.as_str()))).await;
                let names_thing = path.contains("{id}") && !path.contains("orders");
                refused += usize::from(is_history_changed(&answer) && answer.status == 412);
                assert!(!names_thing || is_history_changed(&answer), "{method} {path} {tag}: {answer:?}");
                assert!(!answer.status.is_success() || path == &"/api/v1/undo", "{method} {path} {tag}: {answer:?}");
                assert!(rig.app.log.head() == head || path == &"/api/v1/undo", "{method} {path}: nothing is recorded");
            }
        }
    }
    assert!(refused >= 80, "{refused}");
    drop(before);
}

#[actix_web::test]
async fn what_is_sent_in_a_body_is_checked_too() {
    let (_, rig) = restored().await;
    let head = rig.app.log.head();
    for (path, body) in [
        ("/api/v1/undo", json!({"position": head.to_string()})),
        ("/api/v1/undo", json!({"position": format!("{head}~deadbeef")})),
        ("/api/v1/lists/l/restore", json!({"at": head.to_string()})),
        ("/api/v1/households/h/restore", json!({"at": head.to_string()})),
    ] {
        let answer = rig.write("POST", path, body.clone()).await;
        assert!(is_history_changed(&answer), "{path} {body}: {answer:?}");
    }
}

#[actix_web::test]
async fn what_both_histories_have_and_what_the_new_one_gave_goes_on() {
    let (_, rig) = restored().await;
    assert_eq!(rig.get("/api/v1/lists/l?at=4").await.status, 200, "it is from before the restore");
    let renamed = rig.write("PATCH", "/api/v1/lists/l", json!({"name": "Saturday"})).await;
    let position = renamed.json()["position"].as_str().expect("a position").to_owned();
    assert!(position.contains('~'), "{position}");
    for path in ["/api/v1/lists/l?after=", "/api/v1/lists/l?at=", "/api/v1/events?after=", "/api/v1/stores?after="] {
        assert_eq!(rig.get(&format!("{path}{position}")).await.status, 200, "{path}{position}");
    }
    let shown = rig.get("/api/v1/lists/l").await;
    assert_eq!(shown.json()["position"], position.as_str());
    let bare = position.split('~').next().expect("a number");
    let named = local(Method::GET, &format!("/api/v1/lists/l?after={bare}")).insert_header(("x-aisled-epoch", "memory"));
    assert_eq!(rig.send(named).await.status, 200, "a number with the epoch");
    for tag in [shown.header("etag"), renamed.header("etag")] {
        let again = local(Method::PATCH, "/api/v1/lists/l").set_json(json!({"name": "Saturday"})).insert_header(("if-match", tag));
        assert_eq!(rig.send(again).await.status, 200, "{tag}");
    }
    let lines = rig.get("/api/v1/events").await;
    let newest: Value =
        serde_json::from_slice(lines.body.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().expect("a line")).expect("JSON");
    assert_eq!(rig.get(&format!("/api/v1/events?after={}", newest["position"].as_str().expect("text"))).await.status, 200);
    let page = rig.get("/api/v1/lists/l/timeline?limit=1").await.json();
    let next = page["next"].as_str().expect("there is more");
    assert_eq!(rig.get(&format!("/api/v1/lists/l/timeline?limit=1&cursor={next}")).await.status, 200);
}

#[actix_web::test]
async fn a_copy_of_the_replaced_history_is_not_taken_for_unmodified() {
    let (_, rig) = restored().await;
    for path in ["/api/v1/lists/l", "/api/v1/products/p", "/api/v1/stores/s", "/api/v1/households/h"] {
        let tag = rig.get(path).await.header("etag").to_owned();
        assert!(tag.contains('~'), "{path}: {tag}");
        let replaced = format!("{}\"", tag.split('~').next().expect("a version"));
        let known = local(Method::GET, path).insert_header(("if-none-match", replaced));
        assert_eq!(rig.send(known).await.status, 200, "{path}");
    }
}
