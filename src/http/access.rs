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

use super::{error::Problem, site::is_direct_local};
use crate::{
    app::{App, Authority},
    config::Config,
    domain::{Principal, rights::Power},
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
pub struct Proven(pub Result<Rc<Identity>, Unproven>);

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
        let proven = self.credential(request).and_then(|identity| acting(identity, request.headers()));
        request.extensions_mut().insert(Proven(proven.map(Rc::new)));
    }

    fn credential(&self, request: &ServiceRequest) -> Result<Identity, Unproven> {
        if let Some(token) = bearer(request.headers()) {
            return self.authority.identify(token).map_err(Unproven::Credential);
        }
        if self.owner_is_local && is_direct_local(request) && !is_browser(request.headers()) {
            return Ok(Identity::owner());
        }
        Ok(Identity::nobody())
    }
}

/// Whether whoever reaches the server from its own machine is its owner.
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
pub fn acting(identity: Identity, headers: &HeaderMap) -> Result<Identity, Unproven> {
    let Some(named) = named(headers)? else { return Ok(identity) };
    match identity.power {
        Power::Admin => Ok(identity.acting_for(named)),
        Power::Account if named == identity.who => Ok(identity),
        Power::Account | Power::Link(_) => Err(Unproven::ActingAs),
        // Whoever must still sign in is told that, and not what would come next.
        Power::Nobody => Ok(identity),
    }
}

/// Somebody else in whose name the sender wants to act.
///
/// # Errors
/// The header names no principal.
pub fn named(headers: &HeaderMap) -> Result<Option<Principal>, Unproven> {
    let Some(value) = headers.get(&ACTING_AS) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Unproven::InvalidPrincipal("it is not plain text".to_owned()))?;
    Principal::new(text).map(Some).map_err(|error| Unproven::InvalidPrincipal(error.to_string()))
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

/// The identity of a request, whoever it is; nobody is one too.
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
        Some(Proven(Ok(identity))) => Ok(Rc::clone(identity)),
        Some(Proven(Err(unproven))) => Err(unproven.problem()),
        None => Ok(Rc::new(Identity::nobody())),
    }
}
