//! Examples of the demo household, so that every operation of it can be tried as it stands: ids, queries and bodies.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::walk::{self, Row};

/// The beginning of a path, and an id of the demo that stands for its `{id}`.
const IDS: &[(&str, &str)] = &[
    ("/api/v1/lists/", "demo:weekly"),
    ("/api/v1/products/", "demo:milk-1l"),
    ("/api/v1/stores/", "demo:markt-nord"),
    ("/api/v1/households/", "demo:household"),
    ("/api/v1/orders/", "demo:order-25"),
];
/// Other parameters that an operation cannot do without, with a value of the demo.
const PARAMETERS: &[(&str, &str, &str)] =
    &[("query", "topics", "list:demo:weekly"), ("path", "item", "demo:eggs"), ("query", "store", "demo:markt-nord")];
/// A body for each operation that takes one.
static BODIES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).expect("this holds because a test reads the file"));

/// Adds the examples.
pub fn exemplify(document: &mut Value) {
    walk::each_operation(document, |row, operation| {
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if let Some(example) = of_parameter(row, parameter) {
                parameter["example"] = example.into();
            }
        }
        let contents = operation.get_mut("requestBody").and_then(|body| body["content"].as_object_mut());
        for content in contents.into_iter().flat_map(Map::values_mut).filter(|content| content["schema"]["format"] != "binary") {
            if let Some(body) = BODIES.get(row.operation) {
                let is_text = content["schema"]["type"] == "string";
                content["example"] = if is_text { body.to_string().into() } else { body.clone() };
            }
        }
    });
}

fn of_parameter(row: Row, parameter: &Value) -> Option<&'static str> {
    let name = parameter["name"].as_str()?;
    if name == "id" {
        return IDS.iter().find(|(beginning, _)| row.path.starts_with(beginning)).map(|(_, id)| *id);
    }
    let is_needed = parameter["required"] == true || name == "topics";
    PARAMETERS.iter().find(|(place, known, _)| is_needed && parameter["in"] == *place && *known == name).map(|(_, _, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::{
        demo,
        events::{Log, clock::SystemClock, memory::MemoryLog},
        http::{
            OPERATIONS,
            openapi::document,
            tests::rig::{Rig, local, method_of},
        },
    };

    /// A server with the demo.
    fn demo_rig() -> Rig {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Arc::new(SystemClock)));
        let seeded = std::thread::spawn({
            let log = Arc::clone(&log);
            move || demo::seed(&log).map(drop).map_err(|error| error.to_string())
        });
        seeded.join().expect("it does not panic").expect("the demo is recorded");
        Rig::on(log)
    }

    #[test]
    fn every_body_has_an_example_and_every_example_an_operation() {
        for row in walk::rows() {
            let content = &document()["paths"][row.path][row.method.to_lowercase()]["requestBody"]["content"];
            let has_example = content.as_object().is_some_and(|contents| contents.values().any(|content| content.get("example").is_some()));
            assert_eq!(content.is_object(), has_example, "{row:?}");
        }
        assert!(BODIES.keys().all(|name| OPERATIONS.contains(&name.as_str())));
    }

    /// Accounts, secrets and snapshots are not part of the demo: their examples are understood, and refused for what they name.
    #[actix_web::test]
    async fn every_write_with_an_example_runs_on_the_demo() {
        let mut tried = 0;
        for row in walk::rows().filter(|row| row.method != "GET") {
            let operation = &document()["paths"][row.path][row.method.to_lowercase()];
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let Some(path) = filled(row.path, &parameters) else { continue };
            let Some(body) = BODIES.get(row.operation) else { continue };
            let kind =
                operation["requestBody"]["content"].as_object().and_then(|contents| contents.keys().next_back()).expect("a content type");
            let request = local(method_of(row.method), &path).insert_header(("content-type", kind.as_str())).set_payload(body.to_string());
            let answer = demo_rig().send(request).await;
            let is_of_the_demo = IDS.iter().any(|(start, _)| row.path.starts_with(start.trim_end_matches('/')));
            let needs_accounts = ["/links", "/invitations"].iter().any(|part| row.path.contains(part));
            let is_understood = !matches!(answer.status.as_u16(), 400 | 415 | 422) || row.path.contains("/oidc/");
            let is_fine = answer.status.is_success() || (is_understood && (!is_of_the_demo || needs_accounts));
            assert!(is_fine, "{} {path}: {} {:?}", row.method, answer.status, answer.body);
            tried += 1;
        }
        assert!(tried > 25, "only {tried} writes have examples");
    }

    #[actix_web::test]
    async fn every_read_with_examples_runs_on_the_demo_as_it_stands() {
        let rig = demo_rig();
        let mut tried = 0;
        for (path, item) in document()["paths"].as_object().expect("paths") {
            let Some(parameters) = item["get"]["parameters"].as_array() else { continue };
            // They have no end, take a handshake, or take a provider.
            if path.ends_with("/live/sse") || path.ends_with("/live") || path.contains("/oidc/") {
                continue;
            }
            let Some(path) = filled(path, parameters) else { continue };
            let answer = rig.get(&path).await;
            // A diff needs two moments, which no example can know.
            let is_fine = answer.status.is_success() || matches!(answer.status.as_u16(), 400) && path.contains("/diff");
            assert!(is_fine, "{path}: {:?}", answer.body);
            tried += 1;
        }
        assert!(tried > 25, "only {tried} reads have examples");
    }

    /// The path with its examples, unless one is missing.
    fn filled(path: &str, parameters: &[Value]) -> Option<String> {
        let mut path = path.to_owned();
        let mut query = Vec::new();
        for parameter in parameters {
            let (name, example) = (parameter["name"].as_str()?, parameter["example"].as_str());
            match (parameter["in"].as_str()?, example) {
                ("path", example) => path = path.replace(&format!("{{{name}}}"), example?),
                ("query", Some(example)) => query.push(format!("{name}={example}")),
                _ => {}
            }
        }
        let query = query.join("&");
        Some(if query.is_empty() { path } else { format!("{path}?{query}") })
    }
}
