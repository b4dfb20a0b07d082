//! How each text of each event is treated in a bundle: by the table beside the event, or as everywhere. A text without a rule is never written;
//! the bundle is refused.

use crate::{
    domain::event_table::TextRule::{self, Client, Command, Keep, Person, Unit},
    events::names::event_row,
};

/// Fields other than `data`. The stream is redacted by its own kind.
pub const ENVELOPE: &[(&str, TextRule)] = &[
    ("position", Keep),
    ("previous", Keep),
    ("at", Keep),
    ("type", Keep),
    ("who", Person),
    ("by", Person),
    ("command_id", Command),
    ("client", Client),
];

/// Fields with the same meaning everywhere, by their last name.
pub const COMMON: &[(&str, TextRule)] = &[
    ("amount", Keep),
    ("currency", Keep),
    ("unit", Unit),
    ("per", Unit),
    ("kind", Keep),
    ("role", Keep),
    ("stock", Keep),
    ("at", Keep),
    ("placed_at", Keep),
    ("observed_at", Keep),
    ("valid_from", Keep),
    ("valid_until", Keep),
    ("country", Keep),
    ("time_zone", Keep),
    ("gtin", Keep),
    ("plu", Keep),
];

/// Lists that are sets: they are written in the order of their entries, pseudonyms too.
pub const SETS: &[(&str, &str)] = &[("household.stores_chosen", "stores")];

/// The rule of a text in the `data` of an event; `None` if it is missing.
#[must_use]
pub fn rule_of(event_type: &str, path: &str) -> Option<TextRule> {
    let common = || COMMON.iter().find(|(known, _)| *known == path.rsplit('.').next().unwrap_or(path)).map(|(_, rule)| *rule);
    event_row(event_type)?.rule_of(path).or_else(common)
}
