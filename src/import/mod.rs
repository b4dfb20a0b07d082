//! Imports: files of a source become typed commands, and a sink decides them like any other command. What is known already is brought up to
//! date: a second import of the same files adds nothing, whatever the order of their rows, and one of changed files records the changes.
//! A wrong row is reported with file, line and reason and skipped.

mod chosen;
mod complete_journey;
mod heissepreise;
mod offline;
mod online;
mod open_food_facts;
mod opening;
mod preview;
mod reason;
mod report;
mod run;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, atomic::AtomicU64};

use smallvec::SmallVec;

use crate::domain::{
    HouseholdId, ListId, OrderId, ProductId, StoreId, StreamId, StreamKind, household::HouseholdCommand, list::ListCommand,
    order::OrderCommand, product::ProductCommand, store::StoreCommand,
};

pub use offline::OfflineSink;
pub use online::HttpSink;
pub use opening::FileAbout;
pub use preview::preview;
pub use reason::Reason;
pub use report::{Report, Tally};
pub use run::{Ran, Sink, Summary, progress_bar, run};
pub use table::Mapping;

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

    /// Opens the source's files in a folder, and reads all of each once: nothing of an import counts while a file is damaged.
    ///
    /// # Errors
    /// Names the folder, file or column that is missing, and the file that is damaged.
    pub fn open(self, folder: &std::path::Path, mapping: Mapping) -> Result<Opened, ImportError> {
        let mut opening = opening::Opening::new(folder, mapping)?;
        let items = match self {
            Self::Heissepreise => heissepreise::open(&mut opening)?,
            Self::CompleteJourney => complete_journey::open(&mut opening)?,
            Self::OpenFoodFacts => open_food_facts::open(&mut opening)?,
        };
        opening.finish(items)
    }
}

/// A source ready to be read, with what a progress bar needs.
pub struct Opened {
    pub items: Items,
    /// How each file is read.
    pub files: Vec<FileAbout>,
    /// The files of the folder that this source does not read.
    pub files_ignored: Vec<String>,
    /// Size of all its files on the disk.
    pub bytes_total: u64,
    pub bytes_read: Arc<AtomicU64>,
}

/// What a source yields, in stages: what others refer to comes first. An error ends it.
pub type Items = Box<dyn Iterator<Item = Result<Item, ImportError>> + Send>;

/// One or more rows, parsed or not.
#[derive(Debug)]
pub struct Item {
    pub place: SourceLine,
    /// How many rows of the source it covers; 0 for what follows from rows counted elsewhere.
    pub rows: u64,
    /// The command, `None` if the rows say nothing new, or why they are refused.
    pub intent: Result<Option<Intent>, Reason>,
    /// If one of these was refused, the rows are refused with it.
    pub needs: Needs,
    /// Values of the rows that were left out or changed; the rest of the row counts.
    pub warnings: Vec<Reason>,
}

/// Stores and households that rows belong to.
pub type Needs = SmallVec<[Arc<StreamId>; 2]>;

impl Item {
    /// A row that is no command.
    fn refused(place: SourceLine, reason: Reason) -> Self {
        Self { place, rows: 1, intent: Err(reason), needs: Needs::new(), warnings: Vec::new() }
    }

    /// Something to say about a file.
    fn warned(place: SourceLine, reason: Reason) -> Self {
        Self { place, rows: 0, intent: Ok(None), needs: Needs::new(), warnings: vec![reason] }
    }

    /// A command.
    fn of(place: SourceLine, rows: u64, intent: Intent) -> Self {
        Self { place, rows, intent: Ok(Some(intent)), needs: Needs::new(), warnings: Vec::new() }
    }
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

/// What must be recorded before what: each stage is finished before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Stores,
    Households,
    Products,
    Lists,
    /// Prices and orders.
    Facts,
}

impl Intent {
    /// The stage in which it is decided.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Store(..) => Stage::Stores,
            Self::Household(..) => Stage::Households,
            Self::Product(_, ProductCommand::Register(_) | ProductCommand::Update(_)) => Stage::Products,
            Self::List(..) => Stage::Lists,
            Self::Product(..) | Self::Order(..) => Stage::Facts,
        }
    }

    /// Its stream, if it is of a store.
    fn store(&self) -> Option<StreamId> {
        matches!(self, Self::Store(..)).then(|| self.stream())
    }

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
    #[error("there is no {file} in {folder}, as .csv, .tsv or .txt, gzipped or not")]
    NoFile { folder: String, file: String },
    #[error("{file} has no column {column:?}; its columns are {found}. --map COLUMN={column} names another one")]
    NoColumn { file: String, column: &'static str, found: String },
    #[error("{file} has the column {column} twice: rename one of them")]
    ColumnTwice { file: String, column: String },
    #[error("--map: {0}")]
    Mapping(String),
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
