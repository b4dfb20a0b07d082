//! `Forwarded`, as RFC 7239 writes it.

use actix_web::http::header::{self, HeaderMap};

use super::{HOPS_MAX, Hop, Hops, malformed, node::Node};
use crate::http::error::Problem;

/// The hops of all lines, in order.
///
/// # Errors
/// 400 if a line is not in the form of the standard.
pub fn hops(headers: &HeaderMap) -> Result<Hops<'_>, Problem> {
    let mut hops = Hops::new();
    for line in headers.get_all(header::FORWARDED) {
        let line = line.to_str().ok().filter(|line| !line.contains('\\')).ok_or_else(no_standard)?;
        for element in unquoted_split(line, ',').map(str::trim).filter(|element| !element.is_empty()) {
            if hops.len() == HOPS_MAX {
                return Err(malformed("it names too many proxies"));
            }
            hops.push(hop(element).ok_or_else(no_standard)?);
        }
    }
    Ok(hops)
}

/// The parts between separators that are not within quotes.
fn unquoted_split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

/// Reads `for=…;proto=…;host=…;by=…`, in any order, each at most once.
fn hop(element: &str) -> Option<Hop<'_>> {
    let mut hop = Hop::default();
    for pair in unquoted_split(element, ';').map(str::trim) {
        let (name, value) = pair.split_once('=')?;
        let value = plain(value)?;
        let is_first = match name.to_ascii_lowercase().as_str() {
            "for" => hop.node.replace(Node::parse(value)).is_none(),
            "proto" => hop.proto.replace(value).is_none(),
            "host" => hop.host.replace(value).is_none(),
            _ => true,
        };
        if !is_first {
            return None;
        }
    }
    Some(hop)
}

/// A value without its quotes.
fn plain(value: &str) -> Option<&str> {
    let plain = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    (!plain.is_empty() && !plain.contains('"')).then_some(plain)
}

fn no_standard() -> Problem {
    malformed("Forwarded is not as RFC 7239 has it")
}
