//! Signing in by an `OpenID` provider: where it begins. It ends in `callback.rs`.

pub mod callback;
mod newcomer;
mod page;

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{on_accounts, session::needs_own_session};
use crate::{
    app::{App, Current, blocking},
    http::{
        access::Asker,
        body::{Json, Nothing, OptionalJson},
        cookie,
        error::{Problem, ProblemBody},
        input::AnyQuery,
        site::Peer,
    },
    oidc::{Begun, OidcError, Provider, Purpose},
    people::InvitationError,
};

/// Where the provider sends a browser back to; it is registered there.
const CALLBACK: &str = "/api/v1/oidc/callback";
/// Bytes of an invitation's link or code, with room for blanks.
const INVITATION_BYTES_MAX: usize = 64;

/// Sends a browser to the provider. A failure is a page, because people see it.
#[utoipa::path(get, path = "/api/v1/oidc/start", tag = "people",
    responses((status = 302, description = "to the provider"), (status = "4XX", body = String, content_type = "text/html")))]
pub async fn start(app: Current, request: HttpRequest, _: AnyQuery) -> HttpResponse {
    match begin(&app, &request, Purpose::SignIn).await {
        Ok(begun) => with_cookie(HttpResponse::Found().insert_header((header::LOCATION, begun.url.as_str())), &request, &begun).finish(),
        Err(problem) => page::refused(&problem),
    }
}

/// `POST /oidc/start`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The end of an invitation's link, or its code: it is accepted when the provider has said who comes.
    invitation: Option<String>,
}

/// Where a browser goes next.
#[derive(Debug, Serialize, ToSchema)]
pub struct Away {
    /// At the provider.
    pub url: String,
}

/// Begins a sign-in that may accept an invitation, which no URL shows. The browser that asks is the one that must go to the URL.
#[utoipa::path(post, path = "/api/v1/oidc/start", tag = "people", request_body = Start,
    responses((status = 200, body = Away), (status = "4XX", body = ProblemBody)))]
pub async fn start_with(app: Current, request: HttpRequest, Json(body): Json<Start>) -> Result<HttpResponse, Problem> {
    let purpose = match body.invitation {
        Some(invitation) if invitation.len() > INVITATION_BYTES_MAX => return Err(InvitationError::Unknown.into()),
        Some(invitation) => Purpose::Accept(invitation.trim().to_owned()),
        None => Purpose::SignIn,
    };
    away(&app, &request, purpose).await
}

/// Begins to link one's account with an identity of the provider.
#[utoipa::path(post, path = "/api/v1/oidc/link", tag = "people", responses((status = 200, body = Away), (status = "4XX", body = ProblemBody)))]
pub async fn link(app: Current, asker: Asker, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    needs_own_session(&asker, &request)?;
    away(&app, &request, Purpose::Link(asker.0.who.clone())).await
}

/// Ends the link. Refused without a password: nobody could sign in any more.
#[utoipa::path(delete, path = "/api/v1/oidc/link", tag = "people", responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn unlink(app: Current, asker: Asker, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    needs_own_session(&asker, &request)?;
    let who = asker.0.who.clone();
    on_accounts(&app, move |people| people.link_oidc(&who, None)).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn away(app: &Current, request: &HttpRequest, purpose: Purpose) -> Result<HttpResponse, Problem> {
    let begun = begin(app, request, purpose).await?;
    Ok(with_cookie(&mut HttpResponse::Ok(), request, &begun).json(Away { url: begun.url.clone() }))
}

async fn begin(app: &App, request: &HttpRequest, purpose: Purpose) -> Result<Begun, Problem> {
    let (redirect_uri, now) = (redirect_uri(app, request)?, seconds(app));
    at_provider(app, move |provider| provider.begin(purpose, &redirect_uri, now)).await
}

fn with_cookie<'a>(
    answer: &'a mut actix_web::HttpResponseBuilder,
    request: &HttpRequest,
    begun: &Begun,
) -> &'a mut actix_web::HttpResponseBuilder {
    let cookie = cookie::set_sign_in(&begun.handle, Peer::of(request).is_https);
    answer.insert_header((header::SET_COOKIE, cookie)).insert_header((header::CACHE_CONTROL, "no-store"))
}

/// Where the provider sends the browser back to: the public address that it used, since the cookie is for that one alone.
fn redirect_uri(app: &App, request: &HttpRequest) -> Result<String, Problem> {
    let (peer, urls) = (Peer::of(request), &app.config.public_url);
    if urls.is_empty() {
        return Ok(format!("{}{CALLBACK}", peer.base(None)));
    }
    let mut bases = urls.iter().map(ToString::to_string);
    let found = bases.find(|base| base.split_once("://").is_some_and(|(_, host)| host == peer.host));
    found.map(|base| format!("{base}{CALLBACK}")).ok_or_else(|| {
        let named = urls.first().map(ToString::to_string).unwrap_or_default();
        Problem::new(StatusCode::BAD_REQUEST, "oidc_elsewhere", format!("the provider knows this server by another address: use {named}"))
    })
}

/// Runs what talks to the provider on a thread that may wait.
async fn at_provider<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(&Provider) -> Result<T, OidcError> + Send + 'static,
) -> Result<T, Problem> {
    let provider = provider(app)?;
    Ok(blocking(move || work(&provider)).await.map_err(|error| Problem::internal(&error))??)
}

fn provider(app: &App) -> Result<Arc<Provider>, Problem> {
    let off = || Problem::not_found("oidc_off", "this server has no provider to sign in by");
    app.entrance.provider.clone().ok_or_else(off)
}

/// The provider's clock counts seconds.
fn seconds(app: &App) -> i64 {
    app.clock.now().0.div_euclid(1_000_000)
}
