//! The rules of `docs/input.md`, each asked of every route of the table, so that a new route keeps them too.

mod bodies;
mod headers;
mod queries;
mod texts;
mod values;

use actix_web::test::TestRequest;
use serde_json::Value;

use super::{
    people::Person,
    samples::{Sample, sample},
    things::{Side, Things},
    world::World,
};
use crate::http::{
    ROUTES,
    tests::rig::{Answer, method_of},
};

/// One JSON object a line, each answered by itself.
const BULK: &str = "/api/v1/prices";

/// What is done once, or one at a time: the second request would be answered by that.
const ONCE: [&str; 3] = ["/api/v1/setup", "/api/v1/admin/views/rebuild", "/api/v1/admin/self-restore"];

/// The samples of all routes, in the order of the table.
fn samples() -> impl Iterator<Item = Sample> {
    ROUTES.iter().map(|(method, path)| sample(method, path).expect("every route has a sample because another test demands it"))
}

/// Those of routes that change something.
fn writes() -> impl Iterator<Item = Sample> {
    samples().filter(|sample| sample.method != "GET")
}

/// A body that the route reads; where none is needed, an empty object.
fn body_of(sample: Sample, things: &Things) -> String {
    if sample.body.is_empty() { "{}".to_owned() } else { things.fill(sample.body) }
}

fn content_type(sample: Sample) -> (&'static str, &'static str) {
    ("content-type", if sample.path == BULK { "application/x-ndjson" } else { "application/json" })
}

/// A request of an admin to a route, without a body.
fn bare(sample: Sample, things: &Things) -> TestRequest {
    Person::Admin.asks(method_of(sample.method), &things.fill(&sample.target()))
}

fn with_body(sample: Sample, things: &Things, body: impl Into<actix_web::web::Bytes>) -> TestRequest {
    bare(sample, things).insert_header(content_type(sample)).set_payload(body)
}

/// The request as the sample has it.
fn plain(sample: Sample, things: &Things) -> TestRequest {
    if sample.body.is_empty() { bare(sample, things) } else { with_body(sample, things, body_of(sample, things)) }
}

/// The status of an answer and its code; of a line in bulk, whether it was refused and why.
fn outcome(answer: &Answer) -> (u16, String) {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    if answer.header("content-type") == "application/x-ndjson" {
        let line = answer.body.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line: Value = serde_json::from_slice(line).unwrap_or_default();
        return (answer.status.as_u16(), text(&line, "error"));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (answer.status.as_u16(), if answer.status.is_success() { String::new() } else { text(&body, "code") })
}

/// Whether an answer refuses with this code; lines in bulk have no status of their own.
fn refuses(sample: Sample, answer: &Answer, status: u16, code: &str) -> bool {
    let (answered, told) = outcome(answer);
    told == code && (answered == status || sample.path == BULK)
}

/// Every route that is asked something which it must refuse, with nothing recorded.
async fn all_refuse(ask: impl Fn(Sample, &Things) -> Option<TestRequest>, status: u16, code: &str) {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let head = world.rig.app.log.head();
    let mut faults = Vec::new();
    for sample in samples() {
        let Some(request) = ask(sample, &things) else { continue };
        let answer = world.line.send(request).await;
        if !refuses(sample, &answer, status, code) {
            faults.push(format!("{} {}: {} {:?}", sample.method, sample.path, answer.status, answer.body));
        }
    }
    assert!(faults.is_empty(), "not {status} {code}:\n{}", faults.join("\n"));
    assert_eq!(world.rig.app.log.head(), head, "a refused request left an event");
}

/// Every route answers a request that differs only in form as it answers the plain one. Each on new things, because they may change them.
async fn all_answer_alike(differ: impl Fn(Sample, &Things) -> Option<TestRequest>) {
    let mut world = World::new().await;
    let mut faults = Vec::new();
    for sample in samples() {
        if ONCE.contains(&sample.path) {
            continue;
        }
        let things = world.furnish(Side::Hidden).await;
        let expected = outcome(&world.line.send(plain(sample, &things)).await);
        world.tidy(Side::Hidden, &things).await;
        let things = world.furnish(Side::Hidden).await;
        if let Some(request) = differ(sample, &things) {
            let answer = world.line.send(request).await;
            if outcome(&answer) != expected {
                faults.push(format!("{} {}: {expected:?}, but {} {:?}", sample.method, sample.path, answer.status, answer.body));
            }
        }
        world.tidy(Side::Hidden, &things).await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
