//! Answers to requests that no route serves.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};

use super::error::Problem;

/// Answers an unknown path.
///
/// # Errors
/// Always.
pub async fn no_such_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("route_not_found", format!("nothing is served at {}; see /api/v1/docs", request.path())))
}

/// Answers a known path with a method that has no handler: which ones are possible, or that this one is not.
#[must_use]
pub fn other_method(request: &HttpRequest, methods: &[&str]) -> HttpResponse {
    let allowed = allowed(methods);
    if request.method() == Method::OPTIONS { options(&allowed) } else { method_not_allowed(request, &allowed) }
}

/// All methods of a path: what answers GET answers HEAD too, and everything answers OPTIONS.
fn allowed(methods: &[&str]) -> String {
    let (head, own) = (methods.contains(&"GET").then_some("HEAD"), methods.iter().copied());
    own.chain(head).chain(Some("OPTIONS")).collect::<Vec<_>>().join(", ")
}

fn options(allowed: &str) -> HttpResponse {
    HttpResponse::NoContent().insert_header((header::ALLOW, allowed)).finish()
}

fn method_not_allowed(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let detail = format!("{} is not possible at {}; possible: {allowed}", request.method(), request.path());
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    // Method names are always valid header values.
    let header = HeaderValue::from_str(allowed).unwrap_or_else(|_| HeaderValue::from_static(""));
    HttpResponse::from_error(problem.with_header(header::ALLOW, header))
}
