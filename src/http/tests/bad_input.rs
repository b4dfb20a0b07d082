//! Every kind of bad input gets a clear 4xx with a stable code and a pointer, and leaves no event.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::rig::{Rig, local, method_of, price};

/// A request, and the expected status, code and pointer.
type Case = (&'static str, &'static str, Value, u16, &'static str, &'static str);

async fn refuses(cases: impl IntoIterator<Item = Case>) {
    let rig = Rig::furnished().await;
    let head = rig.app.log.head();
    for (method, path, body, status, code, pointer) in cases {
        let answer = rig.write(method, path, body.clone()).await;
        let expected = (status, code.to_owned(), pointer.to_owned());
        assert_eq!(answer.problem(), expected, "{method} {path} {body}: {:?}", answer.body);
    }
    assert_eq!(rig.app.log.head(), head, "a refused request left an event");
}

const ITEMS: &str = "/api/v1/lists/l/items";
const PRICES: &str = "/api/v1/products/p/prices";

#[actix_web::test]
async fn fields_that_are_unknown_missing_or_of_the_wrong_kind_are_pointed_at() {
    refuses([
        ("POST", ITEMS, json!({"name": "Milk", "colour": "white"}), 422, "unknown_field", "/colour"),
        ("POST", ITEMS, json!({"quantity": {"amount": "1", "unit": "kg"}}), 422, "missing_field", "/name"),
        ("POST", ITEMS, json!({"name": 7}), 422, "invalid_value", "/name"),
        ("POST", ITEMS, json!({"name": "Milk", "id": "a b"}), 422, "invalid_id", "/id"),
        ("POST", ITEMS, json!({"name": "Milk", "quantity": {"amount": 1.5, "unit": "kg"}}), 422, "invalid_value", "/quantity/amount"),
        (
            "POST",
            ITEMS,
            json!({"name": "Milk", "quantity": {"amount": "1,5", "unit": "kg"}}),
            422,
            "quantity_malformed",
            "/quantity/amount",
        ),
        (
            "POST",
            ITEMS,
            json!({"name": "Milk", "quantity": {"amount": "1.1234567", "unit": "kg"}}),
            422,
            "quantity_too_precise",
            "/quantity/amount",
        ),
        ("POST", PRICES, price("two", "EUR"), 422, "amount_malformed", "/price/amount"),
        ("POST", PRICES, price("2.00", "XXQ"), 422, "currency_unknown", "/price/currency"),
        ("POST", "/api/v1/lists/l/commands", json!({"op": "dance"}), 422, "unknown_value", ""),
        ("POST", "/api/v1/lists/l/commands", json!({"op": "rename", "name": "x", "y": 1}), 422, "unknown_field", "/y"),
    ])
    .await;
}

#[actix_web::test]
async fn an_array_is_not_taken_for_the_object_that_is_expected() {
    refuses([
        ("POST", "/api/v1/lists", json!(["x", null, "Weekly", null, null]), 422, "invalid_value", ""),
        ("POST", ITEMS, json!({"name": "Milk", "quantity": ["2", "kg"]}), 422, "invalid_value", "/quantity"),
        ("POST", PRICES, json!({"store": "s", "price": ["2.22", "EUR", "kg"]}), 422, "invalid_value", "/price"),
        ("PATCH", "/api/v1/lists/l", json!({"budget": ["2.22", "EUR"]}), 422, "invalid_value", "/budget"),
    ])
    .await;
}

#[actix_web::test]
async fn a_refusal_points_at_the_field_as_the_body_calls_it() {
    let rig = Rig::furnished().await;
    let item = rig.done("POST", ITEMS, json!({"id": "i", "name": "Milk"})).await;
    assert_eq!(item["item"], "i");
    let less = json!({"change_by": {"amount": "-5", "unit": "each"}});
    for (method, path, body, pointer) in [
        ("PATCH", "/api/v1/lists/l/items/i", less, "/change_by/amount"),
        ("POST", ITEMS, json!({"id": "i", "name": "Bread"}), "/id"),
        ("PATCH", "/api/v1/stores/s", json!({"aisle_order": ["dairy", "dairy"]}), "/aisle_order/1"),
    ] {
        let answer = rig.write(method, path, body.clone()).await;
        assert_eq!(answer.problem().2, pointer, "{method} {path} {body}: {:?}", answer.body);
    }
}

