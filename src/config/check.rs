//! Whether a value fits its setting, and the message if it does not.

use std::net::SocketAddr;

use figment::value::{Num, Value};
use tracing_subscriber::EnvFilter;

use super::{
    ADMIN_TOKEN_CHARS_MIN, Issuer, PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN, Secret,
    fields::{Field, Takes},
};

/// Characters of a text that people or another server read.
const TEXT_CHARS_MAX: usize = 200;

impl Field {
    /// Returns what is wrong with a value, `None` if it can be used. `source` names its origin.
    pub(super) fn problem(&self, value: &Value, source: &str) -> Option<String> {
        let problem = || format!("{} {} ({source}); it must be {}", self.name, self.shown(value), self.wanted());
        (!self.accepts(value)).then(problem)
    }

    fn accepts(&self, value: &Value) -> bool {
        let is_text = |fits: fn(&str) -> bool| value.as_str().is_some_and(fits);
        match self.takes {
            Takes::Number { least, most, .. } => {
                value.to_num().and_then(Num::to_u128_lossy).is_some_and(|number| (least.into()..=most.into()).contains(&number))
            }
            Takes::Choice(words) => value.as_str().is_some_and(|text| words().iter().any(|word| word.matches(text, false))),
            Takes::Switch => value.to_bool().is_some(),
            Takes::Address => is_text(|text| text.parse::<SocketAddr>().is_ok()),
            Takes::Folder => is_text(|text| !text.is_empty()),
            // None at all is the default: then the server serves only the owner.
            Takes::Secret => matches!(value, Value::Empty(..)) || is_text(|text| Secret::new(text).is_strong()),
            // None at all is the default: then accounts are left out of snapshots.
            Takes::Passphrase => matches!(value, Value::Empty(..)) || is_text(|text| Secret::new(text).is_passphrase()),
            Takes::Filter => is_text(|text| EnvFilter::try_new(text).is_ok()),
            // None is the default: then there is no provider.
            Takes::Issuer => matches!(value, Value::Empty(..)) || is_text(|text| text.parse::<Issuer>().is_ok()),
            Takes::Text => is_text(|text| (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control)),
            Takes::List(entries) => value.as_array().is_some_and(|values| entries.first_wrong(values).is_none()),
        }
    }

    /// The value as a message may show it.
    fn shown(&self, value: &Value) -> String {
        match self.takes {
            Takes::Secret | Takes::Passphrase => "cannot be used".into(),
            Takes::List(entries) => match value.as_array().and_then(|values| entries.first_wrong(values)) {
                Some(wrong) => format!("has {}", as_json(wrong)),
                None => format!("is {}", as_json(value)),
            },
            Takes::Number { .. } | Takes::Choice(_) | Takes::Switch | Takes::Address => format!("is {}", as_json(value)),
            Takes::Folder | Takes::Filter | Takes::Issuer | Takes::Text => format!("is {}", as_json(value)),
        }
    }

    fn wanted(&self) -> String {
        match self.takes {
            Takes::Number { unit, least, most } => format!("a whole number from {least} to {most} {unit}"),
            Takes::Choice(_) => self.unit().replace('|', " or "),
            Takes::Switch => "true or false".into(),
            Takes::Address => "an IP address with a port, such as 127.0.0.1:8080".into(),
            Takes::Folder => "the path of a folder".into(),
            Takes::Secret => format!("a text of at least {ADMIN_TOKEN_CHARS_MIN} visible ASCII characters without spaces"),
            Takes::Passphrase => format!("a text of {PASSPHRASE_CHARS_MIN} to {PASSPHRASE_CHARS_MAX} characters"),
            Takes::Filter => "a filter such as info or warn,aisled=debug".into(),
            Takes::Issuer => "an https URL without query, such as https://id.example/realms/home; http only for this machine itself".into(),
            Takes::Text => format!("a text of 1 to {TEXT_CHARS_MAX} characters without control characters"),
            Takes::List(entries) => entries.wanted().into(),
        }
    }
}

fn as_json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
