//! What may reach this server at all: by which name, from which page, through which proxy. Checked before the caller is looked at.

mod authority;
mod client;
mod cors;
mod forwarded;
mod headers;
mod own;
mod peer;
mod traces;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use super::error::Problem;
use crate::config::{Config, Network, WebOrigin};
use authority::Authority;
use headers::{Doubled, is_from_other_site, needs_own_origin, one, one_host};
use own::{Matched, Origin};
use peer::DirectLocal;

pub use client::{CLIENT, needs_custom_header};
pub use headers::is_handshake;
pub use peer::{Peer, is_direct_local};

/// The code of a refusal for a page's origin.
pub const FOREIGN_ORIGIN: &str = "foreign_origin";

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
        if is_from_other_site(headers) || !origin.is_none_or(is_own) { Err(foreign_origin()) } else { Ok(()) }
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
