//! What reads answer: tags, pages, prices as they were, the log, and the health of the server.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::{Value, json};

use super::rig::{Rig, local, price};
use crate::{
    config::{Config, Secret},
    domain::Moment,
};

fn lines(body: &[u8]) -> Vec<Value> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).expect("is JSON")).collect()
}

#[actix_web::test]
async fn a_list_is_tagged_and_a_price_change_changes_the_tag() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/items", json!({"name": "Milk", "product": "p"})).await;
    let tag = rig.get("/api/v1/lists/l").await.header("etag").to_owned();
    let known = |tag: &str| local(Method::GET, "/api/v1/lists/l").insert_header(("if-none-match", tag.to_owned()));
    assert_eq!(rig.send(known(&tag)).await.status, 304);
    let seen = rig.done("POST", "/api/v1/products/p/prices", json!({"store": "s", "price": {"amount": "1.50", "currency": "EUR"}})).await;
    rig.get(&format!("/api/v1/lists/l?after={}", seen["position"].as_str().expect("a position"))).await;
    assert_eq!(rig.send(known(&tag)).await.status, 200);
}

#[actix_web::test]
async fn a_list_whose_promotion_ended_by_time_alone_is_not_called_unchanged() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/items", json!({"name": "Milk", "product": "p"})).await;
    let until = Moment(rig.app.clock.now().0 + 1_500_000);
    let promo = json!({"store": "s", "kind": "promo", "price": {"amount": "0.50", "currency": "EUR"}, "valid_until": until});
    let seen = rig.done("POST", "/api/v1/products/p/prices", promo).await;
    let shown = rig.get(&format!("/api/v1/lists/l?after={}", seen["position"].as_str().expect("a position"))).await;
    let ended = async {
        loop {
            let known = local(Method::GET, "/api/v1/lists/l").insert_header(("if-none-match", shown.header("etag").to_owned()));
            let answer = rig.send(known).await;
            if answer.status != 304 {
                return answer;
            }
        }
    };
    let later = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("the promotion ends");
    assert_ne!(later.json()["totals"]["estimated"], shown.json()["totals"]["estimated"]);
}

#[actix_web::test]
async fn the_price_that_held_then_and_since_when_is_told() {
    let rig = Rig::furnished().await;
    for (day, amount) in [("2026-01-02", "2.00"), ("2026-02-01", "1.50")] {
        let mut body = price(amount, "EUR");
        body["observed_at"] = json!(day);
        rig.done("POST", "/api/v1/products/p/prices", body).await;
    }
    let head = rig.app.log.head();
    let held = rig.get(&format!("/api/v1/products/p/prices?store=s&at=2026-01-15&after={head}")).await.json();
    assert_eq!((&held["price"]["amount"], &held["since"]), (&json!("2.00"), &json!("2026-01-01T00:00:00Z")), "{held}");
    let before = rig.get("/api/v1/products/p/prices?store=s&at=2025-01-01").await;
    assert_eq!(before.problem().1, "price_unknown");
    let history = rig.get("/api/v1/products/p/prices?store=s&limit=2").await.json();
    assert_eq!(history["entries"][0]["price"]["amount"], "1.50");
    let next = history["next"].as_str().expect("there is a next page");
    let rest = rig.get(&format!("/api/v1/products/p/prices?store=s&cursor={next}")).await.json();
    assert_eq!((rest["entries"].as_array().map(Vec::len), rest.get("next")), (Some(1), None), "{rest}");
}

#[actix_web::test]
async fn the_best_price_has_its_age_and_source() {
    let rig = Rig::furnished().await;
    let best = rig.get(&format!("/api/v1/products/p/best?after={}", rig.app.log.head())).await.json();
    let first = &best["stores"][0];
    assert_eq!((&first["store"], &first["price"]["amount"], &first["source"]), (&json!("s"), &json!("2.00"), &json!("manual")), "{best}");
    assert!(first["age_seconds"].as_u64().is_some_and(|age| age > 0), "{first}");
}

