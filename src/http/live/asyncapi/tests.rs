use std::{collections::BTreeMap, fs, path::Path};

use utoipa::PartialSchema;

use super::{
    channels::limits,
    document,
    messages::{FROM_CLIENT, FROM_SERVER},
    schemas, text,
};
use crate::{
    config::{Config, FIELDS, Field, Takes},
    http::live::protocol::Request,
    live::{
        Close, Limits,
        notice::{Closing, Notice},
    },
};

#[test]
fn the_kept_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/asyncapi.json");
    if std::env::var_os("AISLED_UPDATE").is_some() {
        fs::write(&path, text()).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text(), "docs/asyncapi.json is stale: run `AISLED_UPDATE=1 cargo test --lib asyncapi` and look at the difference");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} is missing");
    }
}

#[test]
fn every_message_is_told_by_its_type_and_every_request_by_its_op() {
    let document = document();
    for (name, schema) in FROM_SERVER.iter().chain(&FROM_CLIENT) {
        let schema = document["components"]["schemas"][schema].to_string();
        assert!(schema.contains(&format!(r#""const":"{name}""#)), "{name}: {schema}");
    }
    let requests = serde_json::to_value(Request::schema()).unwrap();
    assert_eq!(requests["oneOf"].as_array().unwrap().len(), FROM_CLIENT.len(), "a request is not described");
}

#[test]
fn no_two_types_share_the_name_of_a_schema() {
    let mut known = BTreeMap::new();
    for (name, schema) in schemas::found() {
        let schema = serde_json::to_value(schema).unwrap();
        let before = known.insert(name.clone(), schema.clone());
        assert!(before.is_none_or(|before| before == schema), "{name} names two types");
    }
}

#[test]
fn the_notices_that_are_rarely_met_are_as_their_examples_say() {
    let document = document();
    let revoked = Notice::Revoked(vec!["list:weekly".parse().unwrap()]);
    for (name, notice) in [("revoked", revoked), ("closing", Notice::Closing(Closing::soon(Close::GoingAway, 1_500)))] {
        let said: serde_json::Value = serde_json::from_slice(&notice.json().unwrap()).unwrap();
        assert_eq!(said, document["components"]["messages"][name]["examples"][0]["payload"]);
    }
}

/// The limits of a server with one number configured.
fn limits_with(field: &Field, number: u64) -> serde_json::Value {
    let mut config = serde_json::to_value(Config::default()).unwrap();
    config[field.name] = number.into();
    limits(Limits::of(&serde_json::from_value::<Config>(config).unwrap()))
}

#[test]
fn each_setting_gives_the_limit_that_the_table_names_and_no_other() {
    let published = limits(Limits::default());
    for field in FIELDS {
        let Takes::Number { unit, least, most } = field.takes else {
            assert_eq!(field.limit, None, "{}", field.name);
            continue;
        };
        for number in [least, most] {
            let mut expected = published.clone();
            if let Some(limit) = field.limit {
                let scale = if unit == "seconds" && limit.ends_with("_ms") { 1_000 } else { 1 };
                expected[limit] = (number * scale).into();
            }
            assert_eq!(limits_with(field, number), expected, "{}", field.name);
        }
    }
}

#[test]
fn the_published_limits_are_those_of_a_server_with_nothing_configured() {
    assert_eq!(document()["channels"]["live"]["x-limits"], limits(Limits::of(&Config::default())));
}

#[test]
fn a_setting_that_closes_sessions_names_the_code() {
    for (name, close) in [
        ("sessions_max", Close::TooManySessions),
        ("sessions_per_address_max", Close::TooManyFromAddress),
        ("sessions_per_principal_max", Close::TooManyOfPrincipal),
        ("session_lifetime_seconds", Close::Lifetime),
        ("session_ping_seconds", Close::Silent),
    ] {
        let field = FIELDS.iter().find(|field| field.name == name).unwrap();
        assert!(field.limit.is_some() && field.help().contains(&format!("closed with {}", close.code())), "{name}");
    }
}
