//! Digests and checkpoints of all views: byte-equal for the same log, however they were reached.

use std::collections::BTreeMap;

use super::Views;
use crate::checkpoint::{self, CheckpointError};

const NAME: &str = "views";

impl Views {
    /// Raise it whenever a stored field of any view changes: older checkpoints are then rebuilt from the log.
    pub const VERSION: u32 = 3;

    /// One BLAKE3 digest per projection, in hex.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("catalog", checkpoint::digest(&(&self.ids, &self.catalog))),
            ("prices", checkpoint::digest(&(&self.ids, &self.history))),
            ("deals", checkpoint::digest(&self.deals)),
            ("orders", checkpoint::digest(&self.orders)),
            ("lists", checkpoint::digest(&self.lists)),
            ("households", checkpoint::digest(&self.households)),
        ])
    }

    /// The state as plain bytes: a copy quick enough to be made under the lock. [`Views::pack`] compresses it afterwards.
    #[must_use]
    pub fn freeze(&self) -> Vec<u8> {
        checkpoint::freeze(self)
    }

    /// Makes frozen bytes a checkpoint.
    #[must_use]
    pub fn pack(frozen: &[u8]) -> Vec<u8> {
        checkpoint::pack(NAME, Self::VERSION, frozen)
    }

    /// The checkpoint in one step, without the plain bytes ever being held: for a start, a stop and tools.
    #[must_use]
    pub fn to_checkpoint(&self) -> Vec<u8> {
        checkpoint::encode(NAME, Self::VERSION, self)
    }

    /// Reads a checkpoint; its position says where to read on.
    ///
    /// # Errors
    /// Anything that does not fit: rebuild from the log then.
    pub fn from_checkpoint(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let mut views: Self = checkpoint::decode(NAME, Self::VERSION, bytes)?;
        views.catalog.rebuild();
        views.history.tables.rebuild();
        views.deals.rebuild();
        views.orders.rebuild();
        Ok(views)
    }
}