#[actix_web::test]
async fn pages_follow_one_another_without_a_gap() {
    let rig = Rig::empty();
    for name in ["a", "b", "c"] {
        rig.done("POST", "/api/v1/lists", json!({"id": name, "name": name})).await;
    }
    let first = rig.get(&format!("/api/v1/lists?limit=2&after={}", rig.app.log.head())).await.json();
    let second = rig.get(&format!("/api/v1/lists?cursor={}", first["next"].as_str().expect("a next page"))).await.json();
    let ids: Vec<_> = [&first, &second].into_iter().flat_map(|page| page["entries"].as_array().cloned().unwrap_or_default()).collect();
    let ids: Vec<_> = ids.iter().filter_map(|list| list["id"].as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(second.get("next"), None);
}

#[actix_web::test]
async fn the_log_is_read_whole_by_stream_and_by_type() {
    let rig = Rig::furnished().await;
    let all = lines(&rig.get("/api/v1/events").await.body);
    let positions: Vec<_> = all.iter().map(|event| event["position"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(positions, ["1", "2", "3", "4"]);
    let of_product = lines(&rig.get("/api/v1/events?stream=product/p").await.body);
    assert_eq!(of_product.len(), 2);
    let prices = lines(&rig.get("/api/v1/events?type=product.price_observed&limit=5").await.body);
    assert_eq!(prices.len(), 1, "{prices:?}");
    let of_list = lines(&rig.get("/api/v1/lists/l/events").await.body);
    assert_eq!(of_list[0]["type"], "list.created");
}

#[actix_web::test]
async fn totals_are_explained_line_by_line() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/items", json!({"name": "Milk", "product": "p"})).await;
    let totals = rig.get(&format!("/api/v1/lists/l/totals?store=s&after={}", rig.app.log.head())).await.json();
    assert_eq!(
        (&totals["lines"][0]["amount"]["amount"], &totals["totals"]["estimated"]["amount"]),
        (&json!("2.00"), &json!("2.00")),
        "{totals}"
    );
}

#[actix_web::test]
async fn every_answer_names_its_request_and_its_time() {
    let rig = Rig::empty();
    let answer = rig.send(local(Method::GET, "/healthz").insert_header(("x-request-id", "mine-1"))).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    assert!(answer.header("server-timing").starts_with("app;dur="));
    let made = rig.send(local(Method::GET, "/healthz").insert_header(("x-request-id", "not sane!"))).await;
    assert_eq!(made.header("x-request-id").len(), 36);
}

#[actix_web::test]
async fn readiness_tells_durability_and_metrics_tell_commands() {
    let rig = Rig::furnished().await;
    let ready = rig.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["log"]["durability"]), (200, &json!("sync")));
    let metrics = rig.get("/metrics").await;
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    for name in [
        "aisled_http_requests_total",
        "aisled_commands_total",
        "aisled_actors_alive",
        "aisled_feed_lag_events",
        "aisled_process_resident_bytes",
    ] {
        assert!(text.contains(name), "{name} is missing");
    }
}

#[actix_web::test]
async fn a_foreign_host_name_is_not_served_and_a_token_must_be_shown() {
    let rig = Rig::empty();
    let foreign = local(Method::GET, "/api/v1/lists").insert_header(("host", "evil.example"));
    assert_eq!(rig.send(foreign).await.problem().0, 421);
    let guarded = Rig::with(Config { admin_token: Some(Secret::new("0123456789abcdef")), ..Config::default() });
    assert_eq!(guarded.get("/api/v1/lists").await.problem().0, 401);
    assert_eq!(guarded.get("/healthz").await.status, 200);
    let shown = local(Method::GET, "/api/v1/lists").insert_header(("authorization", "Bearer 0123456789abcdef"));
    assert_eq!(guarded.send(shown).await.status, 200);
}

#[actix_web::test]
async fn a_large_answer_is_compressed_only_when_asked() {
    let rig = Rig::empty();
    let plain = rig.get("/api/v1/openapi.json").await;
    let packed = rig.send(local(Method::GET, "/api/v1/openapi.json").insert_header(("accept-encoding", "gzip"))).await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert!(packed.body.len() * 4 < plain.body.len());
    let small = rig.send(local(Method::GET, "/healthz").insert_header(("accept-encoding", "gzip"))).await;
    assert_eq!(small.header("content-encoding"), "");
}

#[actix_web::test]
async fn an_order_shows_its_four_numbers_and_counts_as_spending() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/households", json!({"id": "h", "name": "Home"})).await;
    let money = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let line = json!({"line": 1, "product": "p", "quantity": {"amount": "2", "unit": "each"}, "charged": money("4.00")});
    let order =
        json!({"id": "o", "household": "h", "store": "s", "placed_at": "2026-03-01", "lines": [line], "printed_total": money("4.10")});
    assert_eq!(rig.write("POST", "/api/v1/orders", order).await.status, 201);
    let refund =
        json!({"op": "refund_line", "line": 1, "quantity": {"amount": "1", "unit": "each"}, "amount": money("2.00"), "reason": null});
    rig.done("POST", "/api/v1/orders/o/commands", refund).await;
    let shown = rig.get("/api/v1/orders/o").await.json();
    let numbers: BTreeMap<_, _> =
        ["ordered", "picked", "charged", "refunded"].into_iter().map(|n| (n, shown["lines"][0][n]["amount"].clone())).collect();
    let expected =
        BTreeMap::from([("ordered", json!("2")), ("picked", json!("2")), ("charged", json!("4.00")), ("refunded", json!("2.00"))]);
    assert_eq!(numbers, expected, "{shown}");
    assert_eq!(shown["variance"]["amount"], "0.10");
    let spend = rig.get(&format!("/api/v1/households/h/spend?after={}", rig.app.log.head())).await.json();
    assert_eq!(spend["currencies"][0]["orders"], 1, "{spend}");
    assert_eq!(rig.get("/api/v1/orders?household=h").await.json()["entries"][0]["id"], "o");
    assert_eq!(rig.get("/api/v1/orders").await.json()["entries"][0]["id"], "o");
}
