//! Writes a log as lines.

use std::io::{self, Write};

use super::{
    line::{Format, Line},
    to_hex,
};
use crate::{
    events::{Log, LogError, Position, codec::Decoder},
    log::{
        DiskLog,
        block::{self, Events},
    },
};

/// The events after one position, up to and including another.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub after: Position,
    pub to: Position,
}

impl Range {
    /// The range of a log that was asked for.
    ///
    /// # Errors
    /// A sentence, if it is empty or beyond the log.
    pub fn of(log: &dyn Log, after: Option<Position>, to: Option<Position>) -> Result<Self, String> {
        let head = log.head();
        let (after, to) = (after.unwrap_or(Position::START), to.unwrap_or(head));
        if to > head || after > head {
            return Err(format!("the log ends at position {head}; it has not reached {}", to.max(after)));
        }
        if after >= to && head > Position::START {
            return Err(format!("there are no events after position {after} up to {to}"));
        }
        Ok(Self { after, to })
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    pub events: u64,
    pub last_position: Position,
    /// The chain up to the last whole block, in hex.
    pub chain: String,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("the lines cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Writes the events of a range. Each block is checked on the way.
///
/// # Errors
/// Names the position that cannot be read.
pub fn export(log: &DiskLog, range: Range, format: Format, source: &str, out: &mut impl Write) -> Result<Exported, ExportError> {
    let mut writer = BlockWriter { range, format, source, decoder: Decoder::default(), raw: Vec::new(), exported: Exported::default() };
    for entry in log.blocks_from(range.after.next()) {
        let (first, bytes) = entry.map_err(LogError::Storage)?;
        if first > range.to {
            break;
        }
        writer.block(first, &bytes, out)?;
    }
    Ok(writer.exported)
}

struct BlockWriter<'a> {
    range: Range,
    format: Format,
    source: &'a str,
    decoder: Decoder,
    raw: Vec<u8>,
    exported: Exported,
}

impl BlockWriter<'_> {
    fn block(&mut self, first: Position, bytes: &[u8], out: &mut impl Write) -> Result<(), ExportError> {
        let damaged = |reason| LogError::Damaged { position: first, reason };
        let header = block::check(bytes).map_err(damaged)?;
        block::unpack(&header, bytes, &mut self.raw).map_err(damaged)?;
        let raw = std::mem::take(&mut self.raw);
        let mut position = header.first;
        for stored in Events(&raw) {
            if position > self.range.after && position <= self.range.to {
                let chain = (position == header.last()).then_some(header.chain);
                self.event(position, stored, chain, out)?;
            }
            position = position.next();
        }
        self.raw = raw;
        Ok(())
    }

    fn event(&mut self, position: Position, stored: &[u8], chain: Option<block::Chain>, out: &mut impl Write) -> Result<(), ExportError> {
        let undecodable = |error: crate::events::codec::DecodeError| LogError::Undecodable { position, reason: error.0 };
        let recorded = self.decoder.decode(position, stored).map_err(undecodable)?;
        let line = Line { recorded, stored: stored.to_vec(), chain, is_last: position == self.range.to };
        serde_json::to_writer(&mut *out, &line.to_json(self.format, self.source)).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        self.exported.events += 1;
        self.exported.last_position = position;
        if let Some(chain) = chain {
            self.exported.chain = to_hex(&chain);
        }
        Ok(())
    }
}
