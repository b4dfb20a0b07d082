//! What trusted proxies say about a request: the client's address, and the scheme and host it used.

mod customary;
mod node;
mod standard;

use actix_web::http::header::HeaderMap;
use smallvec::SmallVec;

use super::authority::Authority;
use crate::{config::Network, http::error::Problem};
pub use node::Node;

/// More proxies than this in a row are a fault or an attack.
const HOPS_MAX: usize = 64;

/// What one proxy says about the connection it accepted.
#[derive(Debug, Clone, Copy, Default)]
struct Hop<'a> {
    /// Who connected to it.
    node: Option<Node>,
    proto: Option<&'a str>,
    host: Option<&'a str>,
}

/// All proxies, the one nearest to the client first.
type Hops<'a> = SmallVec<[Hop<'a>; 4]>;

/// What counts of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// `None` if nobody says it: then the proxy that connected to us is all we know.
    pub address: Option<Node>,
    pub is_https: Option<bool>,
    pub host: Option<&'a str>,
}

/// Reads `Forwarded` and `X-Forwarded-*` of a request that comes from a trusted proxy.
///
/// # Errors
/// 400 if they cannot be read, or contradict each other: then one of them is not the proxy's own.
pub fn read<'a>(headers: &'a HeaderMap, proxies: &[Network]) -> Result<Said<'a>, Problem> {
    let standard = said(&standard::hops(headers)?, proxies)?;
    let customary = said(&customary::hops(headers)?, proxies)?;
    match (standard, customary) {
        (Some(standard), Some(customary)) => agreed(standard, customary),
        (Some(said), None) | (None, Some(said)) => Ok(said),
        (None, None) => Ok(Said::default()),
    }
}

/// What the proxy says that the client connected to: the one nearest to us whose peer is not a trusted proxy itself. What is said further
/// out is the client's own invention.
fn said<'a>(hops: &[Hop<'a>], proxies: &[Network]) -> Result<Option<Said<'a>>, Problem> {
    let is_proxy = |hop: &Hop<'_>| hop.node.and_then(Node::address).is_some_and(|address| proxies.iter().any(|one| one.contains(address)));
    let Some(hop) = hops.iter().rev().find(|hop| !is_proxy(hop)).or_else(|| hops.first()) else { return Ok(None) };
    if hop.node == Some(Node::Unreadable) {
        return Err(malformed("the client's address is not one"));
    }
    let is_https = hop.proto.map(is_https).transpose()?;
    Ok(Some(Said { address: hop.node, is_https, host: hop.host }))
}

/// Some proxies name the scheme of a WebSocket.
fn is_https(proto: &str) -> Result<bool, Problem> {
    let is = |names: [&str; 2]| names.iter().any(|name| proto.eq_ignore_ascii_case(name));
    if is(["https", "wss"]) {
        return Ok(true);
    }
    if is(["http", "ws"]) { Ok(false) } else { Err(malformed("the scheme is neither http nor https")) }
}

fn agreed<'a>(standard: Said<'a>, customary: Said<'a>) -> Result<Said<'a>, Problem> {
    let differ = |one: Option<bool>, other: Option<bool>| one.zip(other).is_some_and(|(one, other)| one != other);
    let hosts_differ = standard.host.zip(customary.host).is_some_and(|(one, other)| !is_same_host(one, other));
    if standard.address != customary.address || differ(standard.is_https, customary.is_https) || hosts_differ {
        let detail = "Forwarded and X-Forwarded-* contradict each other: let the proxy set one of them and remove the other";
        return Err(Problem::malformed("contradicting_forwarded", detail));
    }
    Ok(Said { is_https: standard.is_https.or(customary.is_https), host: standard.host.or(customary.host), ..standard })
}

fn is_same_host(one: &str, other: &str) -> bool {
    let read = |text: &'_ str| Authority::parse(text.as_bytes()).map(|authority| authority.to_string().to_ascii_lowercase());
    read(one) == read(other)
}

fn malformed(what: &'static str) -> Problem {
    Problem::malformed("malformed_forwarded", format!("a header of the proxy in front cannot be read: {what}"))
}

#[cfg(test)]
mod tests;
