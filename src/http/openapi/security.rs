//! Who may call: the ways to sign in, and the right that each operation takes, from the table of routes.

use serde_json::{Map, Value, json};

use super::walk::{self, Row};
use crate::domain::rights::{Action, Standing};

/// Adds it to the document.
pub fn secure(document: &mut Value) {
    document["components"]["securitySchemes"] = schemes();
    walk::each_operation(document, describe);
}

/// A token in a header, or the cookie of a browser's session.
fn schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (`POST /api/v1/tokens`, or `aisled token create`), the configured admin token, or the end of a link to a list.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "aisled_session",
            "description": "The session of a browser: sign in at `/sign-in`. On https the cookie is `__Host-aisled_session`. Writes need `X-Aisled-Client` as well.",
        },
    })
}

fn describe(row: Row, operation: &mut Map<String, Value>) {
    let action = row.need.action();
    if action == Action::Enter {
        operation.insert("security".into(), json!([]));
        return;
    }
    operation.insert("security".into(), json!([{ "token": [] }, { "session": [] }]));
    let text = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let least = if row.need.is_decided() { "Takes at least" } else { "Takes" };
    let scope = if row.need.shows() { " A token needs the scope `read` as well, because the answer shows what is there." } else { "" };
    let text = format!("{text}\n\n{least}: {}.{scope}", who(action)).trim_start().to_owned();
    operation.insert("description".into(), text.into());
}

fn who(action: Action) -> String {
    let allowed = action.permission().allowed.iter().filter(|standing| **standing != Standing::Admin);
    let allowed: Vec<_> = allowed.map(|standing| standing.name()).collect();
    if allowed.is_empty() { "an admin of the server".to_owned() } else { format!("{}, or an admin of the server", allowed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{openapi::document, route::Need};

    #[test]
    fn every_route_says_how_to_sign_in_and_what_right_it_takes() {
        let schemes = document()["components"]["securitySchemes"].as_object().expect("schemes");
        for row in walk::rows() {
            let operation = &document()["paths"][row.path][row.method.to_lowercase()];
            let open = row.need == Need::May(Action::Enter);
            let named = operation["security"].as_array().expect("a list");
            assert_eq!(named.is_empty(), open, "{row:?}");
            let known = named.iter().flat_map(|one| one.as_object().into_iter().flatten()).all(|(name, _)| schemes.contains_key(name));
            assert!(known, "{row:?}");
            assert!(open || operation["description"].as_str().is_some_and(|text| text.contains("Takes")), "{row:?}");
        }
    }
}
