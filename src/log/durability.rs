//! When an append counts as recorded.

use std::{fmt, time::Duration};

/// What must have happened before an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// It is on the disk (`fdatasync`): survives a loss of power.
    #[default]
    Sync,
    /// The kernel has it: survives `kill -9`, not a loss of power.
    Flush,
    /// As `Flush`, and `fdatasync` at least this often: a loss of power costs at most that time.
    Periodic(Duration),
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sync => f.write_str("sync"),
            Self::Flush => f.write_str("flush"),
            Self::Periodic(every) => write!(f, "periodic every {} ms", every.as_millis()),
        }
    }
}
