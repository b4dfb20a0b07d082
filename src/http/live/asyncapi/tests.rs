use std::{collections::BTreeMap, fs, path::Path};

use super::{document, schemas, text};

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
fn no_two_types_share_the_name_of_a_schema() {
    let mut known = BTreeMap::new();
    for (name, schema) in schemas::found() {
        let schema = serde_json::to_value(schema).unwrap();
        let before = known.insert(name.clone(), schema.clone());
        assert!(before.is_none_or(|before| before == schema), "{name} names two types");
    }
}
