//! A debug bundle: chosen streams with personal text redacted by rule, in one file that replays elsewhere to the same digests.

mod choose;
mod file;
mod fold;
mod pseudonyms;
mod redact;
mod rules;

use serde::{Deserialize, Serialize};

use crate::events::{LogError, Position, codec::DecodeError};

pub use choose::{Choice, choose};
pub use file::{read, write};
pub use fold::{Outcome, fold};
pub use redact::Redaction;

/// The only format there is.
pub const FORMAT: u32 = 1;

/// The first line of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format, 1.
    pub aisled_bundle: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The requested streams.
    pub streams: Vec<String>,
    pub from: Position,
    pub to: Position,
    pub redacted_ids: bool,
    pub with_prices: bool,
    pub events: u64,
    /// The result of the redacted events.
    pub outcome: Outcome,
}

/// Why a bundle cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{0}")]
    Choice(String),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("position {position} cannot be redacted: {reason}")]
    Unredactable { position: Position, reason: String },
    #[error("this is not a bundle: {0}")]
    Foreign(String),
    #[error("unknown format {0}; this version of the program knows only {FORMAT}")]
    Newer(u64),
    #[error("the bundle is damaged: {0}")]
    Damaged(String),
    #[error("the bundle cannot be read or written: {0}")]
    File(#[from] std::io::Error),
}

impl BundleError {
    fn unredactable(position: Position, error: DecodeError) -> Self {
        Self::Unredactable { position, reason: error.0 }
    }
}

#[cfg(test)]
mod tests;
