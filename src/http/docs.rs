//! The documentation: the OpenAPI document made from the code, a page to browse it, and a pointer at the root.

use std::sync::{Arc, LazyLock};

use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::header,
    web::{self, Bytes},
};
use utoipa_swagger_ui::Config;

use super::{
    body::Nothing,
    error::Problem,
    input::{AnyQuery, Query},
    live,
    openapi::document,
    unrouted::{no_such_route, other_method},
};

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub async fn openapi(_: Query<Nothing>) -> HttpResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(document().to_string()));
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
