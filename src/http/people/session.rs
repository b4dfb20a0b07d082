//! Signing in and out, who one is, and one's devices.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{credential, on_accounts};
use crate::{
    app::{App, Current},
    domain::{
        HouseholdId, Moment, Principal,
        rights::{HouseholdRole, Power, Rights},
    },
    http::{
        access::{Asker, Proven, bearer, identity, owner_is_local},
        body::{Json, Nothing, OptionalJson},
        cookie,
        error::{Problem, ProblemBody},
        reads::{Query, json},
        site::Peer,
    },
    people::{Attempt, CredentialId, DisplayName, Identity, Login, NewSession, Password, PeopleError, Secret, Session},
};

/// `POST /session`: a login with its password, or on the server's own machine the key of the link that the start printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    /// Instead of both: the end of the printed link.
    key: Option<String>,
    /// How the device is called in the list of sessions.
    #[serde(default)]
    device: String,
}

/// Who one is here.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// `null` for nobody.
    #[schema(required)]
    pub who: Option<Principal>,
    /// The admin who acts for `who`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub name: Option<DisplayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub login: Option<Login>,
    /// Whether one is an admin of this server.
    pub admin: bool,
    /// One's roles, by household.
    #[schema(value_type = std::collections::BTreeMap<String, HouseholdRole>)]
    pub households: std::collections::BTreeMap<HouseholdId, HouseholdRole>,
    /// When the session ends at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
    /// Whether anybody can sign in to this server yet.
    pub set_up: bool,
    /// The provider that one may sign in by, as the button calls it; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<String>,
    /// Whether one's account is linked with an identity of the provider.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub oidc_linked: bool,
}

/// Signs in and sets the session's cookie. A session from before ends. Wrong logins and wrong passwords are told apart by nothing, and
/// slowed down.
#[utoipa::path(post, path = "/api/v1/session", tag = "people", request_body = SignIn,
    responses((status = 201, body = SessionView), (status = "4XX", body = ProblemBody)))]
pub async fn sign_in(app: Current, request: HttpRequest, Json(body): Json<SignIn>) -> Result<HttpResponse, Problem> {
    let device = device(&request, body.device);
    if let Some(key) = body.key {
        return by_key(app, &request, key, device).await;
    }
    let (peer, now) = (Peer::of(&request), app.clock.now());
    let (address, rotate) = (peer.address, cookie::session(request.headers()).map(str::to_owned));
    let (secret, session) = on_accounts(&app, move |people| {
        let (login, password) = (body.login.trim(), body.password.as_str());
        people.sign_in(Attempt { login, password, address, device: &device, rotate: rotate.as_deref() }, now)
    })
    .await?;
    signed_in(&app, &request, &secret, &session)
}

/// Signs the owner's browser in on the server's own machine, once.
async fn by_key(app: Current, request: &HttpRequest, key: String, device: String) -> Result<HttpResponse, Problem> {
    let refused = |detail: &'static str| Problem::new(StatusCode::FORBIDDEN, "setup_wrong", detail).at("/key");
    if !owner_is_local(&app.config) || !Peer::of(request).is_direct_local {
        return Err(refused("the link signs in only on the server's own machine: type the code instead, or sign in"));
    }
    if !app.entrance.setup.open(&key) {
        return Err(refused("this link was used, or is of an earlier start: sign in, or start the server again for a new one"));
    }
    let now = app.clock.now();
    let (secret, session) = on_accounts(&app, move |people| {
        people.ensure_owner(now)?;
        people.create_session(&Identity::owner().who, NewSession { device: &device, address: None }, None, now)
    })
    .await?;
    signed_in(&app, request, &secret, &session)
}

