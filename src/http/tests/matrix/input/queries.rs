//! Parameters and ids in the address.

use super::{Sample, Side, Things, World, all_refuse, bare, outcome, samples};
use crate::http::{openapi, tests::rig::method_of};

/// Pages, and where others send browsers to: links get further parameters on their way.
const OPEN_TO_ANY: [&str; 9] =
    ["/", "/sign-in", "/setup", "/join", "/view", "/people", "/people.js", "/people.css", "/api/v1/oidc/callback"];

fn is_open(sample: Sample) -> bool {
    OPEN_TO_ANY.contains(&sample.path) || (sample.method, sample.path) == ("GET", "/api/v1/oidc/start")
}

fn asking(sample: Sample, things: &Things, parameter: &str) -> actix_web::test::TestRequest {
    let target = things.fill(&sample.target());
    let join = if target.contains('?') { '&' } else { '?' };
    let request = super::Person::Admin.asks(method_of(sample.method), &format!("{target}{join}{parameter}"));
    if sample.body.is_empty() {
        request
    } else {
        request.insert_header(super::content_type(sample)).set_payload(super::body_of(sample, things))
    }
}

#[actix_web::test]
async fn an_unknown_parameter_is_refused_everywhere_also_without_a_value() {
    for parameter in ["colour=red", "colour=", "colour"] {
        all_refuse(|sample, things| (!is_open(sample)).then(|| asking(sample, things, parameter)), 400, "unknown_parameter").await;
    }
}

#[actix_web::test]
async fn a_link_that_others_lengthened_still_opens_its_page() {
    let world = World::new().await;
    for path in ["/", "/sign-in", "/setup", "/join", "/view", "/people"] {
        let answer = world.get(super::Person::Admin, &format!("{path}?fbclid=x&fbclid=y")).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
    }
}

/// The parameters of a route's query, as its description names them, and whether each is required.
fn parameters(sample: Sample) -> Vec<(String, bool)> {
    let document = openapi::document();
    let described = document["paths"][sample.path][sample.method.to_lowercase()]["parameters"].as_array().cloned().unwrap_or_default();
    let named = described.iter().filter(|one| one["in"] == "query");
    named.filter_map(|one| Some((one["name"].as_str()?.to_owned(), one["required"] == true))).collect()
}

#[actix_web::test]
async fn a_parameter_without_a_value_counts_as_absent_everywhere() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let mut faults = Vec::new();
    for sample in samples().filter(|sample| sample.method == "GET" && !is_open(*sample)) {
        let expected = outcome(&world.line.send(bare(sample, &things)).await);
        let given = sample.query.trim_start_matches('?').split('=').next().unwrap_or_default();
        for (name, _) in parameters(sample).into_iter().filter(|(name, _)| name != given) {
            for parameter in [format!("{name}="), name] {
                let found = outcome(&world.line.send(asking(sample, &things, &parameter)).await);
                if found != expected {
                    faults.push(format!("{}?{parameter}: {expected:?}, but {found:?}", sample.path));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[actix_web::test]
async fn a_parameter_that_is_there_twice_or_is_no_text_is_refused_everywhere() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for sample in samples().filter(|sample| sample.method == "GET" && !is_open(*sample)) {
        for (name, _) in parameters(sample) {
            let twice = world.line.send(asking(sample, &things, &format!("{name}=1&{name}=1"))).await;
            assert_eq!(outcome(&twice), (400, "duplicate_parameter".into()), "{} {name}: {:?}", sample.path, twice.body);
            if !sample.query.contains(&name) {
                let bytes = world.line.send(asking(sample, &things, &format!("{name}=%FF"))).await;
                assert_eq!(outcome(&bytes), (400, "invalid_parameter".into()), "{} {name}: {:?}", sample.path, bytes.body);
            }
        }
    }
}

#[actix_web::test]
async fn dots_are_nobodys_id_in_any_address() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    let head = world.rig.app.log.head();
    for sample in samples().filter(|sample| sample.path.contains('{')) {
        for dots in [".", "..", "%2E", "%2e%2E"] {
            let place: String =
                sample.path.split('/').map(|part| if part.starts_with('{') { dots } else { part }).collect::<Vec<_>>().join("/");
            let request = super::Person::Admin.asks(method_of(sample.method), &format!("{place}{}", things.fill(sample.query)));
            let request = if sample.body.is_empty() {
                request
            } else {
                request.insert_header(super::content_type(sample)).set_payload(super::body_of(sample, &things))
            };
            let answer = world.line.send(request).await;
            let (status, code) = outcome(&answer);
            let is_refused = status == 400 && ["invalid_id", "snapshot_name_invalid"].contains(&code.as_str());
            let names_no_entity = status == 404 && code != "route_not_found";
            assert!(is_refused || names_no_entity, "{} {place}: {status} {code}", sample.method);
        }
    }
    assert_eq!(world.rig.app.log.head(), head);
}
