//! Where a feed of several topics is: one opaque text that a client sends back to continue. It holds the epoch and a position for each
//! topic, in the order they were asked for; where all are the same, only once.

use std::fmt;

use crate::{events::Position, live::topic::Topic};

/// Where each topic is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    topics: Vec<Option<Topic>>,
    positions: Vec<Position>,
}

impl Cursor {
    /// Nothing sent yet since an earlier cursor of these topics: a topic not sent before the feed breaks off continues from there.
    /// A name that is not a topic keeps its place.
    #[must_use]
    pub fn start(epoch: &str, names: &[&str], since: Option<&Self>) -> Self {
        let topics: Vec<_> = names.iter().map(|name| name.parse().ok()).collect();
        let positions = since.map_or_else(|| vec![Position::START; topics.len()], |since| since.positions.clone());
        Self { epoch: epoch.to_owned(), topics, positions }
    }

    /// Reads a cursor for this many topics. `None` if it is not one, or is for another number of topics.
    #[must_use]
    pub fn parse(text: &str, topics: usize) -> Option<Self> {
        let (epoch, positions) = text.split_once('/')?;
        let mut positions = positions.split('.').map(|text| text.parse().ok()).collect::<Option<Vec<Position>>>()?;
        if positions.len() == 1 {
            positions.resize(topics, positions[0]);
        }
        (positions.len() == topics && !epoch.is_empty()).then(|| Self { epoch: epoch.to_owned(), topics: vec![None; topics], positions })
    }

    /// The epoch the positions are of.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The position of the topic at an index.
    #[must_use]
    pub fn at(&self, place: usize) -> Position {
        self.positions[place]
    }

    /// A topic's events were sent up to here.
    pub fn advance(&mut self, topic: &Topic, position: Position) {
        for (known, at) in self.topics.iter().zip(&mut self.positions) {
            if known.as_ref() == Some(topic) {
                *at = (*at).max(position);
            }
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.epoch)?;
        let first = self.positions.first().copied().unwrap_or(Position::START);
        if self.positions.iter().all(|position| *position == first) {
            return write!(f, "{first}");
        }
        for (place, position) in self.positions.iter().enumerate() {
            let dot = if place == 0 { "" } else { "." };
            write!(f, "{dot}{position}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_writes() {
        let mut cursor = Cursor::start("e-1", &["list:a", "list:b", "moon:c"], None);
        assert_eq!(cursor.to_string(), "e-1/0");
        cursor.advance(&"list:b".parse().unwrap(), Position(7));
        cursor.advance(&"list:a".parse().unwrap(), Position(5));
        assert_eq!(cursor.to_string(), "e-1/5.7.0");
        let read = Cursor::parse("e-1/5.7.0", 3).unwrap();
        assert_eq!((read.epoch(), read.at(0), read.at(1), read.at(2)), ("e-1", Position(5), Position(7), Position(0)));
        assert_eq!(Cursor::parse("e-1/9", 3).unwrap().at(2), Position(9));
        cursor = Cursor::start("e-1", &["list:a", "list:b", "moon:c"], Some(&read));
        cursor.advance(&"list:a".parse().unwrap(), Position(8));
        assert_eq!(cursor.to_string(), "e-1/8.7.0", "what was not told yet is where it was");
    }

    #[test]
    fn what_is_no_cursor_of_these_topics_is_none() {
        for text in ["", "5", "/5", "e/", "e/x", "e/1.2", "e/1.2.3.4", "e/-1"] {
            assert_eq!(Cursor::parse(text, 3), None, "{text:?}");
        }
    }
}
