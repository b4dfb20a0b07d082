//! A file of rows, read row by row with columns found by name. Extra columns are ignored.

mod file;
mod layout;
mod records;

use std::{
    borrow::Cow,
    collections::VecDeque,
    io::BufRead,
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use smallvec::SmallVec;

pub use file::{SourceFile, unreadable};
pub use layout::{Column, Layout, Mapping, optional, required};

use super::{
    ImportError, Intent, Item, SourceLine,
    reason::{Read, Reason},
    text,
};
use layout::HEADER_LINES_MAX;
use records::{Dialect, Fields, Numbered, Records};

/// The most of a file's beginning that is searched for its header, in bytes.
const HEAD_BYTES_MAX: u64 = 1 << 20;

/// What a kind of file holds.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub columns: &'static [Column],
    /// Where fields are separated by tabs, quotes are plain signs: so Open Food Facts writes.
    pub raw_tabs: bool,
}

/// How far a table was read.
enum Reading {
    Text(Records<Box<dyn BufRead + Send>>),
    /// The next row, and the fields of the last one.
    Ready(usize, Fields),
}

/// One file with the columns that were asked for. It can be read more than once.
#[derive(Debug, Clone)]
pub struct Table {
    pub file: SourceFile,
    pub layout: Layout,
    content: Content,
    bytes_read: Arc<AtomicU64>,
}

/// Rows that were read already, each with its fields in the order of the columns.
pub type Ready = Vec<Read<Vec<String>>>;

/// What a table's rows are read from.
#[derive(Debug, Clone)]
enum Content {
    Lines,
    /// Each line is an object.
    Objects(&'static [Column]),
    /// A file that is one value, read as a whole.
    Ready(Arc<Ready>),
}

impl Table {
    /// Finds out how a file that is whole is laid out.
    ///
    /// # Errors
    /// Names the missing column.
    pub fn open(file: SourceFile, wanted: Wanted, mapping: &Mapping, bytes_read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let dialect = Dialect { delimiter: b',', quotes: true, old_line_ends: file.old_line_ends };
        let mut layout = Layout::find(&file.name, &head(&file)?, wanted.columns, mapping, dialect)?;
        layout.dialect.quotes = !(wanted.raw_tabs && layout.dialect.delimiter == b'\t');
        Ok(Self { file, layout, content: Content::Lines, bytes_read: bytes_read.clone() })
    }

    /// A file in which each line is an object.
    pub fn of_objects(file: SourceFile, wanted: Wanted, bytes_read: &Arc<AtomicU64>) -> Self {
        let layout = Layout::of_fields(wanted.columns);
        Self { file, layout, content: Content::Objects(wanted.columns), bytes_read: bytes_read.clone() }
    }

    /// Rows of a file that were read already. Their lines are their numbers.
    pub fn of_ready(file: SourceFile, wanted: Wanted, rows: Ready) -> Self {
        let layout = Layout::of_fields(wanted.columns);
        Self { file, layout, content: Content::Ready(Arc::new(rows)), bytes_read: Arc::default() }
    }

    /// Its rows from the first; `shows` whether the progress bar counts them.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn rows(&self, shows: bool) -> Result<Rows<'_>, ImportError> {
        let uncounted = Arc::default();
        let text =
            || Ok::<Box<dyn BufRead + Send>, ImportError>(Box::new(self.file.text(if shows { &self.bytes_read } else { &uncounted })?));
        let dialect = self.layout.dialect;
        let mut records = match &self.content {
            Content::Lines => Reading::Text(Records::new(text()?, dialect)),
            Content::Objects(columns) => Reading::Text(Records::of_objects(text()?, dialect, columns)),
            Content::Ready(_) => Reading::Ready(0, Fields::default()),
        };
        if let Reading::Text(records) = &mut records {
            records.skip(self.layout.header_line).map_err(|error| unreadable(&self.file.name, &error))?;
        }
        Ok(Rows { table: self, records })
    }