/// The answer to a sign-in: the cookie, and who one is now.
///
/// # Errors
/// Only for an internal fault.
pub fn signed_in(app: &App, request: &HttpRequest, secret: &Secret, session: &Session) -> Result<HttpResponse, Problem> {
    let identity = app.authority.identify(secret.expose()).map_err(|error| Problem::internal(&error))?;
    let view = SessionView { expires: Some(session.until), ..view(app, &identity) };
    let cookie = cookie::set(secret, Peer::of(request).is_https);
    Ok(HttpResponse::Created().insert_header((header::SET_COOKIE, cookie)).insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Says who one is; also for nobody.
#[utoipa::path(get, path = "/api/v1/session", tag = "people", responses((status = 200, body = SessionView)))]
pub async fn show(app: Current, request: HttpRequest, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    // A session that has ended is nobody's: a page asks here to find that out.
    let identity = identity(&request).map_or_else(|_| Identity::nobody(), |identity| (*identity).clone());
    let mut answer = json(&view(&app, &identity))?;
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn view(app: &App, identity: &Identity) -> SessionView {
    let known = identity.power != Power::Nobody;
    let account = app.authority.people.account(&identity.who).filter(|_| known);
    let households = match app.authority.rights(identity) {
        Rights::Account(_) | Rights::Admin => app.authority.roles(&identity.who).households.clone(),
        Rights::Link(_) | Rights::Nobody => std::collections::BTreeMap::new(),
    };
    let oidc_linked = account.as_ref().is_some_and(|account| account.oidc.is_some());
    let (name, login) = account.map(|account| (account.name, account.login)).unzip();
    SessionView {
        who: known.then(|| identity.who.clone()),
        by: identity.by.clone(),
        name,
        login,
        admin: identity.power == Power::Admin,
        households,
        expires: identity.until,
        set_up: app.authority.people.is_set_up(),
        oidc: app.entrance.provider.as_ref().map(|_| app.config.oidc_name.clone()),
        oidc_linked,
    }
}

/// Signs out: ends the session, removes the cookie, and closes the sockets that it opened.
#[utoipa::path(delete, path = "/api/v1/session", tag = "people", responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn sign_out(app: Current, asker: Asker, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    if let Some(id) = asker.0.credential {
        let who = asker.0.by.as_ref().unwrap_or(&asker.0.who).clone();
        let ended = on_accounts(&app, move |people| people.end_session(&who, id)).await;
        // A token is no session: it is revoked, not signed out.
        ended.or_else(|problem| if problem.code() == "credential_not_found" { Ok(()) } else { Err(problem) })?;
    }
    let cookie = cookie::remove(Peer::of(&request).is_https);
    Ok(HttpResponse::NoContent().insert_header((header::SET_COOKIE, cookie)).finish())
}

/// One's sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionsView {
    pub sessions: Vec<DeviceView>,
}

/// A device that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceView {
    #[schema(value_type = String)]
    pub id: CredentialId,
    pub device: String,
    #[schema(required)]
    pub address: Option<String>,
    pub created: Moment,
    pub last_seen: Moment,
    pub expires: Moment,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Lists one's sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "people", responses((status = 200, body = SessionsView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, asker: Asker, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let (who, current) = (asker.0.who.clone(), asker.0.credential);
    let sessions = on_accounts(&app, move |people| people.sessions(&who)).await?;
    let sessions = sessions.into_iter().map(|session| DeviceView::of(session, current)).collect();
    json(&SessionsView { sessions })
}

impl DeviceView {
    fn of(session: Session, current: Option<CredentialId>) -> Self {
        let Session { id, device, address, created, last_seen, until, .. } = session;
        Self { id, device, address, created, last_seen, expires: until, current: Some(id) == current }
    }
}

/// Ends one of one's sessions, and closes the sockets that it opened.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}", tag = "people", params(("session" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn end(app: Current, asker: Asker, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let (who, id) = (asker.0.who.clone(), credential(&request, "session")?);
    on_accounts(&app, move |people| people.end_session(&who, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /password`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The one from before; needed where there is one.
    #[serde(default)]
    current: String,
    password: String,
}

/// Changes one's password. All other sessions end.
#[utoipa::path(post, path = "/api/v1/password", tag = "people", request_body = ChangePassword, responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn password(app: Current, asker: Asker, request: HttpRequest, Json(body): Json<ChangePassword>) -> Result<HttpResponse, Problem> {
    needs_own_session(&asker, &request)?;
    let (who, keep, now, address) = (asker.0.who.clone(), asker.0.credential, app.clock.now(), Peer::of(&request).address);
    on_accounts(&app, move |people| {
        let account = people.account(&who).ok_or(PeopleError::UnknownAccount)?;
        if account.has_password {
            let attempt = Attempt { login: account.login.as_str(), password: &body.current, address, device: "password", rotate: None };
            people.verify(attempt, now)?;
        }
        let password = Password::new(&body.password, &account.login, &account.name)?;
        Ok::<_, Problem>(people.set_password(&who, &password, keep, now)?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Neither a token nor an admin who acts for somebody takes over an account: an admin resets the password openly.
///
/// # Errors
/// 403 for both.
pub fn needs_own_session(asker: &Asker, request: &HttpRequest) -> Result<(), Problem> {
    let by_session = request.extensions().get::<Proven>().is_some_and(|proven| proven.by_cookie) || bearer(request.headers()).is_none();
    if by_session && asker.0.by.is_none() {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "session_required", "change how you sign in from a session of your own"))
}

/// What the device calls itself, else its browser.
pub(super) fn device(request: &HttpRequest, named: String) -> String {
    if !named.is_empty() {
        return named;
    }
    crate::http::caller::client(request.headers()).ok().flatten().map(|client| client.to_string()).unwrap_or_default()
}
