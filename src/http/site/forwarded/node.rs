//! Who connected to a proxy, as it writes that down.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    Address(IpAddr),
    /// The proxy keeps it to itself: `unknown`, or a name such as `_hidden`.
    Hidden,
    /// Not what a proxy writes. It may be the client's invention, and then nobody needs to read it.
    Unreadable,
}

impl Node {
    /// Reads an address with or without a port.
    pub fn parse(text: &str) -> Self {
        if text.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
            return Self::Hidden;
        }
        match text.parse().ok().or_else(|| with_port(text)) {
            Some(address) => Self::Address(address.to_canonical()),
            None => Self::Unreadable,
        }
    }

    /// The address, if it is shown.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Hidden | Self::Unreadable => None,
        }
    }
}

/// `[IPv6]`, `[IPv6]:port` or `IPv4:port`.
fn with_port(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().ok().filter(|_| is_whole).map(IpAddr::V6);
    }
    let (address, port) = text.split_once(':')?;
    address.parse::<Ipv4Addr>().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

/// A number, or a name in place of one.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty(),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
    }
}
