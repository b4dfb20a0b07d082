//! `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`: three lists where one would do.

use actix_web::http::header::{self, HeaderMap, HeaderName};
use smallvec::SmallVec;

use super::{HOPS_MAX, Hop, Hops, malformed, node::Node};
use crate::http::error::Problem;

type Entries<'a> = SmallVec<[&'a str; 4]>;

/// The hops of the three lists. Each proxy adds an address; of scheme and host many keep the first or write the only one. So the lists are
/// laid side by side from the right, and the leftmost entry of a short one counts for all before it.
///
/// # Errors
/// 400 if a list is not plain text, or longer than any row of proxies.
pub fn hops(headers: &HeaderMap) -> Result<Hops<'_>, Problem> {
    let addresses = entries(headers, &header::X_FORWARDED_FOR)?;
    let protos = entries(headers, &header::X_FORWARDED_PROTO)?;
    let hosts = entries(headers, &header::X_FORWARDED_HOST)?;
    if addresses.is_empty() {
        let (proto, host) = (protos.last().copied(), hosts.last().copied());
        let is_said = proto.is_some() || host.is_some();
        return Ok(is_said.then_some(Hop { node: None, proto, host }).into_iter().collect());
    }
    let hop = |(place, address): (usize, &&str)| {
        let from_right = addresses.len() - place;
        Hop { node: Some(Node::parse(address)), proto: at(&protos, from_right), host: at(&hosts, from_right) }
    };
    Ok(addresses.iter().enumerate().map(hop).collect())
}

/// The entry at a place counted from the right, beginning with 1, or the leftmost one.
fn at<'a>(entries: &[&'a str], from_right: usize) -> Option<&'a str> {
    entries.get(entries.len().saturating_sub(from_right)).copied()
}

/// The entries of all lines, in order.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Entries<'a>, Problem> {
    let mut entries = Entries::new();
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| malformed("X-Forwarded-* is not plain text"))?;
        for entry in line.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if entries.len() == HOPS_MAX {
                return Err(malformed("it names too many proxies"));
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}
