//! Where the provider sends the browser back to: the sign-in, the acceptance or the link is finished, or refused with a page.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Query,
};
use serde::Deserialize;

use super::{at_provider, newcomer::newcomer, page, provider, seconds};
use crate::{
    app::{App, Current, entrance},
    domain::{Principal, rights::Power},
    http::{access::identity, cookie, error::Problem, input::AnyQuery, people::on_accounts, site::Peer},
    oidc::{OidcError, Person, Purpose},
    people::{Acceptor, Account, NewSession, Oidc},
};

/// Where a browser goes that is signed in.
const HOME: &str = "/people";

/// What the provider appends. Others may append more.
#[derive(Default, Deserialize)]
struct Returned {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Finishes what `start` or `link` began in this browser. A failure is a page, because people see it.
#[utoipa::path(get, path = "/api/v1/oidc/callback", tag = "people",
    responses((status = 303, description = "signed in, or linked"), (status = "4XX", body = String, content_type = "text/html")))]
pub async fn callback(app: Current, request: HttpRequest, _: AnyQuery) -> HttpResponse {
    finish(&app, &request).await.unwrap_or_else(|problem| page::refused(&problem))
}

async fn finish(app: &Current, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    // A query that cannot be read was not begun here.
    let Query(returned) = Query::<Returned>::from_query(request.query_string()).unwrap_or_else(|_| Query(Returned::default()));
    let (handle, now) = (cookie::sign_in(request.headers()), seconds(app));
    let pending = provider(app)?.take(handle, &returned.state, returned.iss.as_deref(), now)?;
    let purpose = pending.purpose().clone();
    check_linker(request, &purpose)?;
    let code = code_of(returned)?;
    let person = at_provider(app, move |provider| provider.finish(&pending, &code, now)).await?;
    arrive(app, request, purpose, person).await
}

/// The code, unless the provider says why there is none (RFC 6749, section 4.1.2.1).
fn code_of(returned: Returned) -> Result<String, OidcError> {
    match (returned.error.as_deref(), returned.code) {
        (None, Some(code)) => Ok(code),
        (Some("server_error" | "temporarily_unavailable"), _) => Err(OidcError::Unavailable("it says that it does not work now".into())),
        (Some(_), _) | (None, None) => Err(OidcError::Denied),
    }
}

/// Somebody who signed out meanwhile, or another person in the same browser, is not linked.
fn check_linker(request: &HttpRequest, purpose: &Purpose) -> Result<(), Problem> {
    let Purpose::Link(who) = purpose else { return Ok(()) };
    let identity = identity(request)?;
    let is_signed_in = matches!(identity.power, Power::Admin | Power::Account) && identity.writes;
    if is_signed_in && identity.by.is_none() && identity.who == *who { Ok(()) } else { Err(OidcError::State.into()) }
}

async fn arrive(app: &Current, request: &HttpRequest, purpose: Purpose, person: Person) -> Result<HttpResponse, Problem> {
    let oidc = Oidc { issuer: person.issuer.clone(), subject: person.subject.clone() };
    let account = app.authority.people.by_oidc(&oidc);
    match (purpose, account) {
        (Purpose::Link(who), _) => {
            on_accounts(app, move |people| people.link_oidc(&who, Some(oidc))).await?;
            Ok(home(request).finish())
        }
        (Purpose::SignIn | Purpose::Accept(_), Some(account)) if !account.is_active() => Err(inactive()),
        (Purpose::SignIn, Some(account)) => sign_in(app, request, account.who).await,
        (Purpose::SignIn, None) => Err(not_invited()),
        (Purpose::Accept(proof), account) => {
            let acceptor = acceptor(app, account, &person, oidc)?;
            let who = accept(app, request, proof, acceptor).await?;
            sign_in(app, request, who).await
        }
    }
}

/// The account of this very identity, or a new one. An e-mail address finds no account: providers let people enter addresses that are
/// not theirs, or give an address to somebody else later, and either would open an account to a stranger.
fn acceptor(app: &App, account: Option<Account>, person: &Person, oidc: Oidc) -> Result<Acceptor, Problem> {
    match account {
        Some(account) => Ok(Acceptor::Known(account.who)),
        None => newcomer(app, person, oidc),
    }
}

async fn accept(app: &Current, request: &HttpRequest, proof: String, acceptor: Acceptor) -> Result<Principal, Problem> {
    let (address, now) = (Peer::of(request).address, app.clock.now());
    let accepting = on_accounts(app, move |people| people.begin_accept(&proof, &acceptor, address, now)).await?;
    match entrance::complete(app, &accepting).await? {
        entrance::Joined::Done => Ok(accepting.who),
        entrance::Joined::Refused(failure) => Err(failure.into()),
    }
}

async fn sign_in(app: &Current, request: &HttpRequest, who: Principal) -> Result<HttpResponse, Problem> {
    let (peer, now) = (Peer::of(request), app.clock.now());
    let rotate = cookie::session(request.headers()).map(str::to_owned);
    let browser = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().to_owned();
    let (secret, _) = on_accounts(app, move |people| {
        people.create_session(&who, NewSession { device: &browser, address: peer.address }, rotate.as_deref(), now)
    })
    .await?;
    Ok(home(request).append_header((header::SET_COOKIE, cookie::set(&secret, peer.is_https))).finish())
}

/// To the page of one's account, without the cookie of the sign-in.
fn home(request: &HttpRequest) -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::SeeOther();
    answer
        .insert_header((header::LOCATION, HOME))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .append_header((header::SET_COOKIE, cookie::remove_sign_in(Peer::of(request).is_https)));
    answer
}

fn inactive() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "account_inactive", "this account is disabled, or its invitation is not accepted yet")
}

fn not_invited() -> Problem {
    let detail =
        "you are not invited: ask somebody for an invitation, or, if you have an account here, sign in with your password and link it";
    Problem::new(StatusCode::FORBIDDEN, "oidc_not_invited", detail)
}
