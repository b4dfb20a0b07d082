//! Which names and origins are this server's own.

use url::Host;

use super::authority::{Authority, same_host};
use crate::config::WebOrigin;

/// What the name in a request is to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// The name of another server, or of nobody.
    Foreign,
    /// A loopback name, or an IP address. A page cannot rebind an address: its own origin would have to be that address.
    Here,
    /// The host of a public URL; https if it has that scheme and no other URL has the same host with http.
    Public { is_https: bool },
}

/// Looks up a name.
pub fn matched(authority: &Authority<'_>, public_urls: &[WebOrigin]) -> Matched {
    let mut named = public_urls.iter().filter(|url| serves(url, authority)).peekable();
    if named.peek().is_some() {
        return Matched::Public { is_https: named.all(|url| url.is_https) };
    }
    match authority.host {
        Host::Ipv4(_) | Host::Ipv6(_) => Matched::Here,
        Host::Domain(_) if authority.is_loopback() => Matched::Here,
        Host::Domain(_) => Matched::Foreign,
    }
}

fn serves(url: &WebOrigin, authority: &Authority<'_>) -> bool {
    let port = authority.odd_port().unwrap_or(default_port(url.is_https));
    same_host(&url.host, &authority.host) && url.port == port
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

/// The origin of a page, as its browser sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    is_https: bool,
    host: Host<&'a str>,
    port: u16,
}

impl<'a> Origin<'a> {
    /// Reads `http://host:port` or `https://host:port`; `null` and other schemes are nobody's.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (is_https, rest) = match after(text, b"https://") {
            Some(rest) => (true, rest),
            None => (false, after(text, b"http://")?),
        };
        let authority = Authority::parse(rest)?;
        Some(Self { is_https, host: authority.host, port: authority.port.unwrap_or(default_port(is_https)) })
    }

    /// Returns whether it is a configured one.
    pub fn is(&self, other: &WebOrigin) -> bool {
        self.is_https == other.is_https && self.port == other.port && same_host(&self.host, &other.host)
    }

    /// Returns whether its pages come from this host under this scheme.
    pub fn is_at(&self, is_https: bool, authority: &Authority<'_>) -> bool {
        let port = authority.odd_port().unwrap_or(default_port(is_https));
        self.is_https == is_https && self.port == port && same_host(&self.host, &authority.host)
    }
}

fn after<'a>(text: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(texts: &[&str]) -> Vec<WebOrigin> {
        texts.iter().map(|text| text.parse().expect("is an origin")).collect()
    }

    #[test]
    fn a_name_is_served_if_it_is_an_address_a_loopback_name_or_configured() {
        let public = urls(&[
            "https://shop.example",
            "http://lan.example:8080",
            "https://bücher.example",
            "http://both.example",
            "https://both.example",
        ]);
        let found = |host: &str| matched(&Authority::parse(host.as_bytes()).expect("is one"), &public);
        for host in ["localhost:8080", "127.0.0.1", "192.168.1.7:8080", "[2001:db8::1]", "0.0.0.0"] {
            assert_eq!(found(host), Matched::Here, "{host}");
        }
        for host in ["shop.example", "SHOP.example.:443", "shop.example:80", "XN--bcher-KVA.example"] {
            assert_eq!(found(host), Matched::Public { is_https: true }, "{host}");
        }
        for host in ["lan.example:8080", "both.example"] {
            assert_eq!(found(host), Matched::Public { is_https: false }, "{host}");
        }
        for host in ["evil.example", "shop.example:8080", "lan.example", "shop.example.evil.example", "my.shop.example"] {
            assert_eq!(found(host), Matched::Foreign, "{host}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme_a_host_and_a_port_of_its_scheme() {
        let is_at = |origin: &str, is_https: bool, host: &str| {
            let origin = Origin::parse(origin.as_bytes());
            origin.is_some_and(|origin| origin.is_at(is_https, &Authority::parse(host.as_bytes()).expect("is one")))
        };
        assert!(is_at("http://localhost:8080", false, "LOCALHOST:8080"));
        assert!(is_at("https://shop.example:443", true, "shop.example") && is_at("http://a.example.", false, "a.example:80"));
        assert!(!is_at("https://localhost:8080", false, "localhost:8080"));
        assert!(!is_at("https://shop.example:80", true, "shop.example"));
        for origin in ["null", "", "http://", "localhost:8080", "http://localhost:8080/", "ftp://localhost:8080", "http://a@localhost:8080"]
        {
            assert_eq!(Origin::parse(origin.as_bytes()), None, "{origin}");
        }
        assert!(Origin::parse(b"https://shop.example").is_some_and(|origin| origin.is(&urls(&["HTTPS://Shop.Example.:443"])[0])));
    }
}
