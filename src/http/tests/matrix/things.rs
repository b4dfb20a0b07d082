//! Two households on one server, and things of theirs. Every text of the one begins with `hid-`, every text of the other with `far-`;
//! `non-` names what does not exist. All are of one length, so that answers can be compared byte by byte.

use super::people::Person;
use crate::events::Position;

/// Whose things are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of the household of Anna, hidden from Eve.
    Hidden,
    /// Of the household of Eve.
    Far,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Hidden, Self::Far];

    pub fn prefix(self) -> &'static str {
        match self {
            Self::Hidden => "hid",
            Self::Far => "far",
        }
    }

    pub fn owner(self) -> Person {
        match self {
            Self::Hidden => Person::Owner,
            Self::Far => Person::Stranger,
        }
    }
}

/// Things of one household, by number.
#[derive(Debug, Clone)]
pub struct Things {
    prefix: &'static str,
    number: usize,
    /// Of a command that any editor of the list may undo.
    pub position: Position,
    /// The newest of the log.
    pub now: Position,
}

impl Things {
    /// Of a side, not made yet.
    pub fn planned(side: Side, number: usize) -> Self {
        Self { prefix: side.prefix(), number, position: Position(0), now: Position(0) }
    }

    pub fn id(&self, kind: &str) -> String {
        format!("{}-{kind}-{}", self.prefix, self.number)
    }

    /// The same id as a cursor.
    pub fn cursor(&self, kind: &str) -> String {
        let id = if kind == "house" { self.household() } else { self.id(kind) };
        id.bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    pub fn household(&self) -> String {
        format!("{}-house", self.prefix)
    }

    /// Things of the same names that do not exist.
    pub fn missing(&self) -> Self {
        Self { prefix: "non", position: Position(987_654_321), ..self.clone() }
    }

    /// A text with its placeholders filled.
    pub fn fill(&self, text: &str) -> String {
        let shared = |kind: &str| format!("{kind}-{}", self.number);
        let ids = ["list", "item", "order", "mate", "command"].map(|kind| (format!("${kind}"), self.id(kind)));
        let others = [
            ("$household", self.household()),
            ("$product", shared("product")),
            ("$store", shared("store")),
            ("$new", shared("new")),
            ("$position", self.position.to_string()),
            ("$now", self.now.to_string()),
        ];
        let text = ids.iter().fold(text.to_owned(), |text, (mark, id)| text.replace(mark, id));
        others.iter().fold(text, |text, (mark, id)| text.replace(mark, id))
    }
}
