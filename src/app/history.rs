//! One history: a log, and the folder that holds it. A restore replaces it.

use std::sync::Arc;

use super::DataFolder;
use crate::{
    events::{Break, Clock, Lineage, Log, Position, Served, Skew},
    log::DiskLog,
    telemetry::{CLOCK_AHEAD, process::as_signed_metric},
};

/// The history that a server is wired around.
#[derive(Clone)]
pub struct History {
    pub log: Arc<dyn Log>,
    /// The same log as blocks, for snapshots; none in memory.
    pub blocks: Option<Arc<DiskLog>>,
    pub folder: Option<DataFolder>,
}

impl History {
    /// One that ends with the process.
    #[must_use]
    pub fn in_memory(log: Arc<dyn Log>) -> Self {
        Self { log, blocks: None, folder: None }
    }

    /// One in a folder.
    #[must_use]
    pub fn in_folder(log: DiskLog, folder: DataFolder) -> Self {
        let log = Arc::new(log);
        Self { log: Arc::clone(&log) as Arc<dyn Log>, blocks: Some(log), folder: Some(folder) }
    }

    /// What requests must know to tell its positions from those of another history. What cannot be read is left out, with a warning:
    /// a server must start where everything else works.
    #[must_use]
    pub fn served(&self) -> Arc<Served> {
        let noted: Vec<Break> = self.folder.as_ref().map_or_else(|| Ok(Vec::new()), DataFolder::breaks).unwrap_or_else(|error| {
            tracing::warn!(%error, "the notes on earlier histories cannot be read: positions from before a loss are not recognised");
            Vec::new()
        });
        let lineage = Lineage::of(&*self.log, &noted).unwrap_or_else(|error| {
            tracing::warn!(%error, "restores cannot be read from the log: positions from before one are not recognised");
            Lineage::default()
        });
        Arc::new(Served { epoch: self.epoch(), lineage })
    }

    /// How a clock stands to the newest event; fine where there is none, or it cannot be read.
    #[must_use]
    pub fn skew(&self, clock: &dyn Clock) -> Skew {
        let before = self.log.head().0.checked_sub(1).map(Position);
        let newest = before.and_then(|before| self.log.read(before, 1).ok()?.first().map(|newest| newest.at));
        let now = clock.now();
        let skew = newest.map_or(Skew::Fine, |newest| Skew::of(now, newest));
        if let Some(warning) = skew.warning() {
            tracing::error!(?now, ?newest, "{warning}");
        }
        let seconds = newest.map_or(0, |newest| now.0.saturating_sub(newest.0) / 1_000_000);
        metrics::gauge!(CLOCK_AHEAD).set(as_signed_metric(seconds));
        skew
    }

    /// Its name. Positions of different names cannot be compared.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        self.folder.as_ref().map_or_else(|| Arc::from("memory"), |folder| Arc::from(folder.epoch()))
    }
}
