//! sled's part: a copy of the newest blocks by position, for fast reads. It may lag, fail, panic, hang or vanish; then blocks are read from
//! the journals and segments, which are the truth, and the copy is rebuilt. Nothing that is acknowledged waits for it.

pub mod keeper;
pub mod sled;

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};

use self::sled::Sled;
use super::{block, storage::Keyed};
use crate::events::Position;

/// Bytes of blocks it holds: some ten thousand small events, which take about twice the room in sled's files. More would be found in
/// segments as fast, and be on the disk twice.
pub const WINDOW_BYTES_MAX: usize = 4 << 20;
/// When a call of sled takes longer, it is given up until the next start.
const CALL_MAX: Duration = Duration::from_secs(5);

/// What is in sled, for readers.
#[derive(Debug, Default)]
pub struct Window {
    sled: RwLock<Option<Arc<Sled>>>,
    /// The first and last position that it holds; nothing while `to` is zero.
    from: AtomicU64,
    to: AtomicU64,
    /// Since when the keeper is inside a call of sled.
    call_since: Mutex<Option<Instant>>,
}

impl Window {
    /// The block that holds a position, whole. `None` in case of doubt: it is elsewhere too.
    #[must_use]
    pub fn block(&self, position: Position) -> Option<Keyed> {
        let (from, to) = self.range();
        if position < from || position > to {
            return None;
        }
        let sled = self.sled.read().clone()?;
        let (first, bytes) = sled.holding(position).ok()??;
        let header = block::check(&bytes).ok()?;
        (header.first == first && header.last() >= position).then_some((first, bytes))
    }

    /// The first and last position that it holds.
    #[must_use]
    pub fn range(&self) -> (Position, Position) {
        (Position(self.from.load(Ordering::Acquire)), Position(self.to.load(Ordering::Acquire)))
    }

    fn show(&self, sled: Arc<Sled>, from: Position, to: Position) {
        *self.sled.write() = Some(sled);
        self.tell(from, to);
    }

    fn tell(&self, from: Position, to: Position) {
        self.from.store(from.0, Ordering::Release);
        self.to.store(to.0, Ordering::Release);
    }

    /// Withdraws sled from readers.
    fn hide(&self) -> Option<Arc<Sled>> {
        self.tell(Position::START, Position::START);
        self.sled.write().take()
    }

    /// Gives sled up if a call of it hangs: readers go elsewhere, and nobody waits for it again. True if it hangs.
    #[must_use]
    pub fn give_up_if_stuck(&self) -> bool {
        if !self.call_since.lock().is_some_and(|since| since.elapsed() > CALL_MAX) {
            return false;
        }
        // Dropping sled waits for its threads, which hang: it is left in memory instead.
        mem::forget(self.hide());
        true
    }

    fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        *self.call_since.lock() = Some(Instant::now());
        let done = call();
        *self.call_since.lock() = None;
        done
    }
}
