//! The file of accounts and credentials: tables of rows, changed in transactions that are durable or absent. Only this file knows redb.

use std::{path::Path, sync::Arc};

use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, TableDefinition,
    backends::{FileBackend, InMemoryBackend},
};

use super::errors::StoreError;

/// The name of the file in the folder that the caller gives.
const FILE_NAME: &str = "people.redb";
/// Memory for redb's pages: what every request needs is held elsewhere, so the cache serves rare reads only.
const CACHE_BYTES: usize = 1 << 20;

/// The tables; a name in the file is a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Meta,
    Accounts,
    Sessions,
    Tokens,
    Links,
    Invitations,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 6] = [Self::Meta, Self::Accounts, Self::Sessions, Self::Tokens, Self::Links, Self::Invitations];

    /// Its name in the file and in backups.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Accounts => "accounts",
            Self::Sessions => "sessions",
            Self::Tokens => "tokens",
            Self::Links => "links",
            Self::Invitations => "invitations",
        }
    }

    fn definition(self) -> TableDefinition<'static, &'static str, &'static [u8]> {
        TableDefinition::new(self.name())
    }
}

/// A row that gets a value, or goes.
#[derive(Debug)]
pub struct RowChange {
    pub table: Table,
    pub key: String,
    pub value: Option<Vec<u8>>,
}

/// The rows of one table by key.
pub type Rows = Vec<(String, Vec<u8>)>;

/// The open file, or rows in memory only.
pub struct Store {
    database: Database,
    /// The file's path for messages.
    file: Arc<str>,
}

impl Store {
    /// Opens the file in a folder, and creates both if missing. Every checksum in it is checked.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE_NAME);
        let file: Arc<str> = path.display().to_string().into();
        let io_error = |error: std::io::Error| StoreError::Failed { file: file.clone(), detail: error.to_string() };
        crate::disk::create_folder(folder).map_err(io_error)?;
        let opened = crate::disk::private_file(&path).map_err(io_error)?;
        let build = || builder().create_with_backend(FileBackend::new(opened)?);
        // redb asserts some of what it reads: a panic about a damaged file must not end the process without naming the file.
        let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build));
        let damaged = |detail: String| StoreError::Damaged { file: file.clone(), detail };
        let database = built.map_err(|_| damaged("its pages contradict one another".to_owned()))?.map_err(|error| refused(&file, error))?;
        Self { database, file }.with_tables()
    }

    /// Rows that are gone with the value.
    pub fn in_memory() -> Result<Self, StoreError> {
        let file: Arc<str> = "(in memory)".into();
        let built = builder().create_with_backend(InMemoryBackend::new());
        Self { database: built.map_err(|error| refused(&file, error))?, file }.with_tables()
    }

    /// Creates missing tables, so that a reader finds all of them.
    fn with_tables(self) -> Result<Self, StoreError> {
        self.write(&[])?;
        Ok(self)
    }

    /// Makes all changes durable, or none.
    pub fn write(&self, changes: &[RowChange]) -> Result<(), StoreError> {
        self.try_write(changes).map_err(|error| self.failed(error))
    }

    fn try_write(&self, changes: &[RowChange]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        // One phase relies on a checksum that someone who chooses the bytes of a row could forge across a crash.
        transaction.set_two_phase_commit(true);
        for table in Table::ALL {
            let mut rows = transaction.open_table(table.definition())?;
            for change in changes.iter().filter(|change| change.table == table) {
                match &change.value {
                    Some(value) => drop(rows.insert(change.key.as_str(), value.as_slice())?),
                    None => drop(rows.remove(change.key.as_str())?),
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// The rows of one table whose key begins so.
    pub fn rows(&self, table: Table, prefix: &str) -> Result<Rows, StoreError> {
        self.try_rows(&[table], prefix)
            .map(|mut all| all.pop().map(|(_, rows)| rows).unwrap_or_default())
            .map_err(|error| self.failed(error))
    }

    /// All rows of some tables as of one moment.
    pub fn all(&self, tables: &[Table]) -> Result<Vec<(Table, Rows)>, StoreError> {
        self.try_rows(tables, "").map_err(|error| self.failed(error))
    }

    fn try_rows(&self, tables: &[Table], prefix: &str) -> Result<Vec<(Table, Rows)>, redb::Error> {
        let transaction = self.database.begin_read()?;
        let mut all = Vec::with_capacity(tables.len());
        for table in tables {
            let mut rows = Rows::new();
            for row in transaction.open_table(table.definition())?.range(prefix..)? {
                let (key, value) = row?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                rows.push((key.value().to_owned(), value.value().to_vec()));
            }
            all.push((*table, rows));
        }
        Ok(all)
    }

    /// The error of a row that cannot be read.
    pub fn damaged(&self, table: Table) -> StoreError {
        StoreError::Damaged { file: self.file.clone(), detail: format!("a row of {} cannot be read", table.name()) }
    }

    fn failed(&self, error: redb::Error) -> StoreError {
        failed(&self.file, error)
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

fn refused(file: &Arc<str>, error: DatabaseError) -> StoreError {
    if matches!(error, DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) {
        return StoreError::Locked { file: file.clone() };
    }
    failed(file, error.into())
}

/// What redb calls corrupted, and a file that is something else, is damage; the rest is the system's.
fn failed(file: &Arc<str>, error: redb::Error) -> StoreError {
    let (file, detail) = (file.clone(), error.to_string());
    if is_damage(&error) { StoreError::Damaged { file, detail } } else { StoreError::Failed { file, detail } }
}

fn is_damage(error: &redb::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    let is_corrupted = matches!(error, redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) | redb::Error::RepairAborted);
    is_corrupted || matches!(error, redb::Error::Io(io) if matches!(io.kind(), InvalidData | UnexpectedEof))
}
