//! Time travel: every read of the past answers what it answered then; invalid moments are refused; any basket has a price.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use serde_json::{Value, json};
use support::{Random, TestApp, days_ago};

/// Everything that can be read and travels in time.
const READS: [&str; 17] = [
    "/api/v1/lists/l0",
    "/api/v1/lists/l1",
    "/api/v1/lists/l0/totals",
    "/api/v1/lists/l0/totals?store=s1",
    "/api/v1/lists?archived=true",
    "/api/v1/products/p0",
    "/api/v1/products",
    "/api/v1/products/p0/best?member=true",
    "/api/v1/stores/s0",
    "/api/v1/stores",
    "/api/v1/households/home",
    "/api/v1/households",
    "/api/v1/households/home/spend",
    "/api/v1/orders/o0",
    "/api/v1/orders?household=home",
    "/api/v1/deals?outliers=true",
    "/api/v1/products/p0/prices",
];

/// A read's answer, without what depends on the moment of the request.
fn told(app: &TestApp, path: &str, query: &str) -> (u16, Value) {
    let separator = if path.contains('?') { '&' } else { '?' };
    let answer = app.get(&format!("{path}{separator}{query}"));
    let mut body = answer.body;
    if answer.status == 200 {
        // The list's own answer names the position up to which prices count, and the best prices the moment of asking.
        for name in ["at", "position"] {
            body.as_object_mut().unwrap().remove(name);
        }
        for best in body["stores"].as_array_mut().into_iter().flatten().filter(|best| best.is_object()) {
            best.as_object_mut().unwrap().remove("age_seconds");
        }
        (200, body)
    } else {
        (answer.status, body["code"].clone())
    }
}

/// A command that may be refused.
fn do_something(app: &TestApp, random: &mut Random) {
    let (a, b, n) = (random.below(2), random.below(2), random.below(9) + 1);
    let (list, product, store) = (format!("/api/v1/lists/l{a}"), format!("p{b}"), format!("s{a}"));
    let amount = json!({"amount": format!("{}.49", random.below(9)), "currency": "EUR"});
    let day = days_ago(30 * (9 - n) + 1);
    let quantity = json!({"amount": n.to_string(), "unit": "each"});
    let third = usize::try_from(n % 3).unwrap();
    match random.below(15) {
        0 => app.post("/api/v1/lists", &json!({"id": format!("l{a}"), "name": "Weekly", "household": "home", "store": store})),
        1 | 2 => {
            app.post(&format!("{list}/items"), &json!({"id": format!("i{n}"), "name": product, "product": product, "quantity": quantity}))
        }
        3 => app.patch(&format!("{list}/items/i{n}"), &json!({"checked": true})),
        4 => app.delete(&format!("{list}/items/i{n}")),
        5 => app.post(&format!("{list}/check-out"), &json!({"order": format!("o{a}")})),
        6 => app.patch(&format!("/api/v1/products/{product}"), &json!({"name": format!("Product {n}"), "content": quantity})),
        7 => app.patch(&format!("/api/v1/stores/{store}"), &json!({"name": format!("Store {n}")})),
        8 => app.post("/api/v1/households/home/commands", &json!({"op": "choose_stores", "stores": (&["s0", "s1"][..third])})),
        9 => app.delete(&format!("/api/v1/products/{product}/prices?store={store}")),
        10 => app.post(
            "/api/v1/orders",
            &json!({"id": format!("o{b}"), "household": "home", "store": store, "placed_at": day,
                "lines": [{"line": 1, "product": product, "quantity": {"amount": "1", "unit": "each"}, "charged": amount}]}),
        ),
        11 => app.patch(&list, &json!({"archived": n % 2 == 0})),
        _ => {
            let kind = ["shelf", "promo", "member"][third];
            app.post(
                &format!("/api/v1/products/{product}/prices"),
                &json!({"store": store, "kind": kind, "price": amount, "observed_at": day}),
            )
        }
    };
}

fn furnish(app: &TestApp) {
    for number in 0..2 {
        app.post("/api/v1/stores", &json!({"id": format!("s{number}"), "name": "Store", "currency": "EUR"})).ok();
        app.post("/api/v1/products", &json!({"id": format!("p{number}"), "name": "Product"})).ok();
    }
    app.post("/api/v1/households", &json!({"id": "home", "name": "Home"})).ok();
}

fn head(app: &TestApp) -> u64 {
    app.get("/api/v1/events").lines().last().map_or(0, |event| event["position"].as_str().unwrap().parse().unwrap())
}

