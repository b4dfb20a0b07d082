//! Every route, as everybody, on the own and on a foreign household.

use actix_web::test::TestRequest;

use super::{
    people::Person,
    samples::{CREDENTIALS, Sample, sample},
    things::{Side, Things},
    verdicts::{fault, plain},
    world::World,
};
use crate::{
    domain::rights::{Action, Verdict},
    http::{
        NEEDS, ROUTES,
        tests::rig::{Answer, method_of},
    },
};

#[test]
fn every_route_has_a_sample() {
    let without: Vec<_> = ROUTES.iter().filter(|(method, path)| sample(method, path).is_none()).collect();
    assert!(without.is_empty(), "write samples in samples.rs for {without:?}");
}

#[actix_web::test]
async fn every_route_does_for_everybody_what_the_permission_table_says() {
    let mut world = World::new().await;
    let things = [world.furnish(Side::Hidden).await, world.furnish(Side::Far).await];
    let mut faults = Vec::new();
    for ((method, path), need) in ROUTES.iter().zip(NEEDS) {
        let sample = sample(method, path).expect("every route has a sample because a test above demands it");
        let action = sample.action.unwrap_or_else(|| need.action());
        for (side, kept) in Side::BOTH.into_iter().zip(&things) {
            for who in Person::ALL {
                let verdict = who.standing(action, side).may(action);
                let found = if verdict == Verdict::Allowed {
                    allowed(&mut world, who, side, sample, action).await
                } else {
                    refused(&world, who, kept, sample, verdict).await
                };
                faults.extend(found.map(|fault| format!("{who:?} {method} {path} of {side:?}: {fault}")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn request(who: Person, sample: Sample, things: &Things) -> TestRequest {
    let request = who.asks(method_of(sample.method), &things.fill(&sample.target()));
    match (sample.body, sample.path) {
        ("", _) => request,
        (body, "/api/v1/prices") => request.insert_header(("content-type", "application/x-ndjson")).set_payload(things.fill(body)),
        (body, _) => request.insert_header(("content-type", "application/json")).set_payload(things.fill(body)),
    }
}

/// On new things, because it changes them.
async fn allowed(world: &mut World, who: Person, side: Side, sample: Sample, action: Action) -> Option<String> {
    let things = world.furnish(side).await;
    let answer = world.line.send(request(who, sample, &things)).await;
    world.tidy(side, &things).await;
    let status = answer.status.as_u16();
    // Here is no folder with snapshots, and no handshake: it counts that the handler was asked.
    // Nor is there an account or a credential of these people: they act by their names.
    let names_nothing = sample.path.ends_with('}') && CREDENTIALS.iter().any(|named| sample.path.ends_with(named)) && status == 404;
    let is_asked = names_nothing
        || matches!(action, Action::RunServer | Action::KeepAccount) && ![401, 403].contains(&status)
        || action == Action::Enter && status != 401
        || ["/api/v1/password", "/api/v1/oidc/link"].contains(&sample.path);
    let fine = is_asked || answer.status.is_success();
    (!fine || has_refused_line(&answer)).then(|| format!("is allowed, but {status} {:?}", answer.body))
}

/// Lines in bulk are answered one by one.
fn has_refused_line(answer: &Answer) -> bool {
    answer.header("content-type") == "application/x-ndjson" && String::from_utf8_lossy(&answer.body).contains("\"error\":")
}

/// Nothing is recorded, and what must not be known of is answered as if it were not there.
async fn refused(world: &World, who: Person, things: &Things, sample: Sample, verdict: Verdict) -> Option<String> {
    let head = world.rig.app.log.head();
    let answer = world.line.send(request(who, sample, things)).await;
    let missing = things.missing();
    let twin = world.line.send(request(who, sample, &missing)).await;
    if world.rig.app.log.head() != head {
        return Some(format!("{verdict:?}, but something was recorded"));
    }
    let (seen, unseen) = (plain(&answer, things), plain(&twin, &missing));
    if verdict == Verdict::Hidden && (seen != unseen || !answer.status.is_client_error()) {
        return Some(format!("must look like what is not there:\n  {seen}\n  {unseen}"));
    }
    fault(verdict, &answer)
}
