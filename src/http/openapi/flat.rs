//! Schemas of several parts become one object: a part that allows no further fields contradicts every other part of an `allOf`, and
//! generators read one object better.

use serde_json::{Map, Value};

use super::walk;

/// Replaces every `allOf` by one object with the fields of all its parts.
pub fn flatten(document: &mut Value) {
    let known = walk::schemas(document).clone();
    walk::each_object(document, &mut |schema| {
        if let Some(Value::Array(parts)) = schema.remove("allOf") {
            let mut whole = Whole::default();
            parts.iter().for_each(|part| whole.add(part, &known));
            whole.finish(schema);
        }
    });
}

/// The object under way.
#[derive(Default)]
struct Whole {
    fields: Map<String, Value>,
    required: Vec<Value>,
    is_closed: bool,
    description: Option<Value>,
}

impl Whole {
    fn add(&mut self, part: &Value, known: &Map<String, Value>) {
        if let Some(named) = walk::target(part).and_then(|name| known.get(name)) {
            return self.add(named, known);
        }
        for part in part["allOf"].as_array().into_iter().flatten() {
            self.add(part, known);
        }
        self.fields.extend(part["properties"].as_object().cloned().unwrap_or_default());
        self.required.extend(part["required"].as_array().cloned().unwrap_or_default());
        self.is_closed |= part["additionalProperties"] == Value::Bool(false);
        if self.description.is_none() {
            self.description = part.get("description").cloned();
        }
    }

    fn finish(self, schema: &mut Map<String, Value>) {
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), Value::Object(self.fields));
        if !self.required.is_empty() {
            schema.insert("required".into(), Value::Array(self.required));
        }
        if self.is_closed {
            schema.insert("additionalProperties".into(), false.into());
        }
        if let Some(description) = self.description.filter(|_| !schema.contains_key("description")) {
            schema.insert("description".into(), description);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn no_schema_is_put_together_from_parts() {
        assert!(!document().to_string().contains("\"allOf\""));
    }

    #[test]
    fn a_part_that_allows_no_more_fields_does_not_forbid_those_of_the_others() {
        let mut document = serde_json::json!({"components": {"schemas": {
            "Details": {"type": "object", "properties": {"name": {}}, "required": ["name"], "additionalProperties": false},
            "Entry": {"allOf": [{"$ref": "#/components/schemas/Details"}, {"type": "object", "properties": {"id": {}}, "required": ["id"]}]},
        }}});
        flatten(&mut document);
        let entry = serde_json::json!({"type": "object", "properties": {"id": {}, "name": {}}, "required": ["name", "id"], "additionalProperties": false});
        assert_eq!(document["components"]["schemas"]["Entry"], entry);
    }
}
