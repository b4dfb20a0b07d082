//! Answers that many operations give alike are described once: the document would be four times as long.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::walk;

/// Moves every error answer that more than one operation gives to the shared part of the document.
pub fn share(document: &mut Value) {
    let mut uses: HashMap<String, (usize, String)> = HashMap::new();
    walk::each_operation(document, |row, operation| {
        for (status, answer) in errors(operation) {
            let first = uses.entry(answer.to_string()).or_insert_with(|| (0, format!("{}{status}", capital(row.operation))));
            first.0 += 1;
        }
    });
    let mut shared = Map::new();
    walk::each_operation(document, |_, operation| {
        for (_, answer) in errors(operation) {
            if let Some((2.., name)) = uses.get(&answer.to_string()) {
                let reference = json!({ "$ref": format!("#/components/responses/{name}") });
                shared.insert(name.clone(), std::mem::replace(answer, reference));
            }
        }
    });
    document["components"]["responses"] = Value::Object(shared);
}

fn errors(operation: &mut Map<String, Value>) -> impl Iterator<Item = (String, &mut Value)> {
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten();
    answers.filter(|(status, _)| status.starts_with(['4', '5'])).map(|(status, answer)| (status.clone(), answer))
}

/// Named by the first operation that gives it.
fn capital(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

#[cfg(test)]
mod tests {
    use crate::http::openapi::document;

    #[test]
    fn the_document_is_short_and_every_shared_answer_is_used() {
        let text = document().to_string();
        assert!(text.len() < 600_000, "{} bytes", text.len());
        for name in document()["components"]["responses"].as_object().expect("answers").keys() {
            assert!(text.matches(&format!("#/components/responses/{name}\"")).count() > 1, "{name}");
        }
    }
}
