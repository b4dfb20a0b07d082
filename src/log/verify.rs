//! Reads a whole log and trusts nothing: checksums, chain, positions, versions, links and decodability, each fault by its position.

use super::{
    DiskLog,
    block::{self, Chain, Events},
    segment::Segment,
};
use crate::events::{
    LogError, Position, Recorded,
    codec::Decoder,
    heads::{Heads, StreamKey},
};

/// After this many faults the rest are only counted.
pub const PROBLEMS_LISTED_MAX: usize = 100;

/// What verification found. All is well exactly when `problem_count` is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct VerifyReport {
    pub events: u64,
    pub blocks: u64,
    pub last_position: Position,
    /// The first [`PROBLEMS_LISTED_MAX`] faults.
    pub problems: Vec<Problem>,
    pub problem_count: u64,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    pub position: Position,
    pub reason: String,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.problem_count == 0
    }

    fn fault(&mut self, position: Position, reason: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_LISTED_MAX {
            self.problems.push(Problem { position, reason: reason.into() });
        }
    }
}

/// Verifies a log from its first block to its head. `see` gets every event that can be read, in order, and may replay it.
///
/// # Errors
/// When the storage itself cannot be read; every fault in the log is a problem in the report instead.
pub fn verify_chain(log: &DiskLog, see: &mut dyn FnMut(Recorded)) -> Result<VerifyReport, LogError> {
    let mut check = Check { next: Position::START.next(), ..Check::default() };
    for segment in log.segments().iter() {
        if let Err(error) = Segment::read(&segment.path) {
            check.report.fault(segment.head.first, format!("{}: {error}", segment.path.display()));
        }
    }
    for entry in log.blocks() {
        match entry {
            Ok((first, bytes)) => check.block(first, &bytes, see),
            Err(reason) => {
                check.report.fault(check.next, reason);
                check.note_hole();
            }
        }
    }
    check.end(log);
    Ok(check.report)
}

/// The progress of verification.
#[derive(Default)]
struct Check {
    report: VerifyReport,
    next: Position,
    chain: Chain,
    heads: Heads,
    /// Events could not be read, so later events' links to them cannot be checked.
    has_hole: bool,
    /// The block before could not be read, so nothing is known of its chain.
    is_after_hole: bool,
    decoder: Decoder,
    raw: Vec<u8>,
    last_at: crate::domain::Moment,
}

impl Check {
    fn note_hole(&mut self) {
        (self.has_hole, self.is_after_hole) = (true, true);
    }

    fn block(&mut self, first: Position, bytes: &[u8], see: &mut dyn FnMut(Recorded)) {
        self.report.blocks += 1;
        if first != self.next && !self.is_after_hole {
            self.report.fault(self.next, format!("the next block starts at {first}"));
        }
        self.next = first;
        let header = match block::check(bytes) {
            Ok(header) if header.first == first => header,
            Ok(header) => return self.report.fault(first, format!("the block stored there starts at {}", header.first)),
            Err(reason) => {
                self.note_hole();
                return self.report.fault(first, reason);
            }
        };
        if block::chain_of(&self.chain, bytes) != header.chain && !self.is_after_hole {
            self.report.fault(first, "its hash does not chain to the previous block");
        }
        // Continuing from the block's own header finds further faults instead of repeating this one.
        self.chain = header.chain;
        self.is_after_hole = false;
        self.next = header.last().next();
        self.events(&header, bytes, see);
    }

    fn events(&mut self, header: &block::Header, bytes: &[u8], see: &mut dyn FnMut(Recorded)) {
        let mut raw = std::mem::take(&mut self.raw);
        if let Err(reason) = block::unpack(header, bytes, &mut raw) {
            self.report.fault(header.first, reason);
        }
        let mut position = header.first;
        for event in Events(&raw) {
            match self.decoder.decode(position, event) {
                Ok(recorded) => {
                    self.links(&recorded);
                    see(recorded);
                }
                Err(error) => self.report.fault(position, error.to_string()),
            }
            self.report.events += 1;
            position = position.next();
        }
        if position != self.next {
            self.report.fault(position, format!("the block header states events up to {}", header.last()));
        }
        self.raw = raw;
    }

    fn links(&mut self, recorded: &Recorded) {
        let Recorded { position, version, previous, at, .. } = *recorded;
        let key = StreamKey::of(&recorded.stream);
        let before = self.heads.get(key);
        let expected = before.map_or(0, |head| head.version) + 1;
        if version != expected && !self.has_hole {
            self.report.fault(position, format!("version {version} of {}, but {expected} is next", recorded.stream));
        }
        if previous != before.map(|head| head.position) && !self.has_hole {
            self.report.fault(position, format!("it does not link to the previous event in {}", recorded.stream));
        }
        if at < self.last_at {
            self.report.fault(position, "it was recorded earlier than the previous event");
        }
        self.last_at = at;
        self.heads.set(key, version, position);
    }

    fn end(&mut self, log: &DiskLog) {
        let (head, chain) = log.chain();
        self.report.last_position = Position(self.next.0.saturating_sub(1));
        if self.report.last_position != head {
            self.report.fault(self.next, format!("the blocks end before the head at {head}"));
        } else if self.chain != chain {
            self.report.fault(head, "the hash chain does not end as the log recorded it");
        }
        for (key, head) in log.heads() {
            if !self.has_hole && self.heads.get(key) != Some(head) {
                self.report.fault(head.position, format!("a stream's head has version {}, its events do not", head.version));
            }
        }
    }
}
