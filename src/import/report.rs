//! The counts of an import, and every refused row: some on standard error, all in a report file if requested.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use serde_json::json;

use super::{ImportError, SourceLine};

/// Reports shown on standard error; the rest is only counted (and in the report file).
const SHOWN_MAX: u64 = 20;

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
}

/// Where refusals are reported.
pub struct Report {
    pub tally: Tally,
    file: Option<(String, Format, BufWriter<File>)>,
    /// Shows a line to the person at the terminal without breaking the progress bar.
    show: Box<dyn Fn(&str)>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv,
    Ndjson,
}

impl Report {
    /// Starts with zero counts. A file named `….csv` becomes CSV, any other NDJSON.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn new(file: Option<&Path>, show: Box<dyn Fn(&str)>) -> Result<Self, ImportError> {
        let Some(path) = file else { return Ok(Self { tally: Tally::default(), file: None, show }) };
        let name = path.display().to_string();
        let format = if path.extension().is_some_and(|extension| extension == "csv") { Format::Csv } else { Format::Ndjson };
        let mut out = BufWriter::new(File::create(path).map_err(|error| unwritable(&name, &error))?);
        if matches!(format, Format::Csv) {
            writeln!(out, "file,line,what,reason").map_err(|error| unwritable(&name, &error))?;
        }
        Ok(Self { tally: Tally::default(), file: Some((name, format, out)), show })
    }

    /// Counts rows as refused and reports them.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn refused(&mut self, place: &SourceLine, rows: u64, reason: &str) -> Result<(), ImportError> {
        self.tally.refused += rows.max(1);
        let more = if rows > 1 { format!("{reason} (with it {rows} rows)") } else { reason.to_owned() };
        self.tell(place, "refused", &more)
    }

    /// Reports a value that was left out.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn warning(&mut self, place: &SourceLine, reason: &str) -> Result<(), ImportError> {
        self.tally.warnings += 1;
        self.tell(place, "value left out", reason)
    }

    /// Writes what is buffered, and reports how much was not shown.
    ///
    /// # Errors
    /// When the report file cannot be written.
    pub fn finish(&mut self) -> Result<(), ImportError> {
        let told = self.tally.refused + self.tally.warnings;
        if told > SHOWN_MAX {
            let hint = if self.file.is_some() { "all are in the report file" } else { "--report FILE writes all of them" };
            (self.show)(&format!("{} rows refused, {} values left out; {hint}", self.tally.refused, self.tally.warnings));
        }
        match &mut self.file {
            Some((name, _, out)) => out.flush().map_err(|error| unwritable(name, &error)),
            None => Ok(()),
        }
    }

    fn tell(&mut self, place: &SourceLine, what: &str, reason: &str) -> Result<(), ImportError> {
        if self.tally.refused + self.tally.warnings <= SHOWN_MAX {
            (self.show)(&format!("{}:{}: {what}: {reason}", place.file, place.line));
        }
        let Some((name, format, out)) = &mut self.file else { return Ok(()) };
        let written = match format {
            Format::Ndjson => writeln!(out, "{}", json!({ "file": &*place.file, "line": place.line, "what": what, "reason": reason })),
            Format::Csv => writeln!(out, "{},{},{what},\"{}\"", place.file, place.line, reason.replace('"', "\"\"")),
        };
        written.map_err(|error| unwritable(name, &error))
    }
}

fn unwritable(file: &str, error: &std::io::Error) -> ImportError {
    ImportError::Report { file: file.into(), reason: error.to_string() }
}
