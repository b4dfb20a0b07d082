//! A CSV file, gzipped or not, read row by row with columns found by name. Extra columns are ignored.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{ImportError, Item, SourceLine};

/// One file with the requested columns.
pub struct Table {
    name: Arc<str>,
    reader: csv::Reader<Box<dyn Read + Send>>,
    /// The index of each requested column; `None` for an absent optional one.
    columns: Vec<Option<usize>>,
    header_len: usize,
    record: csv::StringRecord,
}

/// A requested column: its name, and whether a file without it is refused.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Required(&'static str),
    Optional(&'static str),
}

/// Counts what was read of a source's files, for its progress bar.
#[derive(Debug, Default, Clone)]
pub struct Meter {
    pub bytes_total: u64,
    pub bytes_read: Arc<AtomicU64>,
}

impl Table {
    /// Opens `stem.csv.gz` or `stem.csv` in a folder.
    ///
    /// # Errors
    /// Names the missing file or column.
    pub fn open(folder: &Path, stem: &str, columns: &[Column], meter: &mut Meter) -> Result<Self, ImportError> {
        let (name, bytes) = open_bytes(folder, stem, meter)?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let header = reader.headers().map_err(|error| unreadable(&name, &error))?.clone();
        let columns = columns.iter().map(|column| find(&header, *column, &name)).collect::<Result<_, _>>()?;
        Ok(Self { name, reader, columns, header_len: header.len(), record: csv::StringRecord::new() })
    }

    /// The next row, or why it is not one. `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further, for instance because its gzip data ends early.
    pub fn next_row(&mut self) -> Result<Option<Placed<'_>>, ImportError> {
        let line = self.reader.position().line();
        let read = self.reader.read_record(&mut self.record);
        let line = self.record.position().map_or(line, csv::Position::line);
        let place = SourceLine { file: self.name.clone(), line };
        match read {
            Ok(false) => Ok(None),
            Ok(true) if self.record.len() == self.header_len => Ok(Some((place, Ok(Row { record: &self.record, columns: &self.columns })))),
            Ok(true) => Ok(Some((place, Err(format!("the row has {} fields, the header has {}", self.record.len(), self.header_len))))),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Ok(Some((
                SourceLine { line: error.position().map_or(line, csv::Position::line), ..place },
                Err("the row is not UTF-8 text".into()),
            ))),
            Err(error) => Err(unreadable(&self.name, &error)),
        }
    }

    /// Every row as an item: `parse` turns it into a command, or returns why not.
    pub fn into_items<F>(mut self, mut parse: F) -> impl Iterator<Item = Result<Item, ImportError>> + Send
    where
        F: FnMut(&Row<'_>, &mut Vec<String>) -> Result<super::Intent, String> + Send,
    {
        std::iter::from_fn(move || {
            let (place, row) = match self.next_row() {
                Ok(row) => row?,
                Err(error) => return Some(Err(error)),
            };
            let mut warnings = Vec::new();
            let intent = row.and_then(|row| parse(&row, &mut warnings));
            Some(Ok(Item { place, rows: 1, intent, warnings }))
        })
        .scan(false, |failed, item| {
            let ended = std::mem::replace(failed, item.is_err());
            (!ended).then_some(item)
        })
    }
}

/// A row's place, and the row or why it is not one.
pub type Placed<'a> = (SourceLine, Result<Row<'a>, String>);

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    record: &'a csv::StringRecord,
    columns: &'a [Option<usize>],
}

impl<'a> Row<'a> {
    /// The texts of the requested columns, in the order in which they were asked for, without surrounding spaces;
    /// empty where the file has no such column.
    pub fn texts<const N: usize>(&self) -> [&'a str; N] {
        std::array::from_fn(|column| self.columns[column].and_then(|index| self.record.get(index)).unwrap_or_default().trim())
    }
}

fn find(header: &csv::StringRecord, column: Column, file: &str) -> Result<Option<usize>, ImportError> {
    let (name, required) = match column {
        Column::Required(name) => (name, true),
        Column::Optional(name) => (name, false),
    };
    match header.iter().position(|found| found.trim() == name) {
        None if required => {
            Err(ImportError::NoColumn { file: file.into(), column: name, found: header.iter().collect::<Vec<_>>().join(", ") })
        }
        index => Ok(index),
    }
}

fn open_bytes(folder: &Path, stem: &str, meter: &mut Meter) -> Result<(Arc<str>, Box<dyn Read + Send>), ImportError> {
    for name in [format!("{stem}.csv.gz"), format!("{stem}.csv")] {
        let path = folder.join(&name);
        if !path.is_file() {
            continue;
        }
        let file = File::open(&path).map_err(|error| unreadable(&name, &error))?;
        meter.bytes_total += file.metadata().map_or(0, |about| about.len());
        let counted = Counted { inner: file, bytes_read: meter.bytes_read.clone() };
        let is_packed = path.extension().is_some_and(|extension| extension == "gz");
        let bytes: Box<dyn Read + Send> = if is_packed {
            Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, counted)))
        } else {
            Box::new(counted)
        };
        return Ok((name.into(), bytes));
    }
    Err(ImportError::NoFile { folder: folder.display().to_string(), file: stem.into() })
}

fn unreadable(file: &str, reason: &dyn std::fmt::Display) -> ImportError {
    ImportError::Unreadable { file: file.into(), reason: reason.to_string() }
}

struct Counted {
    inner: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
