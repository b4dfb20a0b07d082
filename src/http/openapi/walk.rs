//! The ways through the document: every operation with its row of the table of routes, every schema, every reference.

use serde_json::{Map, Value};

use crate::http::{
    NEEDS, OPERATIONS, ROUTES,
    route::{Need, RouteNumber},
};

/// Where the schemas are.
pub const SCHEMAS: &str = "#/components/schemas/";

/// One row of the table of routes.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    pub operation: &'static str,
    pub need: Need,
}

/// Every row.
pub fn rows() -> impl Iterator<Item = Row> {
    let rows = ROUTES.iter().zip(OPERATIONS).zip(NEEDS);
    rows.map(|((&(method, path), &operation), &need)| Row { method, path, operation, need })
}

/// The row of a route.
#[must_use]
pub fn row(number: RouteNumber) -> Option<Row> {
    rows().nth(number.0.into())
}

/// Gives each operation the name that its row says.
pub fn name_operations(document: &mut Value) {
    each_operation(document, |row, operation| {
        operation.insert("operationId".into(), row.operation.into());
    });
}

/// Changes each operation.
pub fn each_operation(document: &mut Value, mut change: impl FnMut(Row, &mut Map<String, Value>)) {
    for row in rows() {
        if let Some(operation) = document["paths"][row.path].get_mut(row.method.to_lowercase()).and_then(Value::as_object_mut) {
            change(row, operation);
        }
    }
}

/// The named schemas.
pub fn schemas(document: &mut Value) -> &mut Map<String, Value> {
    document["components"]["schemas"].as_object_mut().expect("this holds because the frame names schemas")
}

/// Changes every object of the document, the inner ones first.
pub fn each_object(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each_object(value, change)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|value| each_object(value, change));
            change(fields);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The name that a schema refers to.
pub fn target(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)
}

/// A reference to a named schema.
pub fn reference(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("{SCHEMAS}{name}") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        let paths = document()["paths"].as_object().expect("has paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(|(method, _)| (method.to_uppercase(), path.clone())))
            .collect();
        let served: BTreeSet<_> = ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_in_camel_case() {
        let names: BTreeSet<_> = OPERATIONS.iter().collect();
        assert_eq!(names.len(), ROUTES.len());
        assert!(
            names.iter().all(|name| name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric()))
        );
        for row in rows() {
            assert_eq!(document()["paths"][row.path][row.method.to_lowercase()]["operationId"], row.operation);
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        let text = document().to_string();
        let named: BTreeSet<_> = text.split(SCHEMAS).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let known: BTreeSet<_> = document()["components"]["schemas"].as_object().expect("schemas").keys().map(String::as_str).collect();
        assert_eq!(named, known);
    }
}