#[actix_web::test]
async fn absurd_prices_and_quantities_are_refused() {
    refuses([
        (
            "POST",
            ITEMS,
            json!({"name": "Milk", "quantity": {"amount": "0", "unit": "kg"}}),
            422,
            "quantity_not_positive",
            "/quantity/amount",
        ),
        (
            "POST",
            ITEMS,
            json!({"name": "Milk", "quantity": {"amount": "-1", "unit": "kg"}}),
            422,
            "quantity_not_positive",
            "/quantity/amount",
        ),
        (
            "POST",
            ITEMS,
            json!({"name": "Milk", "quantity": {"amount": "1000001", "unit": "kg"}}),
            422,
            "quantity_too_large",
            "/quantity/amount",
        ),
        ("POST", ITEMS, json!({"name": ""}), 422, "text_empty", "/name"),
        ("POST", PRICES, price("0", "EUR"), 422, "price_not_positive", "/price/amount"),
        ("POST", PRICES, price("-2.00", "EUR"), 422, "price_not_positive", "/price/amount"),
        ("POST", PRICES, price("1000001", "EUR"), 422, "price_too_large", "/price/amount"),
        ("POST", PRICES, price("2.00", "USD"), 422, "currency_differs", "/price/currency"),
    ])
    .await;
}