#[test]
fn every_read_of_the_past_says_what_it_said_then() {
    let mut app = TestApp::start();
    furnish(&app);
    let mut random = Random(7);
    let mut then: Vec<(u64, Vec<(u16, Value)>)> = Vec::new();
    while then.len() < 90 {
        do_something(&app, &mut random);
        let position = head(&app);
        if then.last().is_none_or(|(last, _)| *last < position) {
            then.push((position, READS.map(|path| told(&app, path, &format!("after={position}"))).into()));
        }
    }
    let worth = |path: usize| then.iter().filter(|(_, answers)| answers[path].0 == 200).count();
    for (number, path) in READS.iter().enumerate() {
        assert!(worth(number) > 3, "{path} exists for a while");
    }
    assert!(then.iter().any(|(_, answers)| !answers[15].1["deals"].as_array().unwrap().is_empty()), "there are deals");
    // What was priced by day is queried by knowledge: a history of the past has no other query.
    let way = |path: &str, position: u64| if path.ends_with("/prices") { format!("known_at={position}") } else { format!("at={position}") };
    let look_back = |app: &TestApp| {
        for (position, answers) in &then {
            for (path, before) in READS.iter().zip(answers) {
                let now = told(app, path, &way(path, *position));
                assert_eq!(&now, before, "{path} at {position}");
            }
        }
    };
    look_back(&app);
    assert_eq!(app.stop(), Some(0));
    app.restart();
    look_back(&app);
}

#[test]
fn an_answer_of_the_past_names_its_point_and_may_be_kept() {
    let app = TestApp::start();
    furnish(&app);
    let first = app.get("/api/v1/events?limit=1").lines()[0]["at"].as_str().unwrap().to_owned();
    let answer = app.get("/api/v1/stores?at=3").expect(200);
    assert_eq!(answer.header("x-at-position"), Some("3"));
    assert!(answer.header("cache-control").unwrap().contains("max-age=300"));
    let known = [("if-none-match", answer.header("etag").unwrap())];
    assert_eq!(app.client().get_with("/api/v1/stores?at=3", &known).status, 304);
    let by_time = app.get(&format!("/api/v1/stores?at={first}")).expect(200);
    assert_eq!((by_time.header("x-at-time"), by_time.header("cache-control")), (Some(&*first), Some("private, no-cache")));
    let moment = app.get("/api/v1/stores?at=2100-01-01").expect(200);
    assert_eq!(moment.header("x-at-position"), Some(&*head(&app).to_string()));
}

#[test]
fn moments_that_are_none_are_refused() {
    let app = TestApp::start();
    assert_eq!(app.get("/api/v1/lists?at=1").expect(404).code(), "empty_log");
    furnish(&app);
    app.post("/api/v1/lists", &json!({"id": "weekly", "name": "Weekly"})).ok();
    let refused = |path: &str, status: u16, code: &str| {
        let answer = app.get(path).expect(status);
        assert_eq!(answer.code(), code, "{path}");
        answer
    };
    for path in ["/api/v1/lists", "/api/v1/lists/weekly", "/api/v1/lists/weekly/totals", "/api/v1/products/p0/best", "/api/v1/deals"] {
        let beyond = refused(&format!("{path}?at=999999"), 400, "position_unknown");
        assert_eq!(beyond.body["errors"][0]["pointer"], "/at");
        refused(&format!("{path}?at=2001-01-01T00:00:00Z"), 404, "before_first_event");
        refused(&format!("{path}?at=0"), 404, "before_first_event");
        refused(&format!("{path}?at=yesterday"), 400, "invalid_parameter");
        assert!(app.get(&format!("{path}?at=")).expect(200).header("x-at-position").is_none(), "an empty parameter is none");
        refused(&format!("{path}?at=3&after=3"), 400, "at_with_after");
    }
    let early = refused("/api/v1/lists/weekly?at=3", 404, "list_not_found");
    let detail = early.body["detail"].as_str().unwrap();
    assert!(detail.contains("did not exist yet") && detail.contains(&head(&app).to_string()), "{detail}");
    refused("/api/v1/lists/nobody?at=3", 404, "list_not_found");
    refused("/api/v1/products/p0/prices?store=s0&at=3&known_at=999999", 400, "position_unknown");
    refused("/api/v1/products/p0/prices?at=3", 400, "missing_parameter");
    refused("/api/v1/lists/weekly/totals?at=6&store=elsewhere", 404, "store_not_found");
}

