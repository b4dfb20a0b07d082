//! The envelope: what the log knows of every event besides its content.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{lineage::Seen, served};
use crate::domain::{ClientId, CommandId, Entity, Event, Fact, Moment, Outcome, Principal, StreamId};

/// A place in the log, from 1; zero is before the first event. Shown to clients as opaque text: after a restore with the mark of its
/// history (`served.rs`), and a distributed log would name a partition here too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The next position: positions are gapless. None comes after the last number, which only a forged file can name.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position is a whole number in decimal text, as an answer or an event had it")]
pub struct PositionError;

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        // A sign would be read as well, and is nobody's position.
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_digits).map(Self).ok_or(PositionError)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(&served::written(*self)) } else { serializer.serialize_u64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            let seen: Seen = text.parse().map_err(serde::de::Error::custom)?;
            served::read(seen).map_err(serde::de::Error::custom)
        } else {
            u64::deserialize(deserializer).map(Self)
        }
    }
}

/// The command of an event, kept so that a repetition is recognised after a restart too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandMark {
    pub id: CommandId,
    /// A digest of the command's content: the same id with another digest is a client's mistake.
    pub digest: u64,
    pub outcome: Outcome,
}

/// One committed event.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub position: Position,
    pub stream: StreamId,
    /// Gapless from 1 within the stream.
    pub version: u64,
    /// The position of the stream's previous event; `None` for its first.
    pub previous: Option<Position>,
    /// When the log recorded it; never decreases along the log, but where a clock that was far ahead was set back.
    pub at: Moment,
    pub who: Principal,
    /// Who really sent the command, acting for `who`; absent if nobody acts for another.
    pub by: Option<Principal>,
    pub command: Option<CommandMark>,
    /// The device or program it was sent from, if stated.
    pub client: Option<ClientId>,
    pub event: Event,
}

impl Recorded {
    /// Evolves a state by this event: the one fold of what is recorded. An event of another kind of entity changes nothing.
    pub fn evolve<E: Entity>(&self, state: &mut E::State) {
        if let Some(event) = E::own(&self.event) {
            E::evolve(state, event, &self.fact());
        }
    }

    /// What `evolve` may know of it.
    #[must_use]
    pub fn fact(&self) -> Fact<'_> {
        Fact { who: &self.who, at: self.at, position: self.position.0, version: self.version }
    }
}
