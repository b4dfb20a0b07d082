//! A row of the table of settings, and the names derived from it.

use std::ops::RangeInclusive;

use clap::{ValueEnum, builder::PossibleValue};
use figment::value::Value;

use super::lists::{self, Entries};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key in the file.
    pub name: &'static str,
    pub takes: Takes,
    pub taken_by: TakenBy,
    /// The entry of `x-limits` in the AsyncAPI document with this value.
    pub limit: Option<&'static str>,
    /// The doc comment of the row, as it is written.
    pub(super) doc: &'static str,
}

/// What values a setting takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// A whole number, both ends of the range included.
    Number { unit: &'static str, least: u64, most: u64 },
    /// One of a few values.
    Choice(fn() -> Vec<PossibleValue>),
    /// True or false; the flag alone means true.
    Switch,
    /// An IP address with a port.
    Address,
    /// The path of a folder.
    Folder,
    /// A token: no message shows it.
    Secret,
    /// A phrase that people remember or keep, which seals something: no message shows it.
    Passphrase,
    /// Which log lines are shown.
    Filter,
    /// The address of an `OpenID` provider.
    Issuer,
    /// A short text that people or another server read.
    Text,
    /// Any number of entries of one kind: an array in the file, separated by commas elsewhere.
    List(Entries),
}

/// Which commands take a setting as a flag. Each takes it from the file and the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenBy {
    /// Every command on a data folder, and the server.
    EveryCommand,
    /// The commands on snapshots, and the server.
    Snapshots,
    /// `serve` and `config` alone.
    Server,
}

/// What other tools of the project may use after the `AISLED_` prefix without a warning.
pub(super) const FOREIGN_VARIABLES: &[&str] = &["CONFIG", "SHARED_DATA", "TEST_", "BENCH_", "CRASH_", "POWERCUT", "LIVE_", "LOAD_"];

/// Makes `Config`, its defaults and `FIELDS` from rows of
/// `name: type = default, what it takes, which commands have the flag, limit "the entry of x-limits it gives"`; the last part may be absent.
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty = $default:expr, $takes:expr, $taken_by:ident $(, limit $limit:literal)?;
    )+) => {
        /// Everything that can be configured, one field for each row of the table.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config { $( $(#[doc = $doc])+ pub $name: $type, )+ }

        impl Default for Config {
            fn default() -> Self {
                Self { $( $name: $default, )+ }
            }
        }

        /// Every setting, in the order in which they are shown.
        pub const FIELDS: &[Field] = &[ $( Field {
            name: stringify!($name),
            takes: $takes,
            taken_by: TakenBy::$taken_by,
            limit: first_of(&[$($limit)?]),
            doc: concat!($($doc),+),
        }, )+ ];
    };
}
pub(super) use settings;

/// A whole number within a range.
pub(super) const fn number(unit: &'static str, range: RangeInclusive<u64>) -> Takes {
    Takes::Number { unit, least: *range.start(), most: *range.end() }
}

/// One of the values of an enum.
pub(super) const fn one_of<E: ValueEnum>() -> Takes {
    Takes::Choice(words_of::<E>)
}

fn words_of<E: ValueEnum>() -> Vec<PossibleValue> {
    E::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect()
}

pub(super) const fn first_of(names: &[&'static str]) -> Option<&'static str> {
    names.first().copied()
}

impl Field {
    /// What the setting does, for people; without a full stop, because more follows it everywhere.
    pub fn help(&self) -> &'static str {
        self.doc.trim().trim_end_matches('.')
    }

    /// The environment variable of this setting.
    pub fn variable(&self) -> String {
        format!("{}{}", super::ENVIRONMENT_PREFIX, self.name.to_uppercase())
    }

    /// The flag of this setting.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The unit of a number, the words of a choice, or the kind of value.
    pub fn unit(&self) -> String {
        match self.takes {
            Takes::Number { unit, .. } => unit.into(),
            Takes::Choice(words) => words().iter().map(PossibleValue::get_name).collect::<Vec<_>>().join("|"),
            Takes::Switch => "true|false".into(),
            Takes::Address => "address:port".into(),
            Takes::Folder => "folder".into(),
            Takes::Secret | Takes::Passphrase => "text".into(),
            Takes::Filter => "filter".into(),
            Takes::Issuer => "URL".into(),
            Takes::Text => "text".into(),
            Takes::List(entries) => entries.unit().into(),
        }
    }

    /// The range of a number, such as `1 to 60000`.
    pub fn range(&self) -> Option<String> {
        match self.takes {
            Takes::Number { least, most, .. } => Some(format!("{least} to {most}")),
            Takes::Choice(_)
            | Takes::Switch
            | Takes::Address
            | Takes::Folder
            | Takes::Secret
            | Takes::Passphrase
            | Takes::Filter
            | Takes::Issuer
            | Takes::Text
            | Takes::List(_) => None,
        }
    }

    /// The default; `None` if there is none.
    pub fn default_text(&self) -> Option<String> {
        let mut defaults = serde_json::to_value(super::Config::default()).expect("this holds because every setting is plain data");
        match defaults[self.name].take() {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text),
            other @ (serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_)) => Some(other.to_string()),
        }
    }

    /// A text as a value: a number, boolean or list if the setting is one, else the text unchanged, so that a token of digits stays a text.
    pub fn value_of_text(&self, text: &str) -> Value {
        match self.takes {
            Takes::Number { .. } => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
            Takes::Switch => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
            Takes::List(_) => Value::from(lists::split(text)),
            Takes::Choice(_)
            | Takes::Address
            | Takes::Folder
            | Takes::Secret
            | Takes::Passphrase
            | Takes::Filter
            | Takes::Issuer
            | Takes::Text => Value::from(text),
        }
    }
}
