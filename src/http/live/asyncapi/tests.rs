use std::{collections::BTreeMap, fs, path::Path};

use utoipa::PartialSchema;

use super::{
    document,
    messages::{FROM_CLIENT, FROM_SERVER},
    schemas, text,
};
use crate::http::live::{
    Close,
    notice::{Closing, Notice},
    protocol::Request,
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
