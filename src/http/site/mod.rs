//! What may reach this server at all: by which name, from which page, through which proxy. Checked before the caller is looked at.

mod authority;
mod client;
mod cors;
mod forwarded;
mod own;
mod peer;
mod traces;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

use super::error::Problem;
use crate::config::{Config, Network, WebOrigin};
use authority::Authority;
use own::{Matched, Origin};
use peer::DirectLocal;

pub use client::{CLIENT, needs_custom_header};
pub use peer::{Peer, require_direct_local};

/// The code of a refusal for a page's origin.
pub const FOREIGN_ORIGIN: &str = "foreign_origin";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The rules of one server.
#[derive(Debug)]
pub struct Site {
    public_urls: Vec<WebOrigin>,
    proxies: Vec<Network>,
    /// Origins whose pages may use the API.
    shared_with: Vec<WebOrigin>,
}

/// A request as the client sent it.
struct Seen<'a> {
    peer: peer::Reached,
    authority: Authority<'a>,
    is_https: bool,
}

impl Site {
    /// The rules that a configuration asks for.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { public_urls: config.public_url.clone(), proxies: config.trusted_proxies.clone(), shared_with: config.cors_origins.clone() }
    }

    /// Lets a request pass, and attaches what is known of its client; see [`Peer::of`].
    ///
    /// # Errors
    /// 400 for headers of proxies that cannot be right, 421 for another server's name, 403 for another site's page.
    pub fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let seen = self.see(request.request())?;
        if needs_own_origin(request) {
            self.check_origin(request.headers(), &seen)?;
        }
        self.attach(request, &seen);
        Ok(())
    }

    /// Reads name, scheme and address, from a trusted proxy if the request comes from one.
    fn see<'a>(&self, request: &'a HttpRequest) -> Result<Seen<'a>, Problem> {
        let (peer, said) = peer::reached(request, &self.proxies)?;
        let host = one_host(request).ok_or_else(foreign_host)?;
        let authority = match said.host {
            Some(host) => Authority::parse(host.as_bytes()).ok_or_else(foreign_host)?,
            None => host,
        };
        match own::matched(&authority, &self.public_urls) {
            Matched::Foreign => Err(foreign_host()),
            Matched::Here => Ok(Seen { peer, authority, is_https: said.is_https.unwrap_or(false) }),
            Matched::Public { is_https } => Ok(Seen { peer, authority, is_https: said.is_https.unwrap_or(is_https) }),
        }
    }

    fn check_origin(&self, headers: &HeaderMap, seen: &Seen<'_>) -> Result<(), Problem> {
        let origin = match one(headers, &header::ORIGIN) {
            Ok(origin) => origin,
            Err(Doubled) => return Err(foreign_origin()),
        };
        if origin.is_some_and(|origin| self.is_shared_with(origin)) {
            return Ok(());
        }
        let is_own = |origin: &HeaderValue| Origin::parse(origin.as_bytes()).is_some_and(|origin| self.is_own(&origin, seen));
        let comes_from_elsewhere = headers.get_all(SEC_FETCH_SITE).any(is_other_site);
        if comes_from_elsewhere || !origin.is_none_or(is_own) { Err(foreign_origin()) } else { Ok(()) }
    }

    fn is_own(&self, origin: &Origin<'_>, seen: &Seen<'_>) -> bool {
        origin.is_at(seen.is_https, &seen.authority) || self.public_urls.iter().any(|url| origin.is(url))
    }

    /// Returns whether an origin is one of those that the operator lets in.
    fn is_shared_with(&self, origin: &HeaderValue) -> bool {
        !self.shared_with.is_empty()
            && Origin::parse(origin.as_bytes()).is_some_and(|origin| self.shared_with.iter().any(|other| origin.is(other)))
    }

    /// Attaches only what the request itself does not show: the plain request over the loopback gets a mark without a size.
    fn attach(&self, request: &ServiceRequest, seen: &Seen<'_>) {
        let is_direct = !seen.peer.is_trusted_proxy && self.public_urls.is_empty();
        if is_direct && peer::is_local(request.request(), &seen.authority) {
            request.extensions_mut().insert(DirectLocal);
        } else if seen.peer.is_trusted_proxy || seen.is_https {
            let peer =
                Peer { address: seen.peer.address, is_https: seen.is_https, host: seen.authority.to_string(), is_direct_local: false };
            request.extensions_mut().insert(peer);
        }
    }
}

/// Whether a page of another site must not send this: it may change something, or open a socket that may.
fn needs_own_origin(request: &ServiceRequest) -> bool {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    !is_safe || is_handshake(request.headers())
}

/// Returns whether a request asks for another protocol, as a WebSocket does.
#[must_use]
pub fn is_handshake(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

fn is_other_site(value: &HeaderValue) -> bool {
    let value = value.as_bytes().trim_ascii();
    value.eq_ignore_ascii_case(b"cross-site") || value.eq_ignore_ascii_case(b"same-site")
}

/// A header that must be there once is there twice.
struct Doubled;

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Doubled> {
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() { Err(Doubled) } else { Ok(first) }
}

/// The one `Host`. A target with a host of its own must name the same, else two readers of the request would differ.
fn one_host(request: &HttpRequest) -> Option<Authority<'_>> {
    let host = one(request.headers(), &header::HOST).ok().flatten()?;
    let host = Authority::parse(host.as_bytes())?;
    let target = request.uri().authority().map(|target| Authority::parse(target.as_str().as_bytes()));
    target.is_none_or(|target| target.is_some_and(|target| target.is_same(&host))).then_some(host)
}

fn foreign_host() -> Problem {
    let detail = "this server answers to localhost, IP addresses and the hosts of its setting public_url, named once in Host";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", detail)
}

fn foreign_origin() -> Problem {
    let detail = "only pages of this server may do this; the settings public_url and cors_origins name further ones";
    Problem::new(StatusCode::FORBIDDEN, FOREIGN_ORIGIN, detail)
}

#[cfg(test)]
mod tests;
