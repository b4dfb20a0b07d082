//! Who sent a request, and how the client reaches this server.

use std::net::IpAddr;

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceRequest,
    http::header::{self, HeaderValue},
};

use super::{
    authority::Authority,
    forwarded::{self, Said},
    traces::shows_a_proxy,
};
use crate::{config::Network, http::error::Problem};

/// The client's end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The client's own address; `None` if a proxy keeps it to itself.
    pub address: Option<IpAddr>,
    /// Whether the client sees https: a trusted proxy or a public URL says so.
    pub is_https: bool,
    /// Host and port as the client sees them, without a default port or a trailing dot.
    pub host: String,
    /// Whether a program on this machine sent it to a loopback name, and nothing shows that it did so for somebody else.
    pub is_direct_local: bool,
}

/// Attached to a request that is direct and local.
#[derive(Debug, Clone, Copy)]
pub(super) struct DirectLocal;

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    pub address: Option<IpAddr>,
    pub is_trusted_proxy: bool,
}

impl Peer {
    /// Where somebody else reaches this server, without a slash at the end: as the client does, unless that is a name that every machine has
    /// for itself and `elsewhere` is known.
    #[must_use]
    pub fn base(&self, elsewhere: Option<&str>) -> String {
        let is_own = Authority::parse(self.host.as_bytes()).is_some_and(|host| host.is_loopback());
        match elsewhere.filter(|_| is_own) {
            Some(elsewhere) => elsewhere.to_owned(),
            None => format!("{}://{}", if self.is_https { "https" } else { "http" }, self.host),
        }
    }

    /// The peer of a request that passed [`super::Site::check`]; of any other it is not local.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        if let Some(peer) = extensions.get::<Self>() {
            return peer.clone();
        }
        let host = request.headers().get(header::HOST).map(HeaderValue::as_bytes).and_then(Authority::parse);
        let host = host.map(|host| host.to_string()).unwrap_or_default();
        Self { address: connected(request), is_https: false, host, is_direct_local: extensions.contains::<DirectLocal>() }
    }
}

/// Whether a program on this machine sent a request, and nothing shows that it did so for somebody else.
#[must_use]
pub fn is_direct_local(request: &ServiceRequest) -> bool {
    request.extensions().contains::<DirectLocal>()
}

/// Finds out who sent a request, and what a trusted proxy says of it; others may say what they like.
pub(super) fn reached<'a>(request: &'a HttpRequest, proxies: &[Network]) -> Result<(Reached, Said<'a>), Problem> {
    let address = connected(request);
    let is_trusted_proxy = address.is_some_and(|address| proxies.iter().any(|proxy| proxy.contains(address)));
    if !is_trusted_proxy {
        return Ok((Reached { address, is_trusted_proxy }, Said::default()));
    }
    let said = forwarded::read(request.headers(), proxies)?;
    let address = said.address.map_or(address, forwarded::Node::address);
    Ok((Reached { address, is_trusted_proxy }, said))
}

/// Whether a request is from this machine, for a name of it, and not through a proxy that shows itself.
pub(super) fn is_local(request: &HttpRequest, authority: &Authority<'_>) -> bool {
    let is_from_here = connected(request).is_some_and(|address| address.is_loopback());
    is_from_here && authority.is_loopback() && !shows_a_proxy(request.version(), request.headers())
}

fn connected(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|address| address.ip().to_canonical())
}
