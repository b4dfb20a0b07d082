//! Boards of the past: lists, orders, spending and deals as they were at a position. They come from a second set of views, which is
//! replayed from the log: exact for everything, and slow to build. At most one is kept, and only while it is used.

use std::{
    ops::ControlFlow,
    sync::{
        Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::Past;
use crate::{
    events::{Log, LogError, Position},
    projections::Views,
};

/// Readers that may wait for the board besides the one reading it; more are refused.
const WAITING_MAX: usize = 8;
/// How long a reader waits for the board before being refused: a few replays of a large log.
pub const BOARD_WAIT: Duration = Duration::from_secs(20);
/// How long an unused board is kept: it takes as much memory as the current views.
pub const BOARD_IDLE: Duration = Duration::from_mins(1);

/// The one board kept.
#[derive(Debug)]
pub struct Boards {
    kept: Mutex<Option<Board>>,
    waiting: Semaphore,
    /// A check for an unused board is scheduled.
    swept: AtomicBool,
}

#[derive(Debug)]
struct Board {
    views: Views,
    used: Instant,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BoardsError {
    #[error("other readers use the board for another moment")]
    Busy,
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Default for Boards {
    fn default() -> Self {
        Self { kept: Mutex::new(None), waiting: Semaphore::new(1 + WAITING_MAX), swept: AtomicBool::new(false) }
    }
}

impl Boards {
    /// Queries the views as they were at a position. Replays the log to get there, unless the board kept is there or before it. Blocks.
    ///
    /// # Errors
    /// `Busy` when too many wait already, or for too long; else when the log cannot be read.
    pub fn ask<R>(&self, log: &dyn Log, position: Position, question: impl FnOnce(&Views) -> R) -> Result<R, BoardsError> {
        let _place = self.waiting.try_acquire().map_err(|_| BoardsError::Busy)?;
        let mut kept = self.kept.try_lock_for(BOARD_WAIT).ok_or(BoardsError::Busy)?;
        // Taken out meanwhile: a failed replay leaves nothing half done.
        let mut views = kept.take().map(|board| board.views).filter(|views| views.position() <= position).unwrap_or_default();
        replay(&mut views, log, position)?;
        let answer = question(&views);
        *kept = Some(Board { views, used: Instant::now() });
        Ok(answer)
    }

    /// Frees the board if unused for this long; returns whether it is still kept.
    pub fn forget_idle(&self, idle: Duration) -> bool {
        // Its holder is using it.
        let Some(mut kept) = self.kept.try_lock() else { return true };
        if kept.as_ref().is_some_and(|board| board.used.elapsed() >= idle) {
            *kept = None;
        }
        kept.is_some()
    }
}

/// Frees the board of the past once it is no longer used. Start it after every question: only one runs at a time.
pub async fn sweep(past: Weak<Past>) {
    let begin = || past.upgrade().is_some_and(|past| !past.boards.swept.swap(true, Ordering::AcqRel));
    while begin() {
        tokio::time::sleep(BOARD_IDLE).await;
        let Some(past) = past.upgrade() else { return };
        // Before the check, so that a board returned directly after it gets its own sweeper.
        past.boards.swept.store(false, Ordering::Release);
        if !past.boards.forget_idle(BOARD_IDLE) {
            return;
        }
    }
}

fn replay(views: &mut Views, log: &dyn Log, until: Position) -> Result<(), LogError> {
    if views.position() >= until {
        return Ok(());
    }
    log.scan(views.position(), &mut |recorded| {
        views.apply(&recorded);
        if views.position() < until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
}
