//! Where a history was continued at an earlier point, by a restore or after a loss. Positions and versions after such a break were given
//! once before, to other events: each is known by the mark of its part, so that one of a history that is gone is recognised.

use std::{fmt, str::FromStr, sync::Arc};

use super::{Event, Log, LogError, Position};
use crate::domain::{
    StreamId, StreamKind,
    system::{ADMIN, SystemEvent},
};

/// Between a number and its mark.
const SIGN: char = '~';
/// Admin actions read at a time.
const BATCH_EVENTS: usize = 1_024;

/// Names the part of a history after a break; part of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(u32);

/// A point after which positions were assigned again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// The last position that both histories have.
    pub after: Position,
    pub mark: Mark,
}

/// The breaks of one history, in the order of their positions.
#[derive(Debug, Clone, Default)]
pub struct Lineage(Arc<[Break]>);

/// A position or version as clients have it: `57`, or `57~1a2b3c4d` after a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub number: u64,
    pub mark: Option<Mark>,
}

impl Lineage {
    /// The restores that a log records, and breaks that only its folder knows.
    ///
    /// # Errors
    /// When the admin actions cannot be read.
    pub fn of(log: &dyn Log, noted: &[Break]) -> Result<Self, LogError> {
        let mut breaks = noted.to_vec();
        breaks.extend(restores(log)?);
        // Of two at one position the later counts.
        breaks.sort_by_key(|one| one.after);
        Ok(Self(breaks.into()))
    }

    /// The part that an event belongs to; none before the first break.
    #[must_use]
    pub fn mark_at(&self, position: Position) -> Option<Mark> {
        self.0.iter().rev().find(|one| one.after < position).map(|one| one.mark)
    }

    /// The part that grows.
    #[must_use]
    pub fn newest(&self) -> Option<Mark> {
        self.0.last().map(|one| one.mark)
    }

    /// A position as clients get it.
    #[must_use]
    pub fn seen(&self, position: Position) -> Seen {
        Seen { number: position.0, mark: self.mark_at(position) }
    }

    /// The position, if it is one of this history.
    #[must_use]
    pub fn position(&self, seen: Seen) -> Option<Position> {
        let position = Position(seen.number);
        (self.mark_at(position) == seen.mark).then_some(position)
    }
}

fn restores(log: &dyn Log) -> Result<Vec<Break>, LogError> {
    let Ok(stream) = StreamId::new(StreamKind::System, ADMIN) else { return Ok(Vec::new()) };
    let (mut breaks, mut version) = (Vec::new(), 0);
    loop {
        let events = log.read_stream(&stream, version, BATCH_EVENTS)?;
        let Some(last) = events.last() else { return Ok(breaks) };
        version = last.version;
        for recorded in &events {
            if let Event::System(SystemEvent::Restored { left_epoch, left_position, .. }) = &recorded.event {
                let mark = Mark::of(&format!("{left_epoch} {left_position} {} {}", recorded.position, recorded.at.0));
                breaks.push(Break { after: Position(recorded.position.0.saturating_sub(1)), mark });
            }
        }
    }
}

impl Mark {
    /// The mark of what a text names.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let [a, b, c, d, ..] = *blake3::hash(text.as_bytes()).as_bytes();
        Self(u32::from_be_bytes([a, b, c, d]))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Mark {
    type Err = NotSeen;

    fn from_str(text: &str) -> Result<Self, NotSeen> {
        let is_hex = text.len() == 8 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        u32::from_str_radix(text, 16).ok().filter(|_| is_hex).map(Self).ok_or(NotSeen)
    }
}

/// The text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position is a whole number as an answer of this server had it, such as 57 or 57~1a2b3c4d")]
pub struct NotSeen;

impl Seen {
    /// The number with the mark that belongs to it.
    #[must_use]
    pub fn new(number: u64, mark: Option<Mark>) -> Self {
        Self { number, mark }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mark {
            None => write!(f, "{}", self.number),
            Some(mark) => write!(f, "{}{SIGN}{mark}", self.number),
        }
    }
}

impl FromStr for Seen {
    type Err = NotSeen;

    fn from_str(text: &str) -> Result<Self, NotSeen> {
        let (number, mark) = match text.split_once(SIGN) {
            None => (text, None),
            Some((number, mark)) => (number, Some(mark.parse()?)),
        };
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_number).ok_or(NotSeen)?;
        Ok(Self { number, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(breaks: &[(u64, &str)]) -> Lineage {
        Lineage(breaks.iter().map(|(after, name)| Break { after: Position(*after), mark: Mark::of(name) }).collect())
    }

    #[test]
    fn a_position_counts_only_in_the_histories_that_have_its_event() {
        let (first, second, third) = (lineage(&[]), lineage(&[(5, "a")]), lineage(&[(3, "b")]));
        let fourth = lineage(&[(5, "a"), (8, "c")]);
        for (seen_in, number, known_in) in [
            (&first, 3, [true, true, true, true]),
            (&first, 5, [true, true, false, true]),
            (&first, 6, [true, false, false, false]),
            (&second, 7, [false, true, false, true]),
            (&second, 9, [false, true, false, false]),
            (&third, 4, [false, false, true, false]),
            (&fourth, 9, [false, false, false, true]),
        ] {
            let seen: Seen = seen_in.seen(Position(number)).to_string().parse().unwrap();
            let known = [&first, &second, &third, &fourth].map(|lineage| lineage.position(seen).is_some());
            assert_eq!(known, known_in, "{seen}");
        }
    }

    #[test]
    fn only_what_the_server_writes_is_read() {
        for wrong in
            ["", "~", "-1", "+1", " 1", "1~", "1~12", "1~zzzzzzzz", "1~1A2B3C4D", "1~1a2b3c4d5", "99999999999999999999", "1~1a2b3c4d~"]
        {
            assert_eq!(wrong.parse::<Seen>(), Err(NotSeen), "{wrong}");
        }
        assert_eq!("57~1a2b3c4d".parse::<Seen>().unwrap().to_string(), "57~1a2b3c4d");
    }
}
