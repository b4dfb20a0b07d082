//! Nothing of a household in any answer to a stranger: every route that reads, with every parameter.

use serde_json::Value;

use super::{
    people::Person,
    samples::sample,
    things::{Side, Things},
    verdicts::plain,
    world::World,
};
use crate::http::{ROUTES, openapi, tests::rig::Answer};

/// Every text of the hidden household begins so.
const HIDDEN: &str = "hid-";

/// The parameters of a route, as its description names them.
fn parameters(path: &str) -> Vec<String> {
    let document = openapi::document();
    let described = document["paths"][path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
    described.iter().filter(|one| one["in"] == "query").filter_map(|one| one["name"].as_str()).map(str::to_owned).collect()
}

/// Values of a parameter, with placeholders. Positions are of the whole server, so they are the same for every household.
fn values(parameter: &str, at: &str) -> Vec<String> {
    let texts: &[&str] = match parameter {
        "household" => &["$household"],
        "item" => &["$item"],
        "cursor" => &["$cursor-list", "$cursor-order", "$cursor-house"],
        "topics" => &["list:$list", "household:$household", "orders:$household", "product:$product,deals:s,system"],
        "stream" => &["list/$list", "order/$order", "household/$household"],
        "store" => &["s", "$household"],
        "type" => &["list"],
        "kind" => &["shelf"],
        "category" => &["fruit"],
        "gtin" => &["4006381333931"],
        "limit" => &["1", "500"],
        "max_rate" | "min_saving_percent" => &["1"],
        "compression" => &["off"],
        "code" | "state" | "error" | "iss" => &["none"],
        "archived" | "honest" | "outliers" | "member" => &["true", "false"],
        // With it an answer has no end.
        "follow" => &["false"],
        "at" | "after" | "from" | "to" | "known_at" | "since" => return vec![at.to_owned()],
        other => panic!("give values for the new parameter {other}"),
    };
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The queries to try: each parameter alone, and together with a moment of the past.
fn queries(path: &str, at: &str) -> Vec<String> {
    let needed = match path {
        "/api/v1/live/ndjson" => "topics=list:$list".to_owned(),
        path if path.ends_with("/diff") => format!("from={at}"),
        _ => String::new(),
    };
    let alone = parameters(path).into_iter().flat_map(|name| values(&name, at).into_iter().map(move |value| format!("{name}={value}")));
    let alone: Vec<_> = alone.collect();
    let past = alone.iter().map(|query| format!("{query}&at={at}"));
    let all = std::iter::once(String::new()).chain(alone.iter().cloned()).chain(past);
    all.map(|query| format!("?{needed}&{query}").replace("?&", "?").trim_end_matches('&').to_owned()).collect()
}

fn fill(things: &Things, text: &str) -> String {
    let cursors = ["list", "order", "house"].map(|kind| (format!("$cursor-{kind}"), things.cursor(kind)));
    things.fill(&cursors.iter().fold(text.to_owned(), |text, (mark, cursor)| text.replace(mark, cursor)))
}

/// The routes that read. Server-sent events are the same answer as NDJSON, without an end; a socket takes a handshake.
fn reads() -> impl Iterator<Item = &'static str> {
    let endless = ["/api/v1/live/sse", "/api/v1/live"];
    ROUTES.iter().filter(move |(method, path)| *method == "GET" && !endless.contains(path)).map(|(_, path)| *path)
}

fn whole(answer: &Answer) -> String {
    format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body))
}

#[actix_web::test]
async fn no_read_with_any_parameter_gives_a_stranger_anything_of_a_household() {
    let mut world = World::new().await;
    // Of Eve there are lists and orders before and after the hidden ones: pages would begin between them.
    let far = world.furnish(Side::Far).await;
    let hidden = world.furnish(Side::Hidden).await;
    world.furnish(Side::Far).await;
    let at = hidden.position.to_string();
    let mut faults = Vec::new();
    for path in reads() {
        let target = sample("GET", path).map(|sample| sample.target()).unwrap_or_default();
        let target = target.split('?').next().unwrap_or_default();
        for query in queries(path, &at) {
            for of_path in [&hidden, &far] {
                let asked = |of_query: &Things, of_path: &Things| fill(of_path, target) + &fill(of_query, &query);
                let own = asked(&far, of_path);
                faults.extend(compared(&world, &own, &asked(&far, &of_path.missing()), &hidden).await);
                let (about, twin) = (asked(&hidden, of_path), asked(&hidden.missing(), &missing_if_hidden(of_path)));
                faults.extend(compared(&world, &about, &twin, &hidden).await);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn missing_if_hidden(things: &Things) -> Things {
    if things.id("list").starts_with(HIDDEN) { things.missing() } else { things.clone() }
}

/// A request that names nothing hidden must not be answered with it; one that does, as if it were not there.
async fn compared(world: &World, asked: &str, twin: &str, hidden: &Things) -> Option<String> {
    let answer = world.get(Person::Stranger, asked).await;
    let names_hidden = asked.contains(HIDDEN) || asked.contains("cursor=6869642d");
    if !names_hidden {
        return whole(&answer).contains(HIDDEN).then(|| format!("{asked}: {}", whole(&answer)));
    }
    let (seen, unseen) = (plain(&answer, hidden), plain(&world.get(Person::Stranger, twin).await, hidden));
    (seen != unseen).then(|| format!("{asked}:\n  {seen}\n  {unseen}"))
}

#[actix_web::test]
async fn an_owner_reads_all_of_it_so_that_there_is_something_to_hide() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for path in ["lists/$list", "lists/$list/timeline", "households/$household", "orders/$order", "lists", "orders", "households"] {
        let answer = world.get(Person::Owner, &things.fill(&format!("/api/v1/{path}"))).await;
        assert!(answer.status.is_success() && whole(&answer).contains(HIDDEN), "{path}: {}", whole(&answer));
    }
    let spend: Value = world.get(Person::Owner, "/api/v1/households/hid-house/spend").await.json();
    assert!(spend.to_string().contains("91.37"), "{spend}");
}
