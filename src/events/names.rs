//! The stored name of every event, from the tables beside their variants.

use crate::domain::{
    Event,
    entities::entities,
    event_table::{EventRow, EventTable},
};

macro_rules! tables {
    ($($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*) => {
        /// The table of each kind of entity, in the order of the list of entities.
        const TABLES: &[&[EventRow]] = &[$(<crate::domain::$module::$event as EventTable>::ROWS),*];
    };
}

entities!(each tables);

/// Every name, in the order of the code.
pub const EVENT_NAMES: &[&str] = &joined();

/// The name an event is stored under and clients see: the kind of its stream, a dot, and its variant.
#[must_use]
pub fn event_name(event: &Event) -> &'static str {
    entities!(event event, content => content.name())
}

/// The row of the event of a name.
#[must_use]
pub fn event_row(name: &str) -> Option<&'static EventRow> {
    TABLES.iter().copied().flatten().find(|row| row.name == name)
}

const fn count() -> usize {
    let (mut rows, mut table) = (0, 0);
    while table < TABLES.len() {
        rows += TABLES[table].len();
        table += 1;
    }
    rows
}

const fn joined() -> [&'static str; count()] {
    let mut names = [""; count()];
    let (mut table, mut row) = (0, 0);
    let mut place = 0;
    while table < TABLES.len() {
        if row < TABLES[table].len() {
            names[place] = TABLES[table][row].name;
            (row, place) = (row + 1, place + 1);
        } else {
            (table, row) = (table + 1, 0);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::StreamKind;

    #[test]
    fn every_name_is_used_once_and_begins_with_the_kind_of_its_stream() {
        assert_eq!(EVENT_NAMES.iter().collect::<BTreeSet<_>>().len(), EVENT_NAMES.len());
        for (kind, table) in StreamKind::ALL.iter().zip(TABLES) {
            let own = format!("{}.", kind.as_str());
            assert!(table.iter().all(|row| row.name.starts_with(&own)), "{kind:?}");
        }
    }
}
