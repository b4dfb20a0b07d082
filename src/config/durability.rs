//! When an event counts as written.

use serde::{Deserialize, Serialize};

/// When an append is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// After the file's data is on the disk: survives power loss.
    #[default]
    Sync,
    /// After the operating system has it: survives a killed process, not power loss.
    Flush,
    /// At once; flushed every `periodic_flush_ms`: a crash loses what came since.
    Periodic,
}

impl std::fmt::Display for Durability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sync => "sync",
            Self::Flush => "flush",
            Self::Periodic => "periodic",
        })
    }
}
