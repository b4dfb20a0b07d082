//! The page for a sign-in by the provider that failed.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER},
};

use crate::http::{error::Problem, people::pages};

/// A problem as a page: its status, its code for programs, its sentence for people.
pub fn refused(problem: &Problem) -> HttpResponse {
    let page = include_str!("../page/refused.html").replace("{code}", problem.code());
    let page = page.replace("{detail}", &htmlize::escape_text(problem.detail()));
    let mut answer = pages::answer("text/html", page);
    *answer.status_mut() = problem.status();
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_seconds() {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}
