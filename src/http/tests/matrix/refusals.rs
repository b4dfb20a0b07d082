//! Writes by which a stranger could feel for what exists: conditions, names of commands, and ids in bodies.

use super::{
    people::Person,
    things::{Side, Things},
    verdicts::plain,
    world::World,
};
use crate::http::tests::rig::{Answer, method_of};

/// A request: its name, method, path, a header, and a body.
type Probe = (&'static str, &'static str, &'static str, (&'static str, &'static str), &'static str);

const NO_HEADER: (&str, &str) = ("accept", "*/*");
const CHECK: &str = r#"{"op": "check", "item": "$tick", "command_id": "$command"}"#;
const TEA: &str = r#"{"name": "Tea"}"#;

#[rustfmt::skip]
const PROBES: &[Probe] = &[
    // First, while what is not there was never asked for.
    ("a read with a mistake", "GET", "/api/v1/lists/$list/timeline?colour=red", NO_HEADER, ""),
    ("a household with a mistake", "GET", "/api/v1/households/$household/spend?from=2026-02-01&to=2026-01-01", NO_HEADER, ""),
    ("an order with a mistake", "GET", "/api/v1/orders/$order?colour=red", NO_HEADER, ""),
    ("a condition on a list", "POST", "/api/v1/lists/$list/items", ("if-match", "\"1\""), TEA),
    ("a condition on a household", "POST", "/api/v1/households/$household/commands", ("if-match", "\"1\""), r#"{"op": "set_budget", "monthly": null}"#),
    ("a condition on an order", "POST", "/api/v1/orders/$order/commands", ("if-match", "\"9\""), r#"{"op": "cancel", "reason": null}"#),
    ("the same command again", "POST", "/api/v1/lists/$list/commands", NO_HEADER, CHECK),
    ("another command of the same name", "POST", "/api/v1/lists/$list/items", ("idempotency-key", "$command"), TEA),
    ("a member of a household leaves", "POST", "/api/v1/households/$household/commands", NO_HEADER, r#"{"op": "leave", "member": "$mate"}"#),
    ("an order for a foreign list", "POST", "/api/v1/orders", NO_HEADER, r#"{"id": "$new", "household": "far-house", "list": "$list", "store": "s", "lines": [
        {"line": 1, "name": "Tea", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "2.00", "currency": "EUR"}}]}"#),
    ("an order with two mistakes", "POST", "/api/v1/orders", NO_HEADER, r#"{"id": "$new", "household": "$household", "list": "nowhere", "store": "s", "lines": []}"#),
    ("a list without a name", "POST", "/api/v1/lists", NO_HEADER, r#"{"id": "$new", "name": " ", "household": "$household"}"#),
    ("an undo by name", "POST", "/api/v1/undo", NO_HEADER, r#"{"command_id": "$command"}"#),
    ("an undo by name and stream", "POST", "/api/v1/undo", NO_HEADER, r#"{"command_id": "$command", "stream": "list/$list"}"#),
    ("a previewed undo", "POST", "/api/v1/undo", NO_HEADER, r#"{"position": "$position", "preview": true}"#),
    ("an undo of a person", "POST", "/api/v1/undo", NO_HEADER, r#"{"who": "$owner", "since": "2020-01-01"}"#),
    ("an undo of a person in a stream", "POST", "/api/v1/undo", NO_HEADER, r#"{"who": "$owner", "since": "2020-01-01", "stream": "list/$list"}"#),
    ("a previewed restore", "POST", "/api/v1/lists/$list/restore", NO_HEADER, r#"{"at": "1", "preview": true}"#),
    ("a restore to no moment", "POST", "/api/v1/lists/$list/restore", NO_HEADER, r#"{"at": "999999"}"#),
    ("a restore that cannot be read", "POST", "/api/v1/lists/$list/restore", NO_HEADER, r#"{"when": "1"}"#),
    ("a list that the reader has", "GET", "/api/v1/lists/$list", ("if-none-match", "*"), ""),
    ("a list at a moment that is not there", "GET", "/api/v1/lists/$list?at=999999", NO_HEADER, ""),
];

async fn send(world: &World, (_, method, path, header, body): &Probe, things: &Things) -> Answer {
    let owner = things.fill("$household").replace("house", "anna");
    let fill = |text: &str| things.fill(&text.replace("$owner", &owner).replace("$tick", &things.id("tick")));
    let request = Person::Stranger.asks(method_of(method), &fill(path)).insert_header((header.0, fill(header.1)));
    let request = match *body {
        "" => request,
        body => request.insert_header(("content-type", "application/json")).set_payload(fill(body)),
    };
    world.line.send(request).await
}

#[actix_web::test]
async fn a_stranger_cannot_tell_what_is_hidden_from_what_is_not_there() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let missing = things.missing();
    let head = world.rig.app.log.head();
    // Awake or not, a thing answers the same: at first only what is there is awake, in the second round both are.
    for path in ["lists/$list", "households/$household", "orders/$order"] {
        assert!(world.get(Person::Owner, &things.fill(&format!("/api/v1/{path}"))).await.status.is_success());
    }
    for _ in 0..2 {
        for probe in PROBES {
            let (seen, unseen) = (send(&world, probe, &things).await, send(&world, probe, &missing).await);
            let (seen, unseen) = (plain(&seen, &things), plain(&unseen, &missing));
            assert_eq!(seen, unseen, "{}", probe.0);
        }
    }
    assert_eq!(world.rig.app.log.head(), head, "nothing was recorded");
}

#[actix_web::test]
async fn who_makes_a_thing_of_a_taken_id_learns_only_that_it_is_taken() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for (path, body) in [
        ("/api/v1/lists", r#"{"id": "$list", "name": "Mine"}"#),
        ("/api/v1/households", r#"{"id": "$household", "name": "Mine"}"#),
        (
            "/api/v1/orders",
            r#"{"id": "$order", "household": "far-house", "store": "s", "lines": [
            {"line": 1, "name": "Tea", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "2.00", "currency": "EUR"}}]}"#,
        ),
    ] {
        let body = serde_json::from_str(&things.fill(body)).expect("a body");
        let answer = world.ask(Person::Stranger, "POST", path, Some(body)).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.status == 409 && !text.contains("hid-") && answer.header("location").is_empty(), "{path}: {text}");
    }
}
