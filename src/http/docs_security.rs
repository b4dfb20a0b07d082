//! What the OpenAPI document says about who may call: the ways to sign in, the right that each route takes, and the headers that requests
//! may carry. All of it is made from the table of routes.

use utoipa::openapi::{
    self, HttpMethod, Object, RefOr,
    path::{Operation, Parameter, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, Type},
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use super::{NEEDS, ROUTES, route::Need};
use crate::domain::rights::{Action, Standing};

const TOKEN: &str = "token";
const SESSION: &str = "session";

/// Headers of every write.
const OF_WRITES: &[(&str, &str, Option<&str>)] = &[
    ("Idempotency-Key", "Makes the write repeatable: the same key again is answered like the first time", None),
    ("If-Match", "The version as an `ETag` showed it: the write counts only there", None),
    ("X-Aisled-Client", "The device or program that writes. A write that a cookie signs needs it", Some("docs")),
];
/// Headers of every request that somebody signs.
const OF_ALL: &[(&str, &str, Option<&str>)] = &[
    ("X-Aisled-As", "Somebody else's principal: an admin of the server acts for that person, and events name both", None),
    ("X-Request-ID", "Names the request in the answer and in the server's log", None),
];

/// Adds it to the document.
pub struct Secured;

impl utoipa::Modify for Secured {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, scheme) in schemes() {
            components.security_schemes.insert(name.to_owned(), RefOr::T(scheme));
        }
        for ((method, path), need) in ROUTES.iter().zip(NEEDS) {
            let Some(item) = document.paths.paths.get_mut(*path) else { continue };
            let operation = match *method {
                "GET" => item.get.as_mut(),
                "POST" => item.post.as_mut(),
                "PATCH" => item.patch.as_mut(),
                _ => item.delete.as_mut(),
            };
            if let Some(operation) = operation {
                describe(operation, method_of(method), *need);
            }
        }
    }
}

fn method_of(method: &str) -> HttpMethod {
    match method {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PATCH" => HttpMethod::Patch,
        _ => HttpMethod::Delete,
    }
}

/// A token in a header, or the cookie of a browser's session.
fn schemes() -> [(&'static str, SecurityScheme); 2] {
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "An API token (`POST /api/v1/tokens`, or `aisled token create`), the configured admin token, or the end of a link to a list.",
    ));
    let session = ApiKey::Cookie(ApiKeyValue::with_description(
        "aisled_session",
        "The session of a browser: sign in at `/sign-in`. On https the cookie is `__Host-aisled_session`. Writes need `X-Aisled-Client` as well.",
    ));
    [(TOKEN, SecurityScheme::Http(token.build())), (SESSION, SecurityScheme::ApiKey(session))]
}

fn describe(operation: &mut Operation, method: HttpMethod, need: Need) {
    let action = need.action();
    if action == Action::Enter {
        operation.security = Some(Vec::new());
    } else {
        let requirement = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
        operation.security = Some(vec![requirement(TOKEN), requirement(SESSION)]);
        let allowed = action.permission().allowed.iter().filter(|standing| **standing != Standing::Admin);
        let allowed: Vec<_> = allowed.map(|standing| standing.name()).collect();
        let who = if allowed.is_empty() {
            "an admin of the server".to_owned()
        } else {
            format!("{}, or an admin of the server", allowed.join(", "))
        };
        let least = if need.is_decided() { "Takes at least" } else { "Takes" };
        let text = operation.description.take().unwrap_or_default();
        let scope = if need.shows() { " A token needs the scope `read` as well, because the answer shows what is there." } else { "" };
        operation.description = Some(format!("{text}\n\n{least}: {who}.{scope}").trim_start().to_owned());
    }
    let writes = if method == HttpMethod::Get { &[][..] } else { OF_WRITES };
    operation.parameters.get_or_insert_default().extend(OF_ALL.iter().chain(writes).map(header));
}

fn header(&(name, what, default): &(&str, &str, Option<&str>)) -> RefOr<Parameter> {
    let schema: Object = ObjectBuilder::new().schema_type(Type::String).default(default.map(Into::into)).build();
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).description(Some(what)).schema(Some(schema));
    RefOr::T(parameter.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::docs::document;

    #[test]
    fn every_route_says_how_to_sign_in_and_what_right_it_takes() {
        let document = serde_json::to_value(document()).expect("is JSON");
        let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
        for ((method, path), need) in ROUTES.iter().zip(NEEDS) {
            let operation = &document["paths"][*path][method.to_lowercase()];
            let open = *need == Need::May(Action::Enter);
            let named = operation["security"].as_array().expect("a list");
            assert_eq!(named.is_empty(), open, "{method} {path}");
            let known = named.iter().flat_map(|one| one.as_object().into_iter().flatten()).all(|(name, _)| schemes.contains_key(name));
            assert!(known, "{method} {path}");
            assert!(open || operation["description"].as_str().is_some_and(|text| text.contains("Takes")), "{method} {path}");
        }
    }
}
