//! The counts of an import, and every refused row: some on standard error, all in a report file if requested. Counts by reason end both.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use serde::Serialize;
use serde_json::json;

use super::{ImportError, Reason, SourceLine};
use crate::domain::StreamId;

/// Reports shown on standard error; the rest is only counted (and in the report file).
const SHOWN_MAX: u64 = 20;
/// What a row of the report is about.
const REFUSED: &str = "refused";
const LEFT_OUT: &str = "value left out";

/// Counts of one import.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub rows_read: u64,
    pub events_appended: u64,
    /// Commands that changed nothing because all of it was already recorded.
    pub unchanged: u64,
    /// Rows refused.
    pub refused: u64,
    /// Values left out of rows that otherwise count.
    pub warnings: u64,
    /// Rows refused and values left out, by the code of the reason.
    pub refused_by_reason: BTreeMap<String, u64>,
    pub warnings_by_reason: BTreeMap<String, u64>,
    pub files: BTreeMap<Arc<str>, FileTally>,
}

/// Counts of one file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FileTally {
    pub rows: u64,
    pub refused: u64,
}

/// Where refusals are reported.
pub struct Report {
    pub tally: Tally,
    /// Stores that were refused: their rows are refused with them.
    refused_stores: HashSet<StreamId>,
    file: Option<(String, Rows)>,
    /// Shows a line to the person at the terminal without breaking the progress bar.
    show: Box<dyn Fn(&str)>,
}

/// The file of a report.
enum Rows {
    Csv(Box<csv::Writer<File>>),
    Ndjson(BufWriter<File>),
}

impl Report {
    /// Starts with zero counts. A file named `….csv` becomes CSV, any other NDJSON.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn new(file: Option<&Path>, show: Box<dyn Fn(&str)>) -> Result<Self, ImportError> {
        let open = |path: &Path| {
            let name = path.display().to_string();
            let rows = Rows::create(path).map_err(|error| unwritable(&name, &error))?;
            Ok::<_, ImportError>((name, rows))
        };
        Ok(Self { tally: Tally::default(), refused_stores: HashSet::new(), file: file.map(open).transpose()?, show })
    }

    /// Counts rows as read.
    pub fn read(&mut self, place: &SourceLine, rows: u64) {
        self.tally.rows_read += rows;
        self.of_file(place).rows += rows;
    }

    /// Counts rows as refused and reports them; `store` if it is a store that is refused.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn refused(&mut self, place: &SourceLine, rows: u64, store: Option<StreamId>, reason: &Reason) -> Result<(), ImportError> {
        let rows = rows.max(1);
        self.refused_stores.extend(store);
        self.tally.refused += rows;
        self.of_file(place).refused += rows;
        *self.tally.refused_by_reason.entry(reason.code().to_owned()).or_default() += rows;
        self.tell(place, REFUSED, rows, reason)
    }

    /// Whether a store was refused.
    pub fn is_refused(&self, store: &StreamId) -> bool {
        self.refused_stores.contains(store)
    }

    /// Reports a value that was left out.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn warning(&mut self, place: &SourceLine, reason: &Reason) -> Result<(), ImportError> {
        self.tally.warnings += 1;
        *self.tally.warnings_by_reason.entry(reason.code().to_owned()).or_default() += 1;
        self.tell(place, LEFT_OUT, 1, reason)
    }

    /// Reports the counts by reason, and how much was not shown.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn finish(&mut self) -> Result<(), ImportError> {
        let told = self.tally.refused + self.tally.warnings;
        if told > SHOWN_MAX {
            let hint = if self.file.is_some() { "all are in the report file" } else { "--report FILE writes all of them" };
            (self.show)(&format!("only {SHOWN_MAX} are shown; {hint}"));
        }
        let counts = self.counts();
        for (what, code, count) in &counts {
            (self.show)(&format!("{count} {what}: {code}"));
        }
        let Some((name, rows)) = &mut self.file else { return Ok(()) };
        rows.end(&counts).map_err(|error| unwritable(name, &error))
    }

    fn counts(&self) -> Vec<(&'static str, String, u64)> {
        let by =
            |what, reasons: &BTreeMap<String, u64>| reasons.iter().map(|(code, count)| (what, code.clone(), *count)).collect::<Vec<_>>();
        [by(REFUSED, &self.tally.refused_by_reason), by(LEFT_OUT, &self.tally.warnings_by_reason)].concat()
    }

    fn of_file(&mut self, place: &SourceLine) -> &mut FileTally {
        if !self.tally.files.contains_key(&place.file) {
            self.tally.files.insert(place.file.clone(), FileTally::default());
        }
        self.tally.files.get_mut(&place.file).expect("this holds because it was put there if it was missing")
    }

    fn tell(&mut self, place: &SourceLine, what: &str, rows: u64, reason: &Reason) -> Result<(), ImportError> {
        if self.told() <= SHOWN_MAX {
            let more = if rows > 1 { format!(" (with it {rows} rows)") } else { String::new() };
            (self.show)(&format!("{}:{}: {what}: {reason}{more}", place.file, place.line));
        }
        let Some((name, out)) = &mut self.file else { return Ok(()) };
        out.row(place, what, rows, reason).map_err(|error| unwritable(name, &error))
    }

    fn told(&self) -> u64 {
        self.tally.refused + self.tally.warnings
    }
}

impl Rows {
    fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("csv")) {
            return Ok(Self::Ndjson(BufWriter::new(file)));
        }
        let mut out = csv::Writer::from_writer(file);
        out.write_record(["file", "line", "what", "code", "reason", "rows"])?;
        Ok(Self::Csv(Box::new(out)))
    }

    fn row(&mut self, place: &SourceLine, what: &str, rows: u64, reason: &Reason) -> io::Result<()> {
        match self {
            Self::Ndjson(out) => {
                let row = json!({ "file": &*place.file, "line": place.line, "what": what, "code": reason.code(), "reason": reason.detail(), "rows": rows });
                writeln!(out, "{row}")
            }
            Self::Csv(out) => {
                let (line, rows) = (place.line.to_string(), rows.to_string());
                Ok(out.write_record([&*place.file, &line, what, reason.code(), reason.detail(), &rows])?)
            }
        }
    }

    /// The counts by reason, as rows without a place.
    fn end(&mut self, counts: &[(&'static str, String, u64)]) -> io::Result<()> {
        for (what, code, count) in counts {
            match self {
                Self::Ndjson(out) => writeln!(out, "{}", json!({ "what": format!("all {what}"), "code": code, "rows": count }))?,
                Self::Csv(out) => out.write_record(["", "", &format!("all {what}"), code, "", &count.to_string()])?,
            }
        }
        match self {
            Self::Ndjson(out) => out.flush(),
            Self::Csv(out) => out.flush(),
        }
    }
}

fn unwritable(file: &str, error: &io::Error) -> ImportError {
    ImportError::Report { file: file.into(), reason: error.to_string() }
}
