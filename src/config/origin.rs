//! An origin as a browser names it: scheme, host and port, and nothing else.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// An origin such as `https://shop.example`. Case, a default port and a trailing dot of the host make no difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebOrigin {
    pub is_https: bool,
    pub host: Host<String>,
    /// The default one of the scheme if none was written.
    pub port: u16,
}

/// A text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an http or https origin without a path")]
pub struct NotAnOrigin;

impl FromStr for WebOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(text).ok().filter(is_bare).ok_or(NotAnOrigin)?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(NotAnOrigin),
        };
        let host = url.host().and_then(named).ok_or(NotAnOrigin)?;
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(NotAnOrigin)?;
        Ok(Self { is_https, host, port })
    }
}

/// Whether a URL has nothing but scheme, host and port.
fn is_bare(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
}

/// The host without its trailing dot, if it is one host: the parser lets `*` pass.
fn named(host: Host<&str>) -> Option<Host<String>> {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
            is_name.then(|| Host::Domain(name.to_owned()))
        }
        Host::Ipv4(address) => Some(Host::Ipv4(address)),
        Host::Ipv6(address) => Some(Host::Ipv6(address)),
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = if self.is_https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == default { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl From<WebOrigin> for String {
    fn from(origin: WebOrigin) -> Self {
        origin.to_string()
    }
}

impl TryFrom<String> for WebOrigin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_a_default_port_a_trailing_dot_and_a_bare_slash_make_no_difference() {
        let shown = |text: &str| text.parse::<WebOrigin>().expect("is an origin").to_string();
        for text in ["https://shop.example", "HTTPS://Shop.Example:443", "https://shop.example./", "https://shop.example.:443/"] {
            assert_eq!(shown(text), "https://shop.example", "{text}");
        }
        assert_eq!(shown("http://shop.example:443"), "http://shop.example:443");
        assert_eq!(shown("http://[::1]:80"), "http://[::1]");
        assert_eq!(shown("https://bücher.example"), "https://xn--bcher-kva.example");
    }

    #[test]
    fn what_names_no_single_origin_is_refused() {
        for text in [
            "*",
            "",
            "null",
            "shop.example",
            "https://*.shop.example",
            "https://",
            "https://.",
            "https://a.example/path",
            "https://a.example?x",
            "https://a.example/#x",
            "https://ann@a.example",
            "https://a.example:0",
            "https://a.example:99999",
            "ftp://a.example",
            "file:///etc",
        ] {
            assert_eq!(text.parse::<WebOrigin>(), Err(NotAnOrigin), "{text}");
        }
    }
}
