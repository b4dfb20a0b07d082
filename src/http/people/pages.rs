//! The pages for people without a client of their own: set up, sign in, join, read a list by its link, and manage the family. Plain
//! documents with one script and one style; nothing is loaded from elsewhere. Secrets come after `#`, which browsers send to nobody.

use actix_web::{HttpResponse, http::header};

use crate::http::input::AnyQuery;

/// What a page may load and do: only what this server serves.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

macro_rules! pages {
    ($( $(#[$doc:meta])* $name:ident $path:literal $file:literal $kind:literal; )+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(get, path = $path, tag = "people", responses((status = 200, body = String, content_type = $kind)))]
            pub async fn $name(_: AnyQuery) -> HttpResponse {
                answer($kind, include_str!(concat!("page/", $file)))
            }
        )+
    };
}

pages! {
    /// The page to sign in.
    sign_in "/sign-in" "sign-in.html" "text/html";
    /// The page that the set-up link opens.
    setup "/setup" "setup.html" "text/html";
    /// The page that an invitation's link opens.
    join "/join" "join.html" "text/html";
    /// The page that a list's link opens.
    view "/view" "view.html" "text/html";
    /// The page of one's account, household and devices.
    people "/people" "people.html" "text/html";
    /// The script of these pages.
    script "/people.js" "people.js" "text/javascript";
    /// The style of these pages.
    style "/people.css" "people.css" "text/css";
}

/// A page with the headers that keep other pages from framing it or reading along.
#[must_use]
pub fn answer(kind: &'static str, text: impl Into<std::borrow::Cow<'static, str>>) -> HttpResponse {
    let text = text.into().into_owned();
    HttpResponse::Ok()
        .content_type(format!("{kind}; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(text)
}
