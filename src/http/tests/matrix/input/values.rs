//! Values that are of the wrong kind, too large or endless: refused in our own words, or understood.

use serde_json::{Value, json};

use super::{Answer, Person, Sample, Side, World, body_of, with_body, writes};
use crate::{
    events::codec::event_json,
    http::tests::rig::{method_of, price},
};

/// What only libraries say.
const INNER: [&str; 22] = [
    "expected ",
    "invalid type",
    "invalid length",
    "invalid value:",
    "did not match any",
    "struct ",
    "variant",
    "`",
    "u64",
    "i64",
    "u32",
    "u8",
    "usize",
    "f64",
    "serde",
    "deserial",
    "digit found in string",
    "fit in target type",
    "premature end",
    "jiff",
    "trailing",
    "Error",
];

/// What no field expects, one after the other.
fn oddities() -> Vec<Value> {
    let numbers = ["-1", "1.5", "1e300", "18446744073709551616", "9223372036854775808", "-9223372036854775809", "0", "256"];
    let texts = ["", " ", "..", "9999-12-31", "2026-02-30", "x\u{0}y", "💚", "18446744073709551616", "true"];
    let numbers = numbers.iter().map(|text| serde_json::from_str(text).expect("a number"));
    let long = "x".repeat(100_000);
    numbers
        .chain(texts.iter().map(|text| json!(text)))
        .chain([json!(null), json!(true), json!([]), json!([1]), json!({}), json!({"a": 1}), json!(long)])
        .collect()
}

/// The value with one of its parts replaced, for each part.
fn replaced(value: &Value, with: &Value) -> Vec<Value> {
    let mut all = vec![with.clone()];
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                all.extend(replaced(inner, with).into_iter().map(|inner| {
                    let mut outer = fields.clone();
                    outer.insert(name.clone(), inner);
                    Value::Object(outer)
                }));
            }
        }
        Value::Array(entries) => {
            for (place, entry) in entries.iter().enumerate() {
                all.extend(replaced(entry, with).into_iter().map(|inner| {
                    let mut outer = entries.clone();
                    outer[place] = inner;
                    Value::Array(outer)
                }));
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    all
}

/// What an answer says that a library wrote, or a fault of ours that it hides.
fn fault(sample: Sample, sent: &Value, answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.body);
    let body: Value = serde_json::from_str(text.lines().next().unwrap_or_default()).unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or_default();
    // What the client sent may be quoted.
    let told: String = detail.split('“').map(|part| part.split_once('”').map_or(part, |(_, after)| after)).collect();
    let is_inner = INNER.iter().any(|inner| told.contains(inner));
    let is_fault = is_inner || answer.status.is_server_error() && answer.status != 503 || text.len() > 20_000;
    let sent: String = sent.to_string().chars().take(200).collect();
    is_fault.then(|| format!("{} {} {sent}: {} {}", sample.method, sample.path, answer.status, told.chars().take(300).collect::<String>()))
}

#[actix_web::test]
async fn no_answer_to_an_odd_value_anywhere_is_a_librarys_or_a_fault() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let mut faults = Vec::new();
    for sample in writes().filter(|sample| !sample.path.starts_with("/api/v1/admin")) {
        let body: Value = serde_json::from_str(&body_of(sample, &things)).expect("a sample is JSON");
        for oddity in oddities() {
            for sent in replaced(&body, &oddity) {
                let answer = world.line.send(with_body(sample, &things, sent.to_string())).await;
                faults.extend(fault(sample, &sent, &answer));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn no_answer_to_an_odd_parameter_anywhere_is_a_librarys_or_a_fault() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let document = crate::http::openapi::document();
    let mut faults = Vec::new();
    for sample in
        super::samples().filter(|sample| sample.method == "GET" && sample.path.starts_with("/api") && !sample.path.ends_with("/sse"))
    {
        let named = document["paths"][sample.path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
        for name in named.iter().filter(|one| one["in"] == "query").filter_map(|one| one["name"].as_str()).filter(|name| *name != "follow")
        {
            for value in [
                "-1",
                "+1",
                "1e9",
                "18446744073709551616",
                "many",
                "..",
                "a%20b",
                "9999-12-31",
                "2026-02-30",
                "NaN",
                "%F0%9F%92%9A",
                "list%2F..",
            ] {
                let path = things.fill(&sample.target());
                let path = path.split('?').next().unwrap_or_default();
                let answer = world.line.send(Person::Admin.asks(method_of("GET"), &format!("{path}?{name}={value}"))).await;
                faults.extend(fault(sample, &json!({ name: value }), &answer));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn an_end_in_the_year_9999_is_no_end() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let head = world.rig.app.log.head();
    for (number, end) in ["9999-12-31", "9999-12-31T23:59:59Z", "9999-01-01"].into_iter().enumerate() {
        let mut seen = price("3.00", "EUR");
        seen["valid_until"] = json!(end);
        seen["observed_at"] = json!(format!("2026-02-0{}", number + 1));
        world.done(Person::Admin, "POST", &things.fill("/api/v1/products/$product/prices"), seen).await;
        let offer = json!({"op": "announce_offer", "offer": format!("o{number}"), "store": "s", "terms": {"percent_off": {"percent": 10}},
            "valid_from": "2026-01-01", "valid_until": end, "member_only": false, "source": "leaflet"});
        world.done(Person::Admin, "POST", &things.fill("/api/v1/products/$product/commands"), offer).await;
    }
    let events = world.rig.app.log.read(head, 100).expect("the log can be read");
    assert_eq!(events.len(), 6);
    for event in events {
        assert!(!event_json(&event).to_string().contains("9999"), "{}", event_json(&event));
    }
    let token = world.done(Person::Admin, "POST", "/api/v1/tokens", json!({"name": "x", "scopes": "read", "expires": "9999-12-31"})).await;
    assert_eq!(token["expires"], Value::Null);
    let link = things.fill("/api/v1/lists/$list/links");
    let answer = world.ask(Person::Admin, "POST", &link, Some(json!({"expires": "9999-12-31"}))).await;
    assert!(answer.status.is_success() || answer.problem().0 == 422, "{:?}", answer.body);
}