/// Two prices of one product: the older was recorded later, as by an import.
fn learn_late(app: &TestApp) -> (u64, u64) {
    let price = |amount: &str, day: &str| {
        let body = json!({"store": "s0", "price": {"amount": amount, "currency": "EUR"}, "observed_at": day});
        app.post("/api/v1/products/p0/prices", &body).ok();
        head(app)
    };
    (price("2.00", "2026-05-01"), price("1.50", "2026-03-01"))
}

#[test]
fn a_total_is_explained_down_to_the_events_of_its_prices_at_any_moment() {
    let app = TestApp::start();
    furnish(&app);
    app.post("/api/v1/lists", &json!({"id": "weekly", "name": "Weekly", "store": "s0"})).ok();
    let (first, _) = learn_late(&app);
    let quantity = json!({"amount": "3", "unit": "each"});
    app.post("/api/v1/lists/weekly/items", &json!({"id": "a", "name": "Milk", "product": "p0", "quantity": quantity})).ok();
    let bought = head(&app);
    app.post("/api/v1/products/p0/prices", &json!({"store": "s0", "price": {"amount": "9.00", "currency": "EUR"}})).ok();
    let answer = app.get(&format!("/api/v1/lists/weekly/totals?at={bought}")).expect(200).body;
    assert_eq!(answer["totals"]["estimated"]["amount"], "6.00");
    let line = &answer["lines"][0];
    assert_eq!((&line["product"], &line["used"]["position"]), (&json!("p0"), &json!(first.to_string())));
    let event = &app.get(line["evidence"].as_str().unwrap()).expect(200).lines()[0];
    assert_eq!((&event["position"], &event["type"]), (&json!(first.to_string()), &json!("product.price_observed")));
    let hindsight = app.get(&format!("/api/v1/lists/weekly/totals?at={bought}&known_at={}", first - 1)).expect(200);
    assert_eq!(
        (&hindsight.body["totals"]["unpriced_items"], hindsight.header("x-known-position")),
        (&json!(1), Some(&*(first - 1).to_string()))
    );
}

#[test]
fn any_basket_has_a_price_at_any_day_and_store_by_any_knowledge() {
    let app = TestApp::start();
    furnish(&app);
    let (first, second) = learn_late(&app);
    let basket = |more: Value| {
        let mut body = json!({"store": "s0", "items": [{"product": "p0", "quantity": {"amount": "2", "unit": "each"}}, {"product": "p1"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.post("/api/v1/baskets/price", &body).expect(200).body
    };
    let before = head(&app);
    let total = |more: Value| basket(more)["stores"][0]["total"]["amount"].as_str().unwrap().to_owned();
    assert_eq!(total(json!({})), "4.00");
    assert_eq!(total(json!({"at": "2026-03-15"})), "3.00", "true then, learnt later");
    assert_eq!(total(json!({"at": "2026-03-15", "known_at": first.to_string()})), "0.00", "not learnt yet");
    assert_eq!(total(json!({"at": "2026-06-15", "known_at": first.to_string()})), "4.00");
    assert_eq!(total(json!({"at": second.to_string()})), "4.00");
    let priced = basket(json!({"at": "2026-03-15"}));
    let lines = &priced["stores"][0]["lines"];
    assert_eq!((&lines[0]["amount"]["amount"], &lines[0]["used"]["position"]), (&json!("3.00"), &json!(second.to_string())));
    assert_eq!((&lines[1]["unpriced"], &priced["stores"][0]["unpriced_items"]), (&json!("no_price"), &json!(1)));
    assert_eq!(app.get(lines[0]["evidence"].as_str().unwrap()).lines()[0]["position"], json!(second.to_string()));
    let refused = |body: Value| {
        let answer = app.post("/api/v1/baskets/price", &body);
        (answer.status, answer.code().to_owned())
    };
    let item = json!([{"product": "p0"}]);
    assert_eq!(refused(json!({"store": "elsewhere", "items": item})), (404, "store_not_found".into()));
    assert_eq!(refused(json!({"store": "s0", "items": []})), (422, "items_out_of_range".into()));
    assert_eq!(refused(json!({"items": item})), (422, "stores_out_of_range".into()));
    assert_eq!(refused(json!({"store": "s0", "items": item, "at": "never"})).0, 422);
    assert_eq!(refused(json!({"store": "s0", "items": item, "at": "999"})), (400, "position_unknown".into()));
    assert_eq!(head(&app), before, "nothing was recorded");
}
