//! Which events a replay uses.

use clap::Args;

use crate::{
    debug::range::check_range,
    domain::{Principal, StreamId},
    events::{
        Position, Recorded,
        names::{EVENT_NAMES, event_name},
    },
};

#[derive(Debug, Default, Args)]
pub(super) struct Filter {
    /// Only events from this position on.
    #[arg(long, value_name = "POSITION")]
    pub from: Option<Position>,
    /// Only events up to and including this position.
    #[arg(long, value_name = "POSITION", alias = "until")]
    pub to: Option<Position>,
    /// Only events of this stream, such as list/weekly; may be repeated.
    #[arg(long = "stream", value_name = "STREAM")]
    streams: Vec<StreamId>,
    /// Only events of this type, such as `list.item_added`; may be repeated.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only events of this principal.
    #[arg(long, value_name = "PRINCIPAL")]
    who: Option<Principal>,
}

impl Filter {
    /// All events up to a position.
    pub fn up_to(to: Option<Position>) -> Self {
        Self { to, ..Self::default() }
    }

    /// Whether all events are taken.
    pub fn is_none(&self) -> bool {
        self.from.is_none() && self.to.is_none() && self.streams.is_empty() && self.types.is_empty() && self.who.is_none()
    }

    /// Whether there are such types, and the log holds the range.
    pub fn check(&self, head: Position) -> Result<(), String> {
        if let Some(name) = self.types.iter().find(|name| !EVENT_NAMES.contains(&name.as_str())) {
            return Err(format!("unknown event type {name:?}; the types are {}", EVENT_NAMES.join(", ")));
        }
        check_range(self.from, self.to, head).map(drop)
    }

    /// After which position to read.
    pub fn after(&self) -> Position {
        self.from.map_or(Position::START, |from| Position(from.0.saturating_sub(1)))
    }

    pub fn is_behind(&self, position: Position) -> bool {
        self.to.is_some_and(|to| position > to)
    }

    pub fn wants(&self, recorded: &Recorded) -> bool {
        (self.streams.is_empty() || self.streams.contains(&recorded.stream))
            && (self.types.is_empty() || self.types.iter().any(|name| name == event_name(&recorded.event)))
            && self.who.as_ref().is_none_or(|who| *who == recorded.who)
    }
}
