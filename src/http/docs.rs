//! The documentation: the OpenAPI document made from the code, a page to browse it, and a pointer at the root.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{self, RefOr},
};
use utoipa_swagger_ui::Config;

use super::{
    Routes,
    body::Nothing,
    bulk,
    error::Problem,
    input::{AnyQuery, Query},
    live,
    travel::{KNOWN_HEADER, POSITION_HEADER, TIME_HEADER},
    unrouted::{no_such_route, other_method},
};

/// What the document says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "aisled",
        description = "A live grocery server on one event log. Every write is a command and answers with its outcome, the entity's version and the log position. \
            Any write may carry `Idempotency-Key` (repeatable) and `If-Match: \"<version>\"` (conditional). Errors are RFC 9457 problems with a stable `code`. \
            Money and quantities are decimal text."
    ),
    components(schemas(
        bulk::BulkSummary, crate::projections::HeldPrice, crate::snapshots::Verified, crate::app::Restored, crate::app::Undone,
        crate::app::Rebuilt, crate::app::SelfRestored
    )),
    tags(
        (name = "lists", description = "Shopping lists, their items and totals"),
        (name = "products", description = "What can be bought"),
        (name = "prices", description = "Prices as they were seen, and deals"),
        (name = "stores", description = "Shops and their sales channels"),
        (name = "orders", description = "From basket to receipt and refund"),
        (name = "households", description = "Who shares lists and a budget"),
        (name = "people", description = "Signing in, devices, tokens, invitations, links and accounts"),
        (name = "undo", description = "What happened, taking it back, and bringing a list or household back"),
        (name = "events", description = "The log itself"),
        (name = "live", description = "Changes as they happen"),
        (name = "admin", description = "Snapshots, restores and rebuilds"),
        (name = "operation", description = "For those who run the server"),
    )
)]
struct Frame;

/// The document: its frame, and the description of every route of the table.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let mut document = Frame::openapi();
    document.merge(Routes::openapi());
    Described.modify(&mut document);
    Travels.modify(&mut document);
    super::docs_security::Secured.modify(&mut document);
    super::docs_examples::Exemplified.modify(&mut document);
    document
}

/// Gives every answer the description that OpenAPI requires: by default the text of its status.
struct Described;

impl Modify for Described {
    fn modify(&self, document: &mut openapi::OpenApi) {
        for path in document.paths.paths.values_mut() {
            let operations = [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete];
            for (status, answer) in operations.into_iter().flatten().flat_map(|operation| &mut operation.responses.responses) {
                if let RefOr::T(answer) = answer
                    && answer.description.is_empty()
                {
                    in_words(status).clone_into(&mut answer.description);
                }
            }
        }
    }
}

/// Adds the headers that name an answer's point of the log.
struct Travels;

impl Modify for Travels {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let told = [
            (POSITION_HEADER, "With `at`: the position of the answer"),
            (TIME_HEADER, "With `at`: the moment that counts as now in the answer"),
            (KNOWN_HEADER, "With `known_at`: what was recorded after this position does not count"),
        ];
        let travels = |operation: &openapi::path::Operation| {
            operation.parameters.iter().flatten().any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "at"))
        };
        for operation in document.paths.paths.values_mut().filter_map(|path| path.get.as_mut()).filter(|get| travels(get)) {
            if let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200") {
                answer.headers.extend(told.map(|(name, what)| (name.to_owned(), RefOr::T(header(what)))));
            }
        }
    }
}

fn header(what: &str) -> openapi::Header {
    let text = openapi::ObjectBuilder::new().schema_type(openapi::schema::Type::String).build();
    openapi::HeaderBuilder::new().schema(Some(text)).description(Some(what)).build()
}

fn in_words(status: &str) -> &'static str {
    let known = StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason());
    known.unwrap_or("Refused: the code says why")
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub async fn openapi(_: Query<Nothing>) -> HttpResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_json().unwrap_or_default()));
    HttpResponse::Ok().content_type("application/json").body(TEXT.clone())
}

/// The live protocol as an AsyncAPI document.
#[utoipa::path(get, path = "/api/v1/asyncapi.json", tag = "live", responses((status = 200, body = Object)))]
pub async fn asyncapi(_: Query<Nothing>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(live::asyncapi::text())
}

/// Where the page to browse the document is.
const PAGE: &str = "/api/v1/docs/{file:.*}";

/// Attaches that page.
pub fn attach(config: &mut web::ServiceConfig) {
    config.service(web::redirect("/api/v1/docs", "/api/v1/docs/"));
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    let other = |request: HttpRequest| async move { other_method(&request, &["GET"]) };
    config.service(web::resource(PAGE).route(web::route().guard(reads()).to(browse)).default_service(web::to(other)));
}

/// A file of that page.
async fn browse(file: web::Path<String>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("/api/v1/openapi.json").with_credentials(true).persist_authorization(false)));
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG)).map_err(|error| Problem::internal(&error))?;
    let Some(file) = found else { return no_such_route(request).await };
    Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned()))
}

/// Points to the documentation, and a browser to one's page.
#[utoipa::path(get, path = "/", tag = "operation", responses((status = 200, body = String)))]
pub async fn welcome(request: HttpRequest, _: AnyQuery) -> HttpResponse {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        return HttpResponse::SeeOther().insert_header((header::LOCATION, "/people")).finish();
    }
    let text = format!(
        "aisled {version}: a live grocery server on one event log\n\n\
         /api/v1/docs      browse and try every route\n\
         /api/v1/lists     shopping lists with their totals\n\
         /api/v1/deals     what is cheaper than usual\n\
         /api/v1/events    the log itself, one event a line (add ?follow=true)\n\
         /api/v1/live      WebSocket: changes as they happen (or /api/v1/live/sse)\n\
         /readyz           can it serve, and how durable is what it answered\n\
         /metrics          for Prometheus\n\n\
         sign in at /sign-in, or send a token as Authorization: Bearer <token>\n",
        version = env!("CARGO_PKG_VERSION"),
    );
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::document;
    use crate::http::ROUTES;

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        let document = serde_json::to_value(document()).expect("is JSON");
        let paths = document["paths"].as_object().expect("has paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(|(method, _)| (method.to_uppercase(), path.clone())))
            .collect();
        let served: BTreeSet<_> = ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn every_reference_of_the_document_leads_somewhere() {
        let document = serde_json::to_value(document()).expect("is JSON");
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document["components"]["schemas"].get(reference).is_some(), "{reference} is missing");
        }
    }
}
