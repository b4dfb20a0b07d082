//! Builds a log from an export: seals the same blocks again and compares every chain, so that a changed, missing or foreign line is found.

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use super::line::{Line, LineError};
use crate::{
    events::Position,
    log::{
        block::{CHAIN_START, Chain, RAW_BYTES_MAX, Sealer, push_event},
        build::{BuildError, Builder, Built},
    },
};

/// The longest line: an event of a block of its own, with its stored bytes in hexadecimal next to it.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// Why no log was built.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("line {line}: {}{error}", at(error.position))]
    Line { line: u64, error: LineError },
    #[error("position {position}: {reason}")]
    Refused { position: Position, reason: String },
    #[error("line {line} is longer than any event, {LINE_BYTES_MAX} bytes")]
    TooLong { line: u64 },
    #[error("the file holds no event")]
    Empty,
    #[error("the file is cut off: it ends after position {0}, without the end mark of an export")]
    Cut(Position),
    #[error("the file cannot be read after position {position}: {error}")]
    Read { position: Position, error: io::Error },
    #[error(transparent)]
    Build(#[from] BuildError),
}

fn at(position: Option<Position>) -> String {
    position.map_or_else(String::new, |position| format!("position {position}: "))
}

/// Builds the log of an export at `folder`, which must be absent or empty; after an error there is none.
///
/// # Errors
/// Names the first line or position that differs from the export.
pub fn import(mut file: impl BufRead, folder: &Path) -> Result<Built, ImportError> {
    let mut making = Making::new(folder)?;
    let mut text = String::new();
    loop {
        text.clear();
        let read = file
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_line(&mut text)
            .map_err(|error| ImportError::Read { position: making.last(), error })?;
        if read == 0 {
            return making.finish();
        }
        making.line += 1;
        if read as u64 == LINE_BYTES_MAX {
            return Err(ImportError::TooLong { line: making.line });
        }
        if !text.trim().is_empty() {
            making.take(&text)?;
        }
    }
}

/// A log in the making.
struct Making {
    builder: Builder,
    sealer: Sealer,
    line: u64,
    /// The block being filled: its events, and how many.
    raw: Vec<u8>,
    first: Position,
    events: u32,
    ended: bool,
}

impl Making {
    fn new(folder: &Path) -> Result<Self, ImportError> {
        let builder = Builder::create(folder)?;
        let sealer = Sealer::after(CHAIN_START).map_err(|error| BuildError::Storage(error.to_string()))?;
        Ok(Self { builder, sealer, line: 0, raw: Vec::new(), first: Position::START.next(), events: 0, ended: false })
    }

    /// The last position added.
    fn last(&self) -> Position {
        Position(self.first.0 + u64::from(self.events) - 1)
    }

    fn take(&mut self, text: &str) -> Result<(), ImportError> {
        let line = Line::parse(text).map_err(|error| ImportError::Line { line: self.line, error })?;
        let (position, expected) = (line.recorded.position, self.last().next());
        let refused = |reason| Err(ImportError::Refused { position, reason });
        if self.ended {
            return refused("it follows the file's end mark".into());
        }
        if position != expected {
            let whole = if self.line == 1 { "; an import needs the whole log, from position 1" } else { "" };
            return refused(format!("position {expected} is next{whole}"));
        }
        if self.raw.len() > 2 * RAW_BYTES_MAX {
            return refused("no block is this large: the hashes that end the blocks are missing".into());
        }
        push_event(&mut self.raw, |raw| raw.extend_from_slice(&line.stored));
        self.events += 1;
        self.ended = line.is_last;
        line.chain.map_or(Ok(()), |chain| self.seal(&chain))
    }

    /// Ends a block where the export states that one ended.
    fn seal(&mut self, chain: &Chain) -> Result<(), ImportError> {
        let block = self.sealer.seal(&self.raw, self.first, self.events).map_err(|error| BuildError::Storage(error.to_string()))?;
        if self.sealer.chain() != *chain {
            let reason = format!("an event from here up to {} was changed after it was recorded: the block's hash differs", self.last());
            return Err(ImportError::Refused { position: self.first, reason });
        }
        self.builder.add(self.first, &block)?;
        (self.first, self.events) = (self.last().next(), 0);
        self.raw.clear();
        Ok(())
    }

    fn finish(self) -> Result<Built, ImportError> {
        if self.line == 0 || self.last() == Position::START {
            return Err(ImportError::Empty);
        }
        if !self.ended {
            return Err(ImportError::Cut(self.last()));
        }
        if self.events > 0 {
            let reason = "the export ends inside a stored block; export up to the end of the log".into();
            return Err(ImportError::Refused { position: self.last(), reason });
        }
        Ok(self.builder.finish()?)
    }
}
