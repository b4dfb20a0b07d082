//! One history: a log, and the folder that holds it. A restore replaces it.

use std::sync::Arc;

use super::DataFolder;
use crate::{events::Log, log::DiskLog};

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

    /// Its name. Positions of different names cannot be compared.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        self.folder.as_ref().map_or_else(|| Arc::from("memory"), |folder| Arc::from(folder.epoch()))
    }
}
