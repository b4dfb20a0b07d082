//! Bodies of lines: what one line holds, and the form for clients that know only bytes.

use serde_json::{Value, json};

use super::walk;

/// The content type of lines.
const LINES: &str = "application/x-ndjson";

/// A body of lines is text; `x-item-schema` says what each line of it is. Requests may send it as plain bytes too.
pub fn complete(document: &mut Value) {
    walk::each_operation(document, |_, operation| {
        if let Some(contents) = operation.get_mut("requestBody").and_then(|body| body["content"].as_object_mut())
            && let Some(content) = contents.get_mut(LINES)
        {
            cut(content);
            contents.insert("application/octet-stream".into(), json!({ "schema": { "type": "string", "format": "binary" } }));
        }
        if let Some(content) = operation["responses"].get_mut("200").and_then(|answer| answer["content"].get_mut(LINES)) {
            cut(content);
        }
    });
}

fn cut(content: &mut Value) {
    content["x-item-schema"] = content["schema"].take();
    content["schema"] = json!({ "type": "string", "description": "JSON texts, one a line: `x-item-schema` is the schema of each." });
}

#[cfg(test)]
mod tests {
    use crate::http::openapi::{document, walk};

    #[test]
    fn every_body_of_lines_says_what_a_line_is() {
        let named: Vec<_> = walk::rows()
            .filter(|row| {
                let operation = &document()["paths"][row.path][row.method.to_lowercase()];
                let content = &operation["responses"]["200"]["content"][super::LINES];
                assert!(content.is_null() || content["x-item-schema"].is_object(), "{row:?}");
                content.is_object()
            })
            .map(|row| row.operation)
            .collect();
        assert_eq!(named.len(), 4, "{named:?}");
    }
}
