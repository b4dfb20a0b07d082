//! Every code of a problem, with its status and meaning, and the operations that may answer it. `docs/errors.md` is printed from this
//! table, the OpenAPI document lists the codes of each answer, and a debug build refuses to send a code that its operation does not list.

mod administration;
mod entities;
mod people;
mod request;

use super::walk::Row;

/// Codes that the same operations may answer.
#[derive(Debug)]
pub struct Group {
    pub title: &'static str,
    /// Which operations, in words.
    pub whose: &'static str,
    applies: fn(Row) -> bool,
    pub codes: &'static [Code],
}

/// A status, its stable code, and what it means.
#[derive(Debug, Clone, Copy)]
pub struct Code(pub u16, pub &'static str, pub &'static str);

/// Every group, from what any request may be answered to what few may.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    [request::GROUPS, entities::GROUPS, people::GROUPS, administration::GROUPS].into_iter().flatten()
}

/// The codes that an operation may answer.
pub fn of(row: Row) -> impl Iterator<Item = Code> {
    groups().filter(move |group| (group.applies)(row)).flat_map(|group| group.codes).copied()
}

/// Whether an operation lists a code with a status.
#[must_use]
pub fn lists(row: Row, status: u16, code: &str) -> bool {
    of(row).any(|Code(known, name, _)| known == status && name == code)
}

#[cfg(test)]
mod tests;