    /// Hands on every row with its place, without counting for the progress bar.
    ///
    /// # Errors
    /// When the file cannot be read any further.
    pub fn each(&self, mut with: impl FnMut(SourceLine, Read<Row<'_>>)) -> Result<(), ImportError> {
        let mut rows = self.rows(false)?;
        while rows.next(&mut with)? {}
        Ok(())
    }

    /// Every row as an item: `parse` turns it into a command, nothing, or returns why not.
    pub fn into_items(self, mut parse: impl FnMut(&Row<'_>) -> Parsed + Send) -> impl Iterator<Item = Result<Item, ImportError>> + Send {
        self.into_flat_items(move |place, row| {
            std::iter::once(match row {
                Ok(row) => parse(&row).at(place),
                Err(reason) => Item::refused(place, reason),
            })
            .collect()
        })
    }

    /// The items that rows become, which need not be one each.
    pub fn into_flat_items(
        self,
        mut make: impl FnMut(SourceLine, Read<Row<'_>>) -> Made + Send,
    ) -> impl Iterator<Item = Result<Item, ImportError>> + Send {
        let mut ready: VecDeque<Item> =
            self.file.is_guessed().then(|| Item::warned(self.place(1), self.file.guess())).into_iter().collect();
        let (mut records, mut ended) = (None, false);
        std::iter::from_fn(move || {
            while ready.is_empty() && !ended {
                match self.advance(&mut records, |place, row| ready.extend(make(place, row))) {
                    Ok(is_more) => ended = !is_more,
                    Err(error) => {
                        ended = true;
                        return Some(Err(error));
                    }
                }
            }
            ready.pop_front().map(Ok)
        })
    }

    /// One row further in an iterator that owns the table.
    fn advance(&self, records: &mut Option<Reading>, with: impl FnOnce(SourceLine, Read<Row<'_>>)) -> Result<bool, ImportError> {
        let mut rows = match records.take() {
            Some(records) => Rows { table: self, records },
            None => self.rows(true)?,
        };
        let is_more = rows.next(with);
        *records = Some(rows.records);
        is_more
    }

    /// The next of the rows that were read already.
    fn ready<'a>(&self, row: &mut usize, fields: &'a mut Fields) -> Option<Numbered<'a>> {
        let Content::Ready(rows) = &self.content else { return None };
        let read = match rows.get(*row)? {
            Ok(texts) => fields.take_texts(texts).map(|()| &*fields),
            Err(reason) => Err(reason.clone()),
        };
        *row += 1;
        Some((*row as u64, read))
    }

    fn place(&self, line: u64) -> SourceLine {
        SourceLine { file: self.file.name.clone(), line }
    }
}

/// The rows of a table, one after the other.
pub struct Rows<'a> {
    table: &'a Table,
    records: Reading,
}

impl Rows<'_> {
    /// Hands on the next row with its place, or why it is not one; `false` at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further.
    pub fn next(&mut self, with: impl FnOnce(SourceLine, Read<Row<'_>>)) -> Result<bool, ImportError> {
        let layout = &self.table.layout;
        let next = match &mut self.records {
            Reading::Text(records) => records.next().map_err(|error| unreadable(&self.table.file.name, &error))?,
            Reading::Ready(row, fields) => self.table.ready(row, fields),
        };
        let Some((line, read)) = next else { return Ok(false) };
        let row = read.and_then(|fields| match (fields.len(), layout.header.len()) {
            (is, should) if is == should => Ok(Row { fields, layout }),
            (is, should) => Err(Reason::new("fields_differ", format!("the row has {is} fields, the header has {should}"))),
        });
        with(self.table.place(line), row);
        Ok(true)
    }
}

/// The items that one row makes: mostly one.
pub type Made = SmallVec<[Item; 1]>;

/// What a row became.
pub struct Parsed {
    pub intent: Read<Option<Intent>>,
    pub needs: super::Needs,
    pub warnings: Vec<Reason>,
}

impl Parsed {
    /// An item for one row.
    fn at(self, place: SourceLine) -> Item {
        Item { place, rows: 1, intent: self.intent, needs: self.needs, warnings: self.warnings }
    }
}

impl From<Read<Intent>> for Parsed {
    fn from(intent: Read<Intent>) -> Self {
        Self { intent: intent.map(Some), needs: super::Needs::new(), warnings: Vec::new() }
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    fields: &'a Fields,
    layout: &'a Layout,
}

impl<'a> Row<'a> {
    /// The texts of the requested columns, in the order in which they were asked for, without surrounding spaces;
    /// empty where the file has no such column.
    pub fn texts<const N: usize>(&self) -> [&'a str; N] {
        std::array::from_fn(|column| self.layout.columns[column].map(|index| self.fields.get(index)).unwrap_or_default().trim())
    }

    /// A number as written in this file, with a point before its decimals.
    pub fn number(&self, text: &'a str) -> Cow<'a, str> {
        text::decimal(text, self.layout.dialect.delimiter != b',')
    }
}

impl SourceFile {
    fn guess(&self) -> Reason {
        let encoding = self.encoding.name();
        Reason::new("encoding_guessed", format!("the file is not UTF-8 and does not say what it is: it is read as {encoding}"))
    }
}

/// The first lines of a file.
fn head(file: &SourceFile) -> Result<Vec<String>, ImportError> {
    let end = if file.old_line_ends { b'\r' } else { b'\n' };
    let mut text = std::io::Read::take(file.text(&Arc::default())?, HEAD_BYTES_MAX);
    let mut lines = Vec::new();
    while lines.len() < HEADER_LINES_MAX {
        let mut line = Vec::new();
        if text.read_until(end, &mut line).map_err(|error| unreadable(&file.name, &error))? == 0 {
            break;
        }
        lines.push(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(lines)
}

/// The files of a folder that a source reads, and those that it leaves.
pub fn files_of(folder: &Path) -> Result<Vec<String>, ImportError> {
    let failed = |error: std::io::Error| unreadable(&folder.display().to_string(), &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
