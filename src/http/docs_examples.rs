//! Examples in the OpenAPI document: ids of the demo household, so that every read can be tried as it stands.

use utoipa::openapi::{
    self, RefOr,
    path::{ParameterBuilder, ParameterIn},
};

/// The beginning of a path, and an id of the demo that stands for its `{id}`.
const IDS: &[(&str, &str)] = &[
    ("/api/v1/lists/", "demo:weekly"),
    ("/api/v1/products/", "demo:milk-1l"),
    ("/api/v1/stores/", "demo:markt-nord"),
    ("/api/v1/households/", "demo:household"),
];
/// Parameters of a query without which a route answers nothing, with a value for the demo.
const QUERIES: &[(&str, &str)] = &[("topics", "list:demo:weekly")];

/// Adds the examples.
pub struct Exemplified;

impl utoipa::Modify for Exemplified {
    fn modify(&self, document: &mut openapi::OpenApi) {
        for (path, item) in &mut document.paths.paths {
            let id = IDS.iter().find(|(beginning, _)| path.starts_with(beginning)).map(|(_, id)| *id);
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            for parameter in operations.into_iter().flatten().flat_map(|operation| operation.parameters.iter_mut().flatten()) {
                let RefOr::T(parameter) = parameter else { continue };
                let example = match parameter.parameter_in {
                    ParameterIn::Path if parameter.name == "id" => id,
                    ParameterIn::Query => QUERIES.iter().find(|(name, _)| *name == parameter.name).map(|(_, value)| *value),
                    ParameterIn::Path | ParameterIn::QueryString | ParameterIn::Header | ParameterIn::Cookie => None,
                };
                if let Some(example) = example {
                    *parameter = ParameterBuilder::from(parameter.clone()).example(Some(example.into())).build();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::Value;

    use crate::{
        demo,
        events::{Log, clock::SystemClock, memory::MemoryLog},
        http::{docs::document, tests::rig::Rig},
    };

    #[actix_web::test]
    async fn every_read_with_examples_runs_on_the_demo_as_it_stands() {
        let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Arc::new(SystemClock)));
        let seeded = std::thread::spawn({
            let log = Arc::clone(&log);
            move || demo::seed(&log).map(drop).map_err(|error| error.to_string())
        });
        seeded.join().expect("it does not panic").expect("the demo is recorded");
        let rig = Rig::on(log);
        let document = serde_json::to_value(document()).expect("is JSON");
        let mut tried = 0;
        for (path, item) in document["paths"].as_object().expect("paths") {
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
