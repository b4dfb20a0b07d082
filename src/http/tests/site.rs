//! Every route refuses foreign pages and foreign names, and records nothing for them.

use actix_web::{
    http::{Method, header::HeaderName},
    test::TestRequest,
};
use serde_json::json;

use super::rig::{Answer, Rig, local, method_of};
use crate::{
    config::{Config, Secret},
    domain::rights::Action,
    http::{NEEDS, ROUTES, route::Need},
};

const TOKEN: &str = "0123456789abcdef";

/// Settings that most tests need.
fn with_token() -> Config {
    Config { admin_token: Some(Secret::new(TOKEN)), ..Config::default() }
}

/// A server without a token, and one with.
fn servers() -> [Rig; 2] {
    [Rig::empty(), Rig::with(with_token())]
}

fn path_of(route: &str) -> String {
    route.replace("{id}", "l").replace("{item}", "i").replace("{name}", "n")
}

/// Every way to send a route: with and without a body and a token.
fn ways(method: &str, route: &str) -> Vec<TestRequest> {
    let request = || local(method_of(method), &path_of(route));
    let authorized = |request: TestRequest| request.insert_header(("authorization", format!("Bearer {TOKEN}")));
    let body = json!({ "id": "l", "name": "Weekly" });
    vec![request(), request().set_json(&body), authorized(request()), authorized(request()).set_json(&body)]
}

fn all_ways(routes: impl Iterator<Item = &'static (&'static str, &'static str)>, header: (&'static str, &'static str)) -> Vec<TestRequest> {
    routes.flat_map(|(method, route)| ways(method, route)).map(|request| request.insert_header(header)).collect()
}

fn all_are(answers: &[Answer], status: u16, code: &str) {
    assert!(!answers.is_empty());
    for answer in answers {
        let (found, name, _) = answer.problem();
        assert_eq!((found, name.as_str()), (status, code));
    }
}

#[actix_web::test]
async fn every_unsafe_route_refuses_the_pages_of_other_sites_and_records_nothing() {
    for rig in servers() {
        let head = rig.app.log.head();
        for header in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
        {
            let requests = all_ways(ROUTES.iter().filter(|(method, _)| *method != "GET"), header);
            all_are(&rig.send_each(requests).await, 403, "foreign_origin");
        }
        assert_eq!(rig.app.log.head(), head, "a refused request left an event");
    }
}

#[actix_web::test]
async fn every_route_refuses_another_servers_name_and_so_do_unknown_paths() {
    for rig in servers() {
        let head = rig.app.log.head();
        let unknown = [("GET", "/nowhere"), ("POST", "/nowhere"), ("PUT", "/api/v1/lists"), ("GET", "/api/v1/docs/")];
        for host in ["evil.example", "localhost.evil.example:8080", "ann@localhost"] {
            let foreign = |request: TestRequest| request.insert_header(("host", host));
            let requests: Vec<_> = ROUTES.iter().chain(&unknown).flat_map(|(method, path)| ways(method, path)).map(foreign).collect();
            all_are(&rig.send_each(requests).await, 421, "foreign_host");
        }
        assert_eq!(rig.app.log.head(), head);
    }
}

/// Nobody is known: neither without a token nor with one that this server never gave.
fn refused(answers: &[Answer]) {
    assert!(!answers.is_empty());
    for answer in answers {
        let (status, code, _) = answer.problem();
        assert!(status == 401 && ["not_authenticated", "credential_unknown"].contains(&code.as_str()), "{status} {code}");
    }
}

#[actix_web::test]
async fn without_a_token_no_route_serves_what_came_through_a_proxy() {
    let guarded = || ROUTES.iter().zip(NEEDS).filter(|(_, need)| **need != Need::May(Action::Enter)).map(|(route, _)| route);
    let requests = |header| all_ways(guarded(), header);
    for header in [("x-forwarded-for", "203.0.113.7"), ("via", "1.1 proxy"), ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")] {
        refused(&Rig::empty().send_each(requests(header)).await);
    }
    let public = Rig::with(Config { public_url: vec!["https://shop.example".parse().expect("a URL")], ..Config::default() });
    refused(&public.send_each(requests(("accept", "*/*"))).await);
}

#[actix_web::test]
async fn a_page_of_this_server_and_a_program_without_an_origin_may_write() {
    let rig = Rig::empty();
    let create = |id: &str| local(Method::POST, "/api/v1/lists").set_json(json!({ "id": id, "name": "Weekly" }));
    assert_eq!(rig.send(create("a")).await.status, 201);
    let own = || create("b").insert_header(("origin", "http://localhost")).insert_header(("sec-fetch-site", "same-origin"));
    assert_eq!(rig.send(own()).await.status, 401, "a browser on this machine has to show a session all the same");
    let signed = own().insert_header(("authorization", format!("Bearer {TOKEN}")));
    assert_eq!(Rig::with(with_token()).send(signed).await.status, 201);
}

/// A server that lets one other origin in.
fn shared() -> Rig {
    Rig::with(Config { cors_origins: vec!["https://app.example".parse().expect("an origin")], ..with_token() })
}

fn preflight(origin: &str) -> TestRequest {
    local(Method::OPTIONS, "/api/v1/lists")
        .insert_header(("origin", origin.to_owned()))
        .insert_header(("access-control-request-method", "POST"))
}

fn shown(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with("access-control-")).collect()
}

#[actix_web::test]
async fn without_the_setting_no_answer_is_shared_with_another_origin() {
    let rig = Rig::empty();
    let read = local(Method::GET, "/api/v1/lists").insert_header(("origin", "https://app.example"));
    for answer in rig.send_each([read, preflight("https://app.example")]).await {
        assert_eq!(shown(&answer), Vec::<&str>::new());
        assert!(!answer.header("vary").contains("Origin"));
    }
}

#[actix_web::test]
async fn a_preflight_of_an_origin_that_is_let_in_is_answered_without_a_token() {
    let answer = shared().send(preflight("https://app.example")).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, "https://app.example"));
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    assert!(answer.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!((answer.header("vary"), answer.header("access-control-allow-credentials")), ("Origin", ""));
    assert!(!answer.header("access-control-max-age").is_empty());
    let other = shared().send(preflight("https://evil.example")).await;
    assert_eq!((other.status.as_u16(), shown(&other)), (204, Vec::new()));
    let foreign = shared().send(preflight("https://app.example").insert_header(("host", "evil.example"))).await;
    assert_eq!(foreign.status.as_u16(), 421);
}

#[actix_web::test]
async fn an_origin_that_is_let_in_reads_answers_and_refusals_and_never_with_credentials() {
    let rig = shared();
    let create = || local(Method::POST, "/api/v1/lists").set_json(json!({ "id": "a", "name": "Weekly" }));
    let from = |request: TestRequest, origin: &'static str| request.insert_header(("origin", origin));
    let signed = |request: TestRequest| request.insert_header(("authorization", format!("Bearer {TOKEN}")));
    let answers = rig.send_each([from(signed(create()), "https://app.example"), from(create(), "https://app.example")]).await;
    assert_eq!(answers.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>(), [201, 401]);
    for answer in &answers {
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), ("https://app.example", "Origin"));
        assert!(answer.header("access-control-expose-headers").contains("X-Request-ID"));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    let read = local(Method::GET, "/healthz");
    let other = rig.send(from(read, "https://evil.example")).await;
    assert_eq!((other.status.as_u16(), shown(&other), other.header("vary")), (200, Vec::new(), "Origin"));
}
