//! Settings with any number of entries.

use figment::value::Value;

use super::{Network, WebOrigin};

/// What the entries of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entries {
    /// Addresses of this server.
    Urls,
    /// IP addresses and networks.
    Networks,
    /// Origins of other servers' pages.
    Origins,
}

impl Entries {
    /// The first value that is not an entry.
    pub(super) fn first_wrong(self, values: &[Value]) -> Option<&Value> {
        values.iter().find(|value| !value.as_str().is_some_and(|text| self.accepts(text)))
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Urls | Self::Origins => text.parse::<WebOrigin>().is_ok(),
            Self::Networks => text.parse::<Network>().is_ok(),
        }
    }

    /// What the values are, in a word or two.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Urls => "URLs",
            Self::Networks => "networks",
            Self::Origins => "origins",
        }
    }

    /// What a list must be, for messages.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Urls => "a list of http or https URLs without a path, such as https://shop.example",
            Self::Networks => "a list of IP addresses and networks, such as 127.0.0.1 or 10.0.0.0/8",
            Self::Origins => {
                "a list of http or https origins, such as https://app.example, each named in full: a wildcard would let every page \
                 use the API with any token it gets hold of"
            }
        }
    }
}

/// The entries of a text; a text of spaces has none.
pub(super) fn split(text: &str) -> Vec<&str> {
    if text.trim().is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}
