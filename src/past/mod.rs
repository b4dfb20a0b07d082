//! The past as the log has it: single entities from the beginning of their streams, whole boards from a second set of views.
//! Belongs to one history, and reads nothing but its log.

mod boards;
mod histories;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use boards::{BOARD_IDLE, BOARD_WAIT, Boards, BoardsError, sweep};
pub use histories::{PastStates, StreamHistory, Then};

use crate::domain::entities::entities;

/// Reads of the past that may work or wait at a time; more are refused, because each holds a thread.
pub const READS_MAX: usize = 64;
/// What is kept of lists' histories: some ten thousand events of recently read lists.
const LIST_BYTES_MAX: usize = 32 << 20;
/// What is kept of each other kind of entity.
const OTHER_BYTES_MAX: usize = 8 << 20;

macro_rules! past {
    (
        List lists $list:literal list Lists ListEvent;
        $($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*
    ) => {
        /// Everything that is kept to answer faster about the past. Never stale: the past does not change.
        #[derive(Debug)]
        pub struct Past {
            pub lists: PastStates<crate::domain::list::Lists>,
            $(pub $directory: PastStates<crate::domain::$module::$entity>,)*
            pub boards: Boards,
            reads: Arc<Semaphore>,
        }

        impl Default for Past {
            fn default() -> Self {
                Self {
                    lists: PastStates::of_at_most(LIST_BYTES_MAX),
                    $($directory: PastStates::of_at_most(OTHER_BYTES_MAX),)*
                    boards: Boards::default(),
                    reads: Arc::new(Semaphore::new(READS_MAX)),
                }
            }
        }
    };
}

entities!(clients past);

impl Past {
    /// A permit to read; `None` while [`READS_MAX`] others read.
    #[must_use]
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.reads).try_acquire_owned().ok()
    }
}
