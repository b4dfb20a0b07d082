//! What stands beside each event's variant: the name it is stored under, and how each of its texts is treated before others may see it.

use super::StreamKind;

/// One row for each variant of an entity's event, from which names and rules of redaction come.
pub trait EventTable {
    /// In the order of the code.
    const ROWS: &'static [EventRow];

    /// The name it is stored under and clients see: the kind of its stream, a dot, and its variant. Once events carry it, it is never reused.
    fn name(&self) -> &'static str;
}

/// An event as every tool knows it.
#[derive(Debug)]
pub struct EventRow {
    pub name: &'static str,
    /// The texts in its content, by path; `*` stands for every entry of a list. Those that mean the same everywhere are left out.
    pub texts: &'static [(&'static str, TextRule)],
}

impl EventRow {
    /// The rule of the text at a path, if it has one of its own.
    #[must_use]
    pub fn rule_of(&self, path: &str) -> Option<TextRule> {
        self.texts.iter().find(|(known, _)| *known == path).map(|(_, rule)| *rule)
    }
}

/// How a text is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    /// Not personal: a fixed value, a number, a date, a public code.
    Keep,
    /// Free text: a pseudonym that is equal where the text is, in any case.
    Text,
    /// A known unit stays, any other is free text.
    Unit,
    /// A principal.
    Person,
    /// The id that a client gave a command.
    Command,
    /// The device or program that sent a command.
    Client,
    /// An entity's id: stays, unless ids are redacted too.
    Id(StreamKind),
    /// The id of an item or an offer, as `Id`.
    PartId,
    /// A shop's or a source's own code for a product, as `Id`.
    Code,
}

/// Writes the table of an event: a line has the variant, its stored name, and its texts with their rules.
macro_rules! event_table {
    ($event:ident { $($variant:ident $name:literal [$($path:literal $rule:ident $(($of:ident))?),* $(,)?];)* }) => {
        impl $crate::domain::event_table::EventTable for $event {
            const ROWS: &'static [$crate::domain::event_table::EventRow] = &[$($crate::domain::event_table::EventRow {
                name: $name,
                texts: &[$(($path, $crate::domain::event_table::TextRule::$rule $(($crate::domain::StreamKind::$of))?)),*],
            }),*];

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }
        }
    };
}

pub(crate) use event_table;
