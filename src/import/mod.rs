//! Imports: files of a source become typed commands, and a sink decides them like any other command.
//! A wrong row is reported with file, line and reason and skipped; running twice adds nothing.

mod complete_journey;
mod heissepreise;
mod offline;
mod online;
mod open_food_facts;
mod report;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use crate::domain::{
    HouseholdId, ListId, OrderId, ProductId, StoreId, StreamId, StreamKind, household::HouseholdCommand, list::ListCommand,
    order::OrderCommand, product::ProductCommand, store::StoreCommand,
};

pub use offline::OfflineSink;
pub use online::HttpSink;
pub use report::{Report, Tally};
pub use run::{Sink, Summary, progress_bar, run};

/// The sources that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SourceName {
    /// Catalogue and price history of 13 chains: products and prices.
    Heissepreise,
    /// A year of baskets: products and orders.
    CompleteJourney,
    /// Barcodes with ingredients and nutrition: products.
    OpenFoodFacts,
}

impl SourceName {
    /// The name on the command line, in ids and in summaries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heissepreise => heissepreise::SOURCE,
            Self::CompleteJourney => complete_journey::SOURCE,
            Self::OpenFoodFacts => open_food_facts::SOURCE,
        }
    }

    /// The prefix of the ids of this source's entities.
    pub fn id_prefix(self) -> &'static str {
        match self {
            Self::Heissepreise => "heissepreise:",
            Self::CompleteJourney => "complete-journey:",
            Self::OpenFoodFacts => "off:",
        }
    }

    /// Opens the source's files in a folder.
    ///
    /// # Errors
    /// Names the folder, file or column that is missing.
    pub fn open(self, folder: &Path) -> Result<Opened, ImportError> {
        if !folder.is_dir() {
            return Err(ImportError::NoFolder(folder.display().to_string()));
        }
        match self {
            Self::Heissepreise => heissepreise::open(folder),
            Self::CompleteJourney => complete_journey::open(folder),
            Self::OpenFoodFacts => open_food_facts::open(folder),
        }
    }
}

/// A source ready to be read, with what a progress bar needs.
pub struct Opened {
    pub items: Items,
    /// Size of all its files on the disk.
    pub bytes_total: u64,
    pub bytes_read: Arc<AtomicU64>,
}

/// What a source yields, in the order in which it must be decided. An error ends it.
pub type Items = Box<dyn Iterator<Item = Result<Item, ImportError>> + Send>;

/// One or more rows, parsed or not.
#[derive(Debug)]
pub struct Item {
    pub place: SourceLine,
    /// How many rows of the source it covers; 0 for what follows from rows counted elsewhere.
    pub rows: u64,
    /// The command, or why the rows are refused.
    pub intent: Result<Intent, String>,
    /// Values of the rows that were left out or changed; the rest of the row counts.
    pub warnings: Vec<String>,
}

/// The place of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    pub file: Arc<str>,
    /// From 1; the header is line 1.
    pub line: u64,
}

/// A command with its entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    Store(StoreId, StoreCommand),
    Household(HouseholdId, HouseholdCommand),
    Product(ProductId, ProductCommand),
    Order(OrderId, OrderCommand),
    List(ListId, ListCommand),
}

impl Intent {
    /// The stream of the entity.
    pub fn stream(&self) -> StreamId {
        let (kind, id) = match self {
            Self::Store(id, _) => (StreamKind::Store, id.as_str()),
            Self::Household(id, _) => (StreamKind::Household, id.as_str()),
            Self::Product(id, _) => (StreamKind::Product, id.as_str()),
            Self::Order(id, _) => (StreamKind::Order, id.as_str()),
            Self::List(id, _) => (StreamKind::List, id.as_str()),
        };
        StreamId::new(kind, id).expect("this holds because every id type is a checked id")
    }
}

/// Why an import cannot continue. What was appended before stays; running it again continues.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("there is no folder {0}")]
    NoFolder(String),
    #[error("there is neither {file}.csv.gz nor {file}.csv in {folder}")]
    NoFile { folder: String, file: String },
    #[error("{file} has no column {column:?}; its columns are {found}")]
    NoColumn { file: String, column: &'static str, found: String },
    #[error("cannot read {file}: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("cannot write the report {file}: {reason}")]
    Report { file: String, reason: String },
    #[error(transparent)]
    Log(#[from] crate::events::LogError),
    #[error("the log accepted no more events: {0}")]
    Append(#[from] crate::events::AppendError),
    #[error("the server at {url} does not accept the rows: {reason}")]
    Server { url: String, reason: String },
}
