//! The header that shows that a page of this server, or a program, wrote the request.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::HeaderName},
};

use crate::http::{error::Problem, input::given};

/// Names the device or program a command comes from; the history of a list shows it.
pub static CLIENT: HeaderName = HeaderName::from_static("x-aisled-client");

/// Refuses a write without [`CLIENT`]. Ask this for writes whose caller is known by a cookie alone: the browser adds the cookie to what any
/// page sends, but a page of another site cannot add this header unless `cors_origins` names it.
///
/// # Errors
/// 403 without the header.
pub fn needs_custom_header(request: &HttpRequest) -> Result<(), Problem> {
    if given(request.headers(), &CLIENT).is_some() {
        return Ok(());
    }
    let detail = "a write that is signed in by a cookie needs the header X-Aisled-Client with the client's name";
    Err(Problem::new(StatusCode::FORBIDDEN, "custom_header_required", detail))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_write_by_cookie_needs_a_header_that_a_foreign_page_cannot_send() {
        let code =
            |request: TestRequest| needs_custom_header(&request.to_http_request()).map_err(|problem| (problem.status(), problem.code()));
        assert_eq!(code(TestRequest::post().insert_header(("x-aisled-client", "web"))), Ok(()));
        for without in [TestRequest::post(), TestRequest::post().insert_header(("x-aisled-client", " "))] {
            assert_eq!(code(without), Err((StatusCode::FORBIDDEN, "custom_header_required")));
        }
    }
}