#[actix_web::test]
async fn unknown_and_odd_ids_are_refused() {
    let line = json!({"line": 1, "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "1.00", "currency": "EUR"}});
    let at_nowhere = json!({"store": "nowhere", "price": {"amount": "2.00", "currency": "EUR"}});
    refuses([
        ("POST", ITEMS, json!({"name": "Milk", "product": "nothing"}), 422, "product_not_found", "/product"),
        ("POST", PRICES, at_nowhere, 422, "store_not_found", "/store"),
        ("POST", "/api/v1/products/nothing/prices", price("2.00", "EUR"), 404, "product_not_found", ""),
        ("POST", "/api/v1/lists/none/items", json!({"name": "Milk"}), 404, "list_not_found", ""),
        ("PATCH", "/api/v1/lists/l/items/none", json!({"checked": true}), 404, "item_not_found", ""),
        ("POST", "/api/v1/lists", json!({"name": "x", "store": "nowhere"}), 422, "store_not_found", "/store"),
        ("POST", "/api/v1/lists", json!({"name": "x", "household": "nobody"}), 422, "household_not_found", "/household"),
        ("POST", "/api/v1/orders", json!({"store": "s", "list": "none", "lines": [line]}), 422, "list_not_found", "/list"),
        ("PATCH", "/api/v1/lists/a%20b", json!({"name": "x"}), 400, "invalid_id", "/id"),
        ("PATCH", "/api/v1/lists/%F0%9F%A5%9B", json!({"name": "x"}), 400, "invalid_id", "/id"),
        ("PATCH", "/api/v1/lists/..%2F..%2Fetc", json!({"name": "x"}), 400, "invalid_id", "/id"),
    ])
    .await;
}

#[actix_web::test]
async fn a_change_of_two_things_or_of_none_is_refused() {
    refuses([
        ("PATCH", "/api/v1/lists/l/items/i", json!({"checked": true, "name": "x"}), 422, "one_intent_only", "/name"),
        ("PATCH", "/api/v1/lists/l", json!({"name": "x", "archived": true}), 422, "one_intent_only", "/archived"),
        ("PATCH", "/api/v1/lists/l", json!({}), 422, "nothing_to_change", ""),
        ("PATCH", "/api/v1/stores/s", json!({}), 422, "nothing_to_change", ""),
    ])
    .await;
}

#[actix_web::test]
async fn bodies_that_are_no_json_too_large_or_of_another_type_are_refused() {
    let rig = Rig::furnished().await;
    let head = rig.app.log.head();
    let post = || local(Method::POST, ITEMS).insert_header(("content-type", "application/json"));
    let halved = rig.send(post().set_payload("{\"name\": \"Mi")).await;
    assert_eq!(halved.problem(), (400, "malformed_json".into(), String::new()));
    let large = rig.send(post().set_payload(format!("{{\"name\": \"{}\"}}", "x".repeat(1 << 20)))).await;
    assert_eq!(large.problem(), (413, "body_too_large".into(), String::new()));
    let form = rig.send(local(Method::POST, ITEMS).insert_header(("content-type", "text/plain")).set_payload("{}")).await;
    assert_eq!(form.problem(), (415, "unsupported_media_type".into(), String::new()));
    assert_eq!(rig.app.log.head(), head);
}

#[actix_web::test]
async fn stale_conditions_and_reused_keys_are_refused() {
    let rig = Rig::furnished().await;
    let head = rig.app.log.head();
    let rename = |name: &str| local(method_of("PATCH"), "/api/v1/lists/l").set_json(json!({ "name": name }));
    let stale = rig.send(rename("New").insert_header(("if-match", "\"7\""))).await;
    assert_eq!(stale.problem(), (412, "version_mismatch".into(), String::new()));
    let odd = rig.send(rename("New").insert_header(("if-match", "*"))).await;
    assert_eq!(odd.problem(), (400, "invalid_if_match".into(), String::new()));
    assert_eq!(rig.app.log.head(), head);
    let first = rig.send(rename("New").insert_header(("idempotency-key", "k1"))).await;
    assert_eq!(first.status, 200, "{:?}", first.body);
    let other = rig.send(rename("Newer").insert_header(("idempotency-key", "k1"))).await;
    assert_eq!(other.problem(), (409, "key_reused".into(), String::new()));
    assert_eq!(rig.app.log.head(), head.next());
}

#[actix_web::test]
async fn unknown_paths_methods_and_parameters_are_answered_as_problems() {
    let rig = Rig::furnished().await;
    assert_eq!(rig.get("/api/v2/lists").await.problem().1, "route_not_found");
    let put = rig.send(local(Method::PUT, "/api/v1/lists/l")).await;
    assert_eq!((put.problem().0, put.header("allow").trim()), (405, "GET, PATCH, HEAD, OPTIONS"));
    assert_eq!(rig.get("/api/v1/lists?limit=0").await.problem(), (400, "invalid_parameter".into(), "/limit".into()));
    assert_eq!(rig.get("/api/v1/lists?page=2").await.problem(), (400, "unknown_parameter".into(), "/page".into()));
    assert_eq!(rig.get("/api/v1/products/p/prices?store=s&at=then").await.problem(), (400, "invalid_parameter".into(), "/at".into()));
    assert_eq!(rig.get("/api/v1/events?after=999").await.problem(), (400, "position_unknown".into(), "/after".into()));
    assert_eq!(rig.get("/api/v1/lists?cursor=zz").await.problem(), (400, "invalid_cursor".into(), "/cursor".into()));
    assert_eq!(rig.get("/api/v1/deals?cursor=zz").await.problem(), (400, "invalid_cursor".into(), "/cursor".into()));
}

#[actix_web::test]
async fn a_parameter_beside_a_body_is_refused_instead_of_doing_what_it_says_not_to() {
    let op = || json!({"op": "archive"});
    let basket = json!({"lines": [{"name": "Milk"}]});
    refuses([
        ("POST", "/api/v1/undo?preview=true", json!({"position": "4"}), 400, "unknown_parameter", "/preview"),
        ("POST", "/api/v1/baskets/price?at=1000", basket, 400, "unknown_parameter", "/at"),
        ("PATCH", "/api/v1/lists/l?dry_run", json!({"name": "x"}), 400, "unknown_parameter", "/dry_run"),
        ("POST", "/api/v1/lists/l/commands?preview=true", op(), 400, "unknown_parameter", "/preview"),
        ("POST", "/api/v1/lists/l/restore?preview=true", json!({"at": "4"}), 400, "unknown_parameter", "/preview"),
        ("POST", "/api/v1/lists/l/clear-checked?preview=true", json!({}), 400, "unknown_parameter", "/preview"),
        ("POST", "/api/v1/admin/snapshots?preview=true", json!({}), 400, "unknown_parameter", "/preview"),
        ("POST", "/api/v1/admin/snapshots/a/verify", json!({"deep": true}), 422, "unknown_field", "/deep"),
        ("POST", "/api/v1/admin/self-restore", json!({"snapshot": "a"}), 422, "unknown_field", "/snapshot"),
        ("POST", "/api/v1/admin/restore/undo", json!({"preview": true}), 422, "unknown_field", "/preview"),
        ("DELETE", "/api/v1/admin/snapshots/a?dry_run=true", json!({}), 400, "unknown_parameter", "/dry_run"),
    ])
    .await;
}

#[actix_web::test]
async fn a_parameter_is_refused_where_a_body_may_be_absent_and_is() {
    let rig = Rig::furnished().await;
    let head = rig.app.log.head();
    for path in ["/api/v1/lists/l/clear-checked?preview=true", "/api/v1/admin/self-restore?preview=true"] {
        let answer = rig.send(local(Method::POST, path)).await;
        assert_eq!(answer.problem(), (400, "unknown_parameter".into(), "/preview".into()), "{path}");
    }
    for path in ["snapshots", "snapshots/a", "operations", "operations/a", "digests"] {
        let answer = rig.get(&format!("/api/v1/admin/{path}?at=1")).await;
        assert_eq!(answer.problem(), (400, "unknown_parameter".into(), "/at".into()), "{path}");
    }
    assert_eq!(rig.app.log.head(), head);
}

#[actix_web::test]
async fn a_filter_by_something_that_does_not_exist_is_refused_instead_of_finding_nothing() {
    let rig = Rig::furnished().await;
    assert_eq!(rig.get("/api/v1/deals?store=none").await.problem().1, "store_not_found");
    assert_eq!(rig.get("/api/v1/lists/l/totals?store=none").await.problem().1, "store_not_found");
    assert_eq!(rig.get("/api/v1/lists?household=none").await.problem().1, "household_not_found");
    assert_eq!(rig.get("/api/v1/orders?household=none").await.problem().1, "household_not_found");
    assert_eq!(rig.get("/api/v1/events?type=list.danced").await.problem(), (400, "invalid_parameter".into(), "/type".into()));
    assert_eq!(rig.get("/api/v1/events?stream=weekly").await.problem(), (400, "invalid_parameter".into(), "/stream".into()));
    assert_eq!(rig.get("/api/v1/events?limit=0").await.problem(), (400, "invalid_parameter".into(), "/limit".into()));
}
