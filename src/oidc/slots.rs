//! How many threads may wait for the provider: one that hangs must not take those that passwords and disks need.

use std::sync::atomic::{AtomicUsize, Ordering::AcqRel};

use super::OidcError;

/// Conversations with the provider at once; the next is refused.
pub const TALKING_MAX: usize = 8;

/// The free places.
#[derive(Debug, Default)]
pub struct Slots(AtomicUsize);

/// A place, given back when dropped.
#[derive(Debug)]
pub struct Slot<'a>(&'a Slots);

impl Slots {
    /// Takes a place, if there is one.
    pub fn take(&self) -> Result<Slot<'_>, OidcError> {
        let place = Slot(self);
        // A refused place is given back by its drop.
        if self.0.fetch_add(1, AcqRel) < TALKING_MAX { Ok(place) } else { Err(OidcError::Busy) }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, AcqRel);
    }
}
