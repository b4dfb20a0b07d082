//! Optional headers that are empty, and what every answer says to browsers, proxies and caches.

use actix_web::test::TestRequest;

use super::{Person, Side, World, all_answer_alike, bare, plain, samples};
use crate::http::tests::rig::{local, method_of};

/// Headers that a request may have or not.
const OPTIONAL: [&str; 17] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "content-encoding",
    "cookie",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "last-event-id",
    "range",
    "sec-websocket-protocol",
    "x-aisled-as",
    "x-aisled-client",
    "x-request-id",
    "user-agent",
];

#[actix_web::test]
async fn optional_headers_that_are_empty_count_as_absent_everywhere() {
    for blank in ["", "  "] {
        let with = |request: TestRequest| OPTIONAL.iter().fold(request, |request, name| request.insert_header((*name, blank)));
        all_answer_alike(|sample, things| Some(with(plain(sample, things)))).await;
    }
}

#[actix_web::test]
async fn every_answer_names_its_kind_and_how_long_it_may_be_kept() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for sample in samples() {
        for who in [Person::Admin, Person::Nobody] {
            let request = who.asks(method_of(sample.method), &things.fill(&sample.target()));
            let answer = world.line.send(request).await;
            let place = format!("{who:?} {} {}: {:?}", sample.method, sample.path, answer.headers);
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{place}");
            let is_read = sample.method == "GET" && answer.status.is_success();
            let keeping = answer.header("cache-control");
            assert!(
                keeping == "no-store" || is_read && ["private, no-cache", "no-cache", "private, max-age=300"].contains(&keeping),
                "{place}"
            );
            if sample.method == "GET" {
                let varies = answer.headers.get_all("vary").filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
                assert_eq!(varies.to_ascii_lowercase().matches("accept-encoding").count(), 1, "{place}");
            }
            if answer.header("content-type").starts_with("text/html") {
                assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{place}");
                assert_eq!((answer.header("x-frame-options"), answer.header("referrer-policy")), ("DENY", "no-referrer"), "{place}");
            }
        }
    }
}

#[actix_web::test]
async fn every_path_tells_all_its_methods_and_refuses_others_with_them() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for sample in samples() {
        let expected = |allow: &str| {
            let names: Vec<_> = allow.split(", ").collect();
            names.contains(&sample.method) && names.contains(&"OPTIONS") && (sample.method != "GET" || names.contains(&"HEAD"))
        };
        let options = world.line.send(local(method_of("OPTIONS"), &things.fill(&sample.target()))).await;
        assert!(options.status == 204 && expected(options.header("allow")), "{}: {:?}", sample.path, options);
        let put = world.line.send(local(method_of("PUT"), &things.fill(&sample.target()))).await;
        assert_eq!(put.problem().1, "method_not_allowed");
        assert!(put.status == 405 && expected(put.header("allow")), "{}: {:?}", sample.path, put);
    }
}

#[actix_web::test]
async fn each_encoding_of_a_list_has_a_tag_of_its_own_that_is_known_again_and_serves_as_a_condition() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let path = things.fill("/api/v1/lists/$list");
    for number in 0..40 {
        let item = serde_json::json!({"name": format!("Something to buy, number {number}")});
        world.done(Person::Owner, "POST", &format!("{path}/items"), item).await;
    }
    let get = || Person::Owner.asks(method_of("GET"), &path);
    let mut tags = Vec::new();
    for encoding in ["identity", "gzip", "zstd"] {
        let answer = world.line.send(get().insert_header(("accept-encoding", encoding))).await;
        let tag = answer.header("etag").to_owned();
        assert_eq!(answer.header("content-encoding"), if encoding == "identity" { "" } else { encoding });
        for accepted in ["identity", "gzip", "zstd"] {
            let request = get().insert_header(("accept-encoding", accepted)).insert_header(("if-none-match", tag.clone()));
            let again = world.line.send(request).await;
            assert_eq!((again.status.as_u16(), again.header("etag")), (304, tag.as_str()));
            assert_eq!(again.header("vary").to_ascii_lowercase(), "accept-encoding");
        }
        tags.push(tag);
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    let renamed = Person::Owner.asks(method_of("PATCH"), &path).insert_header(("if-match", tags[1].clone()));
    let answer = world.line.send(renamed.set_json(serde_json::json!({"name": "Other"}))).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[actix_web::test]
async fn who_is_no_admin_learns_from_readyz_only_whether_it_is_ready() {
    let world = World::new().await;
    for (who, in_full) in [(Person::Admin, true), (Person::Owner, false), (Person::Nobody, false)] {
        let answer = world.get(who, "/readyz").await;
        let fields: Vec<_> = answer.json().as_object().expect("an object").keys().cloned().collect();
        assert_eq!((answer.status.as_u16(), fields.len() > 1), (200, in_full), "{who:?}: {fields:?}");
    }
    let stale = bare(super::sample("GET", "/readyz").expect("it is a route"), &super::Things::planned(Side::Hidden, 0));
    let answer = world.line.send(stale.insert_header(("authorization", "Bearer nothing"))).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, serde_json::json!({"ready": true})));
}
