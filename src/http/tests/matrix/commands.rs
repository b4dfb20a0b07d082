//! Every command of every entity, as everybody, on the own and on a foreign household.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::PartialSchema;

use super::{
    people::Person,
    things::{Side, Things},
    verdicts::{fault, plain},
    world::World,
};
use crate::domain::{
    household::HouseholdCommand,
    list::ListCommand,
    order::OrderCommand,
    product::ProductCommand,
    rights::{Action, Verdict},
    store::StoreCommand,
};

/// The samples, which the tests of the socket read, too.
fn samples() -> Value {
    serde_json::from_str(include_str!("../../../../tests/fixtures/matrix/commands.json")).expect("the samples are JSON")
}

fn op(command: &Value) -> &str {
    command["op"].as_str().unwrap_or_default()
}

/// The names of an entity's commands, from the schema that clients see.
fn ops<C: PartialSchema>() -> BTreeSet<String> {
    let schema = serde_json::to_value(C::schema()).expect("a schema is JSON");
    let mut ops = BTreeSet::new();
    let mut waiting = vec![&schema];
    while let Some(value) = waiting.pop() {
        let named = value["properties"]["op"]["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        ops.extend(named.map(str::to_owned));
        let parts = ["oneOf", "allOf"].into_iter().filter_map(|of| value[of].as_array());
        waiting.extend(parts.flatten());
    }
    ops
}

#[test]
fn every_command_has_a_sample() {
    let samples = samples();
    for (entity, ops) in [
        ("list", ops::<ListCommand>()),
        ("household", ops::<HouseholdCommand>()),
        ("order", ops::<OrderCommand>()),
        ("product", ops::<ProductCommand>()),
        ("store", ops::<StoreCommand>()),
    ] {
        let sampled: BTreeSet<_> = samples[entity].as_array().into_iter().flatten().map(|command| op(command).to_owned()).collect();
        assert_eq!(sampled, ops, "tests/fixtures/matrix/commands.json, {entity}");
    }
}

/// What a command takes, and the id of the thing it is for.
fn takes(entity: &str, command: &Value) -> (Action, &'static str) {
    // What a source says of an order places it, and like a placing it tells that an id is taken.
    let is_new = matches!((entity, op(command)), (_, "create" | "place" | "register") | ("order", "update"));
    match entity {
        "list" => {
            let command: ListCommand = serde_json::from_str(&command.to_string().replace('$', "a-")).expect("a command of a list");
            (command.action(), if is_new { "$new" } else { "$list" })
        }
        "household" => {
            let command: HouseholdCommand =
                serde_json::from_str(&command.to_string().replace('$', "a-")).expect("a command of a household");
            (command.action(), if is_new { "$new" } else { "$household" })
        }
        "order" if is_new => (Action::EditHousehold, "$new"),
        "order" => (Action::EditOrder, "$order"),
        "product" => (Action::EditCatalog, if is_new { "$new" } else { "$product" }),
        _ => (Action::EditCatalog, if is_new { "$new" } else { "$store" }),
    }
}

#[actix_web::test]
async fn every_command_does_for_everybody_what_the_permission_table_says() {
    let mut world = World::new().await;
    let things = [world.furnish(Side::Hidden).await, world.furnish(Side::Far).await];
    let mut faults = Vec::new();
    for (entity, commands) in samples().as_object().expect("entities with their commands") {
        for command in commands.as_array().expect("commands") {
            let (action, target) = takes(entity, command);
            let path = format!("/api/v1/{entity}s/{target}/commands");
            for (side, kept) in Side::BOTH.into_iter().zip(&things) {
                for who in Person::ALL {
                    let verdict = who.standing(action, side).may(action);
                    let found = if verdict == Verdict::Allowed {
                        allowed(&mut world, who, side, &path, command).await
                    } else {
                        refused(&world, who, kept, &path, command, verdict).await
                    };
                    faults.extend(found.map(|fault| format!("{who:?} {entity} {} of {side:?}: {fault}", op(command))));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn filled(things: &Things, command: &Value) -> Option<Value> {
    serde_json::from_str(&things.fill(&command.to_string())).ok()
}

async fn allowed(world: &mut World, who: Person, side: Side, path: &str, command: &Value) -> Option<String> {
    let things = world.furnish(side).await;
    let answer = world.ask(who, "POST", &things.fill(path), filled(&things, command)).await;
    world.tidy(side, &things).await;
    (!answer.status.is_success()).then(|| format!("is allowed, but {} {:?}", answer.status, answer.body))
}

async fn refused(world: &World, who: Person, things: &Things, path: &str, command: &Value, verdict: Verdict) -> Option<String> {
    let head = world.rig.app.log.head();
    let answer = world.ask(who, "POST", &things.fill(path), filled(things, command)).await;
    let missing = things.missing();
    let twin = world.ask(who, "POST", &missing.fill(path), filled(&missing, command)).await;
    if world.rig.app.log.head() != head {
        return Some(format!("{verdict:?}, but something was recorded"));
    }
    let (seen, unseen) = (plain(&answer, things), plain(&twin, &missing));
    if verdict == Verdict::Hidden && (seen != unseen || !answer.status.is_client_error()) {
        return Some(format!("must look like what is not there:\n  {seen}\n  {unseen}"));
    }
    fault(verdict, &answer)
}
