//! Generic types repeat the schemas of their parts in full: where a schema of the same fields has a name, it is referred to.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::walk;

/// Replaces every repeated schema by a reference.
pub fn refer(document: &mut Value) {
    let names: HashMap<String, String> = walk::schemas(document)
        .iter()
        .filter(|(_, schema)| schema["properties"].as_object().is_some_and(|fields| !fields.is_empty()))
        .map(|(name, schema)| (bare(schema).to_string(), name.clone()))
        .collect();
    for (own, schema) in walk::schemas(document) {
        for part in schema.as_object_mut().into_iter().flat_map(Map::values_mut) {
            walk::each_object(part, &mut |inner| {
                let named = names.get(&bare(&Value::Object(inner.clone())).to_string()).filter(|name| *name != own);
                if let Some(name) = named {
                    *inner = walk::reference(name).as_object().cloned().unwrap_or_default();
                }
            });
        }
    }
}

/// A schema without its description, which the place of use may have changed.
fn bare(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("description");
    }
    schema
}

#[cfg(test)]
mod tests {
    use crate::http::openapi::document;

    #[test]
    fn a_page_refers_to_its_entries() {
        assert_eq!(
            document()["components"]["schemas"]["StorePage"]["properties"]["entries"]["items"]["$ref"],
            "#/components/schemas/StoreEntry"
        );
    }
}
