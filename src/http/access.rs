//! Who asks: the identity that a request proves by its token, by its cookie, or by coming from this machine.

use std::{
    borrow::Cow,
    future::{Ready, ready},
    rc::Rc,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

use super::{
    cookie,
    error::Problem,
    input::given,
    site::{is_direct_local, needs_custom_header},
};
use crate::{
    app::{App, Authority},
    config::Config,
    domain::{Principal, ids::IdError, rights::Power},
    people::{CredentialError, Identity},
};

/// Names somebody else that an admin acts for.
pub const ACTING_AS: HeaderName = HeaderName::from_static("x-aisled-as");

/// The rule of this server.
#[derive(Debug)]
pub struct Access {
    authority: Arc<Authority>,
    /// Whether a request from this machine needs no credential.
    owner_is_local: bool,
}

/// What a request proved. Attached to every request by the edge.
#[derive(Debug, Clone)]
pub struct Proven {
    pub identity: Result<Rc<Identity>, Unproven>,
    /// A browser sends a cookie by itself, so more is needed to write.
    pub by_cookie: bool,
}

/// Why a credential proves nothing.
#[derive(Debug, Clone)]
pub enum Unproven {
    Credential(CredentialError),
    /// Only admins act for others.
    ActingAs,
    InvalidPrincipal(String),
}

impl Access {
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self { authority: Arc::clone(&app.authority), owner_is_local: owner_is_local(&app.config) }
    }

    /// Finds out who asks and attaches it; refuses nothing.
    pub fn identify(&self, request: &ServiceRequest) {
        let (found, by_cookie) = self.credential(request);
        let identity = found.and_then(|identity| acting(identity, named(request.headers())?)).map(Rc::new);
        request.extensions_mut().insert(Proven { identity, by_cookie });
    }

    /// The identity, and whether a cookie shows it.
    fn credential(&self, request: &ServiceRequest) -> (Result<Identity, Unproven>, bool) {
        let identify = |secret| self.authority.identify(secret).map_err(Unproven::Credential);
        if given(request.headers(), header::AUTHORIZATION).is_some() {
            let token = bearer(request.headers()).ok_or(Unproven::Credential(CredentialError::Unknown));
            return (token.and_then(identify), false);
        }
        if let Some(secret) = cookie::session(request.headers()) {
            return (identify(secret), true);
        }
        if self.owner_is_local && is_direct_local(request) && !is_browser(request.headers()) {
            return (Ok(Identity::owner()), false);
        }
        (Ok(Identity::nobody()), false)
    }
}

/// Whether a program that reaches the server from its own machine is its owner.
#[must_use]
pub fn owner_is_local(config: &Config) -> bool {
    config.admin_token.is_none() && !config.require_sign_in
}

/// Browsers show a session: what they send on behalf of whatever page, or through a proxy that does not show itself, is not the owner's
/// for where it comes from.
fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
    headers.contains_key("sec-fetch-site") || agent.starts_with(b"Mozilla/")
}

/// An admin may act for somebody else, with that person's rights.
///
/// # Errors
/// Somebody who is no admin names another.
pub fn acting(identity: Identity, named: Option<Principal>) -> Result<Identity, Unproven> {
    let Some(named) = named else { return Ok(identity) };
    match identity.power {
        Power::Admin => Ok(identity.acting_for(named)),
        Power::Account if named == identity.who => Ok(identity),
        Power::Account | Power::Link(_) => Err(Unproven::ActingAs),
        // Somebody who must still sign in is told that, and not what would come next.
        Power::Nobody => Ok(identity),
    }
}

/// Somebody else in whose name the sender wants to act.
///
/// # Errors
/// The header names no principal.
pub fn named(headers: &HeaderMap) -> Result<Option<Principal>, Unproven> {
    let Some(value) = given(headers, &ACTING_AS) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Unproven::InvalidPrincipal("it is not plain text".to_owned()))?;
    text.trim().parse().map(Some).map_err(|error: IdError| Unproven::InvalidPrincipal(error.to_string()))
}

impl Unproven {
    /// The answer.
    #[must_use]
    pub fn problem(&self) -> Problem {
        match self {
            Self::Credential(error) => not_authenticated(error.code(), error.to_string()),
            Self::ActingAs => {
                Problem::new(StatusCode::FORBIDDEN, "acting_not_permitted", "only an admin of this server may act for somebody else")
            }
            Self::InvalidPrincipal(error) => {
                Problem::malformed("invalid_principal", format!("X-Aisled-As is not a valid principal: {error}"))
            }
        }
    }
}

/// Nobody asks: sign in first (401).
#[must_use]
pub fn sign_in_first() -> Problem {
    not_authenticated("not_authenticated", "sign in first, or send a token as Authorization: Bearer <token>")
}

fn not_authenticated(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"aisled\""))
}

/// The token that a request presents.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The identity of a request; nobody is one too.
#[derive(Debug, Clone)]
pub struct Asker(pub Rc<Identity>);

impl FromRequest for Asker {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(identity(request).map(Self))
    }
}

/// What a request proved.
///
/// # Errors
/// 401 for a credential that proves nothing, 403 for acting for somebody without the right to.
pub fn identity(request: &HttpRequest) -> Result<Rc<Identity>, Problem> {
    match request.extensions().get::<Proven>() {
        Some(Proven { identity, .. }) => identity.clone().map_err(|unproven| unproven.problem()),
        None => Ok(Rc::new(Identity::nobody())),
    }
}

/// Refuses a write that only a cookie signs: a foreign page can make a browser send that, but not the header that is asked for.
///
/// # Errors
/// 403 without the header.
pub fn check_cookie(request: &HttpRequest) -> Result<(), Problem> {
    let by_cookie = request.extensions().get::<Proven>().is_some_and(|proven| proven.by_cookie);
    if by_cookie && !request.method().is_safe() { needs_custom_header(request) } else { Ok(()) }
}
