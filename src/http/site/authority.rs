//! Host and port as a header names them, read in place.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use url::Host;

/// The longest name of the DNS, in bytes.
const NAME_BYTES_MAX: usize = 253;

/// A host with its port. A trailing dot is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority<'a> {
    pub host: Host<&'a str>,
    /// The port as it is written.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads `host`, `host:port` or `[IPv6 address]:port`. User names, zones and everything else are refused.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (host, port) = split(str::from_utf8(text).ok()?)?;
        Some(Self { host: host_of(host)?, port })
    }

    /// The port, unless it is a default one: then it says no more than its absence.
    pub fn odd_port(&self) -> Option<u16> {
        self.port.filter(|port| !matches!(port, 80 | 443))
    }

    /// Returns whether both name the same host and port.
    pub fn is_same(&self, other: &Authority<'_>) -> bool {
        self.odd_port() == other.odd_port() && same_host(&self.host, &other.host)
    }

    /// Returns whether the host is a name of the loopback.
    pub fn is_loopback(&self) -> bool {
        match self.host {
            Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => IpAddr::V6(address).to_canonical().is_loopback(),
        }
    }
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        self.odd_port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Compares names without regard to case.
pub fn same_host<A: AsRef<str>, B: AsRef<str>>(one: &Host<A>, other: &Host<B>) -> bool {
    match (one, other) {
        (Host::Domain(one), Host::Domain(other)) => one.as_ref().eq_ignore_ascii_case(other.as_ref()),
        (Host::Ipv4(one), Host::Ipv4(other)) => one == other,
        (Host::Ipv6(one), Host::Ipv6(other)) => one == other,
        (Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_), _) => false,
    }
}

/// Host and port of a text; an empty port is as good as none. The colons of an IPv6 address stand within brackets.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    let bracket = text.rfind(']').map_or(0, |place| place + 1);
    let Some(colon) = text[bracket..].find(':') else { return Some((text, None)) };
    match text.split_at(bracket + colon) {
        (host, ":") => Some((host, None)),
        (host, port) => Some((host, Some(port_of(&port[1..])?))),
    }
}

fn port_of(text: &str) -> Option<u16> {
    // `parse` alone would take a sign.
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port != 0)
}

fn host_of(text: &str) -> Option<Host<&str>> {
    if let Some(bracketed) = text.strip_prefix('[') {
        return bracketed.strip_suffix(']')?.parse().ok().map(Host::Ipv6);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    match name.parse::<Ipv4Addr>() {
        Ok(address) => Some(Host::Ipv4(address)),
        Err(_) => is_name(name).then_some(Host::Domain(name)),
    }
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.len() <= NAME_BYTES_MAX && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Authority::parse(text.as_bytes()).map(|authority| authority.to_string())
    }

    #[test]
    fn default_ports_and_a_trailing_dot_equal_their_absence() {
        for text in ["shop.example", "shop.example.", "shop.example:80", "shop.example:443", "shop.example.:443", "shop.example:"] {
            assert_eq!(shown(text).as_deref(), Some("shop.example"), "{text}");
        }
        assert_eq!(shown("[::1]:8080").as_deref(), Some("[::1]:8080"));
        assert_eq!(shown("127.0.0.1.:08080").as_deref(), Some("127.0.0.1:8080"));
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for text in [
            "",
            ".",
            ":80",
            "a..b",
            "a:0",
            "a:99999",
            "a:+80",
            "a:-1",
            "a:80:80",
            "a:http",
            "ann@a",
            "ann:secret@a:80",
            "a/b",
            "a?b",
            "a b",
            "a,b",
            "::1",
            "[::1",
            "[::1]x:80",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]:80",
            "[127.0.0.1]",
            "[v1.x]",
            "bücher.example",
            "*",
            "a\\b",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        assert_eq!(shown(&"a".repeat(64 << 10)), None);
        assert_eq!(Authority::parse(b"a\xff"), None);
    }

    #[test]
    fn the_loopback_has_its_name_and_its_addresses_and_no_others() {
        let is_loopback = |text: &str| Authority::parse(text.as_bytes()).is_some_and(|authority| authority.is_loopback());
        for text in ["localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1:8080", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]:80"] {
            assert!(is_loopback(text), "{text}");
        }
        for text in ["0.0.0.0", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.1", "[::]", "[fe80::1]", "2130706433"] {
            assert!(!is_loopback(text), "{text}");
        }
    }

    #[test]
    fn names_are_compared_whatever_their_case() {
        let is_same = |one: &str, other: &str| {
            Authority::parse(one.as_bytes()).expect("is one").is_same(&Authority::parse(other.as_bytes()).expect("is one"))
        };
        assert!(is_same("XN--BCHER-KVA.Example", "xn--bcher-kva.example.:443"));
        assert!(!is_same("a.example:8080", "a.example"));
        assert!(!is_same("127.0.0.1", "localhost"));
    }
}
