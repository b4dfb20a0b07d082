//! The projector: one thread that reads committed events in order, applies them to the views and notifies those waiting.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot, watch};

use super::{handle::News, shared::Shared};
use crate::{
    events::{Feed, FeedReader, LogError, Position, Recorded},
    projections::{Changes, SharedViews, Views},
};

/// Keeps the views at the head of the log, until stopped.
#[derive(Debug)]
pub struct Projector {
    applied: watch::Receiver<Position>,
    looks: mpsc::UnboundedSender<Look>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Inspects the views on the projector's own thread, so that they stay at exactly the requested position meanwhile.
pub type Inspect = Box<dyn FnOnce(&SharedViews, Position) + Send>;

/// An inspection of the views at a position that is chosen when its turn comes.
struct Look {
    position: Box<dyn FnOnce() -> Position + Send>,
    inspect: Inspect,
}

/// Saves the views.
pub type SaveViews = Box<dyn Fn(&Views) -> io::Result<()> + Send>;

/// When and how the views are saved, so that a start replays only the tail.
pub struct CheckpointPlan {
    /// What the checkpoint on disk covers; the views may be further.
    pub saved: Position,
    /// Events between two checkpoints. While one is written (about a third of a second at 0.3 million products)
    /// the views do not advance, so this is large.
    pub every_events: u64,
    pub save: SaveViews,
}

impl Projector {
    /// Starts after the position that the views have reached.
    #[must_use]
    pub fn start(shared: Arc<Shared>, plan: Option<CheckpointPlan>) -> Self {
        let (applied_sender, applied) = watch::channel(shared.views.read().position());
        let (stop, stopped) = oneshot::channel();
        // Unbounded, yet short: admin operations inspect one at a time.
        let (looks, asked) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name("projector".into())
            .spawn(move || run(&Work { shared, applied: applied_sender, plan }, asked, stopped))
            .expect("the projector's thread starts, because the server has only just begun and holds a handful of threads");
        Self { applied, looks, stop: Some(stop), thread: Some(thread) }
    }

    /// The position up to which every view has applied the log.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Position> {
        self.applied.clone()
    }

    /// Has the views inspected at a committed position at or after their own, such as the log's head: `position` chooses it
    /// when its turn comes. Dropped if the projector ends before.
    pub fn look(&self, position: impl FnOnce() -> Position + Send + 'static, inspect: Inspect) {
        // The dropped inspection shows its end.
        let _ = self.looks.send(Look { position: Box::new(position), inspect });
    }

    /// Applies what is committed, writes a checkpoint and ends. Blocks.
    pub fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the projector had panicked; the views are rebuilt at the next start");
        }
    }
}

struct Work {
    shared: Arc<Shared>,
    applied: watch::Sender<Position>,
    plan: Option<CheckpointPlan>,
}

fn run(work: &Work, mut asked: mpsc::UnboundedReceiver<Look>, mut stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O needs nothing that could be missing");
    let start = *work.applied.borrow();
    let mut reader = Feed::new(Arc::clone(&work.shared.log)).reader(start);
    let mut saved = work.plan.as_ref().map_or(start, |plan| plan.saved);
    runtime.block_on(async {
        loop {
            // First after a start with much to catch up, such as an import, so that the next start has not.
            if work.plan.as_ref().is_some_and(|plan| work.applied.borrow().0 >= saved.0 + plan.every_events) {
                saved = work.save();
            }
            tokio::select! {
                biased;
                Some(look) = asked.recv() => {
                    let Err(error) = work.look(look, &mut reader).await else { continue };
                    return Work::give_up(&error);
                }
                batch = reader.next() => match batch {
                    Ok(batch) => work.take_in(&batch),
                    Err(error) => return Work::give_up(&error),
                },
                _ = &mut stopped => break,
            }
        }
        if work.applied.borrow().0 > saved.0 {
            work.save();
        }
    });
}

impl Work {
    fn take_in(&self, batch: &[Arc<Recorded>]) {
        let changes: Vec<Changes> = {
            let mut views = self.shared.views.write();
            batch.iter().map(|recorded| views.apply(recorded)).collect()
        };
        for (recorded, changes) in batch.iter().zip(&changes) {
            self.tell_lists(recorded.position, changes);
        }
        let views = self.shared.views.read();
        for (recorded, changes) in batch.iter().zip(&changes) {
            self.shared.listener.committed(recorded, changes, &views);
        }
        drop(views);
        self.applied.send_replace(batch.last().map_or(Position::START, |last| last.position));
    }

    /// Brings the views to the position and no further, shows them, then applies what arrived after it.
    async fn look(&self, look: Look, reader: &mut FeedReader) -> Result<(), LogError> {
        let position = (look.position)();
        let mut behind = Vec::new();
        while behind.is_empty() && *self.applied.borrow() < position {
            let mut batch = reader.next().await?;
            behind = batch.split_off(batch.partition_point(|recorded| recorded.position <= position));
            self.take_in(&batch);
        }
        (look.inspect)(&self.shared.views, position);
        if !behind.is_empty() {
            self.take_in(&behind);
        }
        Ok(())
    }

    fn tell_lists(&self, position: Position, changes: &Changes) {
        for (product, store) in &changes.prices {
            self.shared.interest.tell(product, &News::Price(product.clone(), store.clone()), position);
        }
        if let Some(product) = &changes.product_details {
            self.shared.interest.tell(product, &News::Details(product.clone()), position);
        }
        if let Some(household) = &changes.compared {
            self.shared.interest.tell_household(household, &News::Compared, position);
        }
    }

    /// Only this thread changes the views, so readers continue while it saves them.
    fn save(&self) -> Position {
        let views = self.shared.views.read();
        if let Some(plan) = &self.plan
            && let Err(error) = (plan.save)(&views)
        {
            tracing::warn!(%error, "the checkpoint of the views could not be written; the next start replays more");
        }
        views.position()
    }

    fn give_up(error: &LogError) {
        tracing::error!(%error, "the views have stopped: the log cannot be read further; run `aisled verify`");
    }
}
