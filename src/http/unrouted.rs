//! Answers to requests that no route serves.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
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

/// Answers a known path with an unsupported method.
#[must_use]
pub fn method_not_allowed(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let detail = format!("{} is not possible at {}; possible: {allowed}", request.method(), request.path());
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    // Method names are always valid header values.
    let header = HeaderValue::from_str(allowed).unwrap_or_else(|_| HeaderValue::from_static(""));
    HttpResponse::from_error(problem.with_header(header::ALLOW, header))
}
