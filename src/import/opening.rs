//! What a source opens in a folder: every file of a kind is read, and every file that is not is named.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

use serde::Serialize;

use super::{
    ImportError, Items, Opened,
    table::{Mapping, SourceFile, Table, Wanted, files_of},
};

/// The ends of names of files with rows, each also with `.gz`.
const ROW_FILES: [&str; 4] = ["csv", "tsv", "tab", "txt"];

/// A folder while its files are opened.
pub struct Opening {
    folder: PathBuf,
    names: Vec<String>,
    mapping: Mapping,
    /// All fields and columns so far, to check the mapping.
    fields: Vec<&'static str>,
    columns: Vec<String>,
    about: Vec<FileAbout>,
    bytes_total: u64,
    bytes_read: Arc<AtomicU64>,
}

/// How a file is read.
#[derive(Debug, Clone, Serialize)]
pub struct FileAbout {
    pub file: Arc<str>,
    /// The kind of its rows.
    pub kind: &'static str,
    pub encoding: &'static str,
    /// What separates its fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_line: Option<u64>,
    /// The fields that were found, each with the name of its column.
    pub fields: Vec<(&'static str, String)>,
    pub columns_ignored: Vec<String>,
}

impl FileAbout {
    fn of_values(file: &SourceFile, kind: &'static str) -> Self {
        let (encoding, fields) = (file.encoding.name(), Vec::new());
        Self { file: file.name.clone(), kind, encoding, delimiter: None, header_line: None, fields, columns_ignored: Vec::new() }
    }
}

impl Opening {
    /// # Errors
    /// When there is no such folder.
    pub fn new(folder: &Path, mapping: Mapping) -> Result<Self, ImportError> {
        if !folder.is_dir() {
            return Err(ImportError::NoFolder(folder.display().to_string()));
        }
        Ok(Self {
            names: files_of(folder)?,
            folder: folder.to_owned(),
            mapping,
            fields: Vec::new(),
            columns: Vec::new(),
            about: Vec::new(),
            bytes_total: 0,
            bytes_read: Arc::default(),
        })
    }

    /// Every file of a kind, in the order of their names: `products.csv`, `products_2.csv.gz`, `Products-us.tsv`.
    ///
    /// # Errors
    /// Names a file that is damaged or lacks a column.
    pub fn tables(&mut self, kind: &'static str, wanted: Wanted) -> Result<Vec<Table>, ImportError> {
        self.tables_if(kind, wanted, |stem| is_of_kind(stem, kind))
    }

    /// Every file with rows whose name without its ends is of this kind.
    ///
    /// # Errors
    /// Names a file that is damaged or lacks a column.
    pub fn tables_if(&mut self, kind: &'static str, wanted: Wanted, is_it: impl Fn(&str) -> bool) -> Result<Vec<Table>, ImportError> {
        self.fields.extend(wanted.columns.iter().map(|column| column.field));
        let files = self.take_files(&ROW_FILES, is_it)?;
        files.into_iter().map(|file| self.table(kind, file, wanted)).collect()
    }

    /// The same, at least one.
    ///
    /// # Errors
    /// When there is none, or as `tables`.
    pub fn some_tables(&mut self, kind: &'static str, wanted: Wanted) -> Result<Vec<Table>, ImportError> {
        let tables = self.tables(kind, wanted)?;
        if tables.is_empty() { Err(self.no_file(kind)) } else { Ok(tables) }
    }

    /// That there is no file of a kind.
    pub fn no_file(&self, kind: &str) -> ImportError {
        ImportError::NoFile { folder: self.folder.display().to_string(), file: kind.into() }
    }

