//! Unions whose variants name themselves in one field: each variant gets a name of its own, and the union says which field tells them apart.

use serde_json::{Map, Value, json};

use super::walk;

/// Fields that tell the variants of a union apart.
const TAGS: &[&str] = &["op", "type", "kind"];

/// Names the variants of every such union among the named schemas.
pub fn discriminate(document: &mut Value) {
    let names: Vec<String> = walk::schemas(document).keys().cloned().collect();
    for name in names {
        let schemas = walk::schemas(document);
        let Some(variants) = schemas[&name]["oneOf"].as_array().cloned() else { continue };
        let named = TAGS.iter().find_map(|tag| tagged(&name, tag, &variants));
        let Some((tag, named)) = named else { continue };
        let mapping: Map<String, Value> =
            named.iter().map(|(value, name, _)| (value.clone(), format!("{}{name}", walk::SCHEMAS).into())).collect();
        let references: Vec<Value> = named.iter().map(|(_, name, _)| walk::reference(name)).collect();
        schemas[&name]["oneOf"] = references.into();
        schemas[&name]["discriminator"] = json!({ "propertyName": tag, "mapping": mapping });
        schemas.extend(named.into_iter().map(|(_, name, schema)| (name, schema)));
    }
}

/// A variant: the value of its tag, its name, its schema.
type Named = (String, String, Value);

/// The variants with their names, if all have the tag.
fn tagged<'t>(union: &str, tag: &'t str, variants: &[Value]) -> Option<(&'t str, Vec<Named>)> {
    let value =
        |variant: &Value| variant["properties"][tag]["enum"].as_array().filter(|values| values.len() == 1)?[0].as_str().map(str::to_owned);
    let named = variants.iter().map(|variant| {
        let value = value(variant)?;
        let name = format!("{union}{}", pascal(&value));
        Some((value, name, variant.clone()))
    });
    Some((tag, named.collect::<Option<Vec<_>>>()?))
}

/// A value in snake case as a part of a type's name.
fn pascal(value: &str) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    value.split('_').filter(|part| !part.is_empty()).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn every_command_of_an_entity_names_its_variants() {
        for union in ["ListCommand", "ProductCommand", "StoreCommand", "OrderCommand", "HouseholdCommand"] {
            let schema = &document()["components"]["schemas"][union];
            assert_eq!(schema["discriminator"]["propertyName"], "op", "{union}");
            let variants = schema["oneOf"].as_array().expect("variants");
            assert!(variants.len() > 1 && variants.iter().all(|variant| walk::target(variant).is_some()), "{union}");
            assert_eq!(schema["discriminator"]["mapping"].as_object().map(Map::len), Some(variants.len()), "{union}");
        }
        assert_eq!(pascal("set_budget"), "SetBudget");
    }
}
