//! Digests and checkpoints of all views: byte-equal for the same log, whichever way they were built.

use std::collections::BTreeMap;

use super::{VIEWS_VERSION, Views};
use crate::checkpoint::{self, CheckpointError};

const NAME: &str = "views";

impl Views {
    /// The version of their stored form.
    pub const VERSION: u32 = VIEWS_VERSION;

    /// One BLAKE3 digest per projection, in hex.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<&'static str, String> {
        let shared = [
            ("catalog", checkpoint::digest(&(&self.ids, &self.catalog))),
            ("prices", checkpoint::digest(&(&self.ids, &self.history))),
            ("deals", checkpoint::digest(&self.deals)),
            ("orders", checkpoint::digest(&self.orders)),
        ];
        shared.into_iter().chain(self.own_digests()).collect()
    }

    /// The state as plain bytes: a copy fast enough to be made under the lock. [`Views::pack`] compresses it afterwards.
    #[must_use]
    pub fn freeze(&self) -> Vec<u8> {
        checkpoint::freeze(self)
    }

    /// Turns frozen bytes into a checkpoint.
    #[must_use]
    pub fn pack(frozen: &[u8]) -> Vec<u8> {
        checkpoint::pack(NAME, Self::VERSION, frozen)
    }

    /// The checkpoint in one step, without holding the plain bytes: for a start, a stop and tools.
    #[must_use]
    pub fn to_checkpoint(&self) -> Vec<u8> {
        checkpoint::encode(NAME, Self::VERSION, self)
    }

    /// Reads a checkpoint; reading continues at its position.
    ///
    /// # Errors
    /// When anything does not fit: then rebuild from the log.
    pub fn from_checkpoint(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let mut views: Self = checkpoint::decode(NAME, Self::VERSION, bytes)?;
        views.catalog.rebuild();
        views.history.tables.rebuild();
        views.deals.rebuild();
        views.orders.rebuild();
        views.lists.rebuild();
        views.households.rebuild();
        Ok(views)
    }
}
