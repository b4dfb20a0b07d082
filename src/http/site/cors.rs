//! Pages of other origins that the operator lets use the API (CORS): off without the setting `cors_origins`. Such pages sign in with a
//! token; the answer never allows credentials, so a cookie of this server is of no use to them.
//! Own code, because the crate for it answers preflights in plain text and before the host is checked.

use actix_web::{
    HttpResponse,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use super::{Site, headers::one};

/// The methods of the table of routes.
const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE";
/// The headers that routes take.
const HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Aisled-As, X-Aisled-Client, X-Aisled-Epoch, X-Request-ID";
/// The headers of answers that a page may read.
const EXPOSED: &str = "Allow, ETag, Location, Retry-After, Server-Timing, WWW-Authenticate, X-Aisled-Epoch, X-At-Position, X-At-Time, X-Known-Position, X-Request-ID, X-Response-Time";
/// How long a browser may remember a preflight: two hours, the most that all of them keep.
const MAX_AGE_SECONDS: &str = "7200";

impl Site {
    /// Answers the question of a browser whether a page may send a request, if it may.
    pub fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let asks = request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || self.shared_origin(request.headers()).is_none() {
            return None;
        }
        let mut answer = HttpResponse::new(StatusCode::NO_CONTENT);
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECONDS));
        Some(answer)
    }

    /// Lets the page that asked read the answer. Where some may, every answer depends on who asks.
    pub fn share<B>(&self, response: &mut ServiceResponse<B>) {
        if self.shared_with.is_empty() {
            return;
        }
        let origin = self.shared_origin(response.request().headers()).cloned();
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    fn shared_origin<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        one(headers, &header::ORIGIN).ok().flatten().filter(|origin| self.is_shared_with(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        ROUTES,
        travel::{KNOWN_HEADER, POSITION_HEADER, TIME_HEADER},
    };

    #[test]
    fn every_method_of_the_table_of_routes_is_allowed_to_pages() {
        for (method, path) in ROUTES {
            assert!(METHODS.split(", ").any(|allowed| allowed == *method), "{method} {path}");
        }
    }

    #[test]
    fn the_headers_of_a_past_answer_can_be_read_by_pages() {
        for name in [POSITION_HEADER, TIME_HEADER, KNOWN_HEADER] {
            assert!(EXPOSED.to_ascii_lowercase().split(", ").any(|exposed| exposed == name), "{name}");
        }
    }
}