    /// Whole files with one of these ends whose names without them satisfy a rule.
    fn take_files(&mut self, ends: &[&str], is_it: impl Fn(&str) -> bool) -> Result<Vec<SourceFile>, ImportError> {
        let is_taken = |name: &String| stem(name, ends).is_some_and(|stem| is_it(&stem));
        let (taken, left) = std::mem::take(&mut self.names).into_iter().partition(is_taken);
        self.names = left;
        let files = Vec::from_iter(taken)
            .iter()
            .map(|name: &String| SourceFile::examine(&self.folder.join(name)))
            .collect::<Result<Vec<_>, _>>()?;
        self.bytes_total += files.iter().map(|file| file.bytes).sum::<u64>();
        Ok(files)
    }

    /// Every file in which each line is an object.
    ///
    /// # Errors
    /// Names a file that is damaged.
    pub fn objects_if(&mut self, kind: &'static str, wanted: Wanted, is_it: impl Fn(&str) -> bool) -> Result<Vec<Table>, ImportError> {
        let files = self.take_files(&["jsonl", "ndjson"], is_it)?;
        self.about.extend(files.iter().map(|file| FileAbout::of_values(file, kind)));
        Ok(files.into_iter().map(|file| Table::of_objects(file, wanted, &self.bytes_read)).collect())
    }

    /// Every file that is one value.
    ///
    /// # Errors
    /// Names a file that is damaged.
    pub fn values_if(&mut self, kind: &'static str, is_it: impl Fn(&str) -> bool) -> Result<Vec<SourceFile>, ImportError> {
        let files = self.take_files(&["json"], is_it)?;
        self.about.extend(files.iter().map(|file| FileAbout::of_values(file, kind)));
        Ok(files)
    }

    fn table(&mut self, kind: &'static str, file: SourceFile, wanted: Wanted) -> Result<Table, ImportError> {
        let table = Table::open(file, wanted, &self.mapping, &self.bytes_read)?;
        let layout = &table.layout;
        self.columns.extend(layout.header.iter().cloned());
        let found = wanted.columns.iter().zip(&layout.columns).filter_map(|(column, index)| Some((column.field, (*index)?)));
        let ignored = |index: &usize| !layout.columns.contains(&Some(*index));
        self.about.push(FileAbout {
            file: table.file.name.clone(),
            kind,
            encoding: table.file.encoding.name(),
            delimiter: Some(layout.dialect.delimiter.into()),
            header_line: Some(layout.header_line),
            fields: found.map(|(field, index)| (field, layout.header[index].clone())).collect(),
            columns_ignored: (0..layout.header.len()).filter(ignored).map(|index| layout.header[index].clone()).collect(),
        });
        Ok(table)
    }

    /// All is open.
    ///
    /// # Errors
    /// When the mapping names a field or column that there is not.
    pub fn finish(self, items: Items) -> Result<Opened, ImportError> {
        self.mapping.check(&self.fields, &self.columns)?;
        Ok(Opened { items, files: self.about, files_ignored: self.names, bytes_total: self.bytes_total, bytes_read: self.bytes_read })
    }
}

/// A file's name in lower case without its ends, if it has one of these.
fn stem(name: &str, ends: &[&str]) -> Option<String> {
    let name = name.to_lowercase();
    let (stem, end) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
    ends.contains(&end).then(|| stem.to_owned())
}

/// Whether a name is that of a kind, or continues it: `products`, `products_us`, `products (1)`, but not `products_of_others`' `productsize`.
fn is_of_kind(stem: &str, kind: &str) -> bool {
    stem.strip_prefix(kind).is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_the_beginning_of_a_name() {
        for (name, is_it) in [
            ("products.csv", true),
            ("Products.CSV.GZ", true),
            ("products_us.tsv", true),
            ("products (1).csv", true),
            ("products-2024-05.txt", true),
            ("productsize.csv", false),
            ("rejected_products.csv", false),
            ("products.csv.bak", false),
            ("products", false),
        ] {
            assert_eq!(stem(name, &ROW_FILES).is_some_and(|stem| is_of_kind(&stem, "products")), is_it, "{name}");
        }
    }
}
