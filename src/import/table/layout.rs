//! Where a file's columns are: its delimiter and header are found by the names that the source's fields go by.

use super::records::{At, Dialect, Fields};
use crate::import::{ImportError, reason::quoted};

/// The delimiters that are tried, in this order.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// The header stands in one of the first lines.
pub const HEADER_LINES_MAX: usize = 20;

/// A field of a source, with the names that its column goes by.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub field: &'static str,
    pub also: &'static [&'static str],
    /// A file without it is refused.
    pub required: bool,
}

/// A field that every file must have.
pub const fn required(field: &'static str) -> Column {
    Column { field, also: &[], required: true }
}

/// A field that may be absent.
pub const fn optional(field: &'static str) -> Column {
    Column { field, also: &[], required: false }
}

impl Column {
    /// Other names that sources give it.
    pub const fn or(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    /// All its names, its own first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.field).chain(self.also.iter().copied())
    }

    fn is_named(&self, name: &str) -> bool {
        self.names().any(|own| own == name)
    }
}

/// Columns that are named by hand: `column=field`.
#[derive(Debug, Clone, Default)]
pub struct Mapping(Vec<(String, String)>);

impl Mapping {
    /// Reads `column=field` texts.
    ///
    /// # Errors
    /// Names the text without a column or field.
    pub fn parse(texts: &[String]) -> Result<Self, ImportError> {
        let pair = |text: &String| {
            let (column, field) = text.rsplit_once('=').filter(|(column, field)| !column.trim().is_empty() && !field.trim().is_empty())?;
            Some((plain_name(column), plain_name(field)))
        };
        let wrong = |text: &String| ImportError::Mapping(format!("{} is not column=field", quoted(text)));
        texts.iter().map(|text| pair(text).ok_or_else(|| wrong(text))).collect::<Result<_, _>>().map(Self)
    }

    /// Refuses a field that the source does not have, and a column that no file has.
    pub fn check(&self, fields: &[&str], columns: &[String]) -> Result<(), ImportError> {
        for (column, field) in &self.0 {
            if !fields.contains(&field.as_str()) {
                return Err(ImportError::Mapping(format!("this source has no field {}; it has {}", quoted(field), fields.join(", "))));
            }
            if !columns.iter().any(|name| plain_name(name) == *column) {
                return Err(ImportError::Mapping(format!("no file has a column {}", quoted(column))));
            }
        }
        Ok(())
    }

    /// The columns given by hand for a field.
    fn columns<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(_, named)| named == field).map(|(column, _)| column.as_str())
    }
}

/// Where the columns of one file are.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub dialect: Dialect,
    /// The line of the header, from 1.
    pub header_line: u64,
    pub header: Vec<String>,
    /// The index of each requested column; `None` for an absent optional one.
    pub columns: Vec<Option<usize>>,
}

impl Layout {
    /// Of rows whose fields are the columns, in their order; numbers have a point.
    pub fn of_fields(columns: &[Column]) -> Self {
        Self {
            dialect: Dialect { delimiter: b',', quotes: false, old_line_ends: false },
            header_line: 0,
            header: columns.iter().map(|column| column.field.to_owned()).collect(),
            columns: (0..columns.len()).map(Some).collect(),
        }
    }

    /// Finds the header in the first lines of a file.
    ///
    /// # Errors
    /// Names the column that is missing, or that is there twice.
    pub fn find(file: &str, lines: &[String], columns: &[Column], mapping: &Mapping, dialect: Dialect) -> Result<Self, ImportError> {
        let said = lines.first().and_then(|line| said_delimiter(line));
        let delimiters = said.map_or_else(|| DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let mut best: Option<(usize, Self)> = None;
        for (line, text) in (1_u64..).zip(lines).skip(usize::from(said.is_some())) {
            for &delimiter in &delimiters {
                let Some(layout) = Self::at(line, text, columns, mapping, Dialect { delimiter, ..dialect }) else { continue };
                let found = layout.columns.iter().flatten().count();
                if best.as_ref().is_none_or(|(most, _)| found > *most) {
                    best = Some((found, layout));
                }
            }
            if best.as_ref().is_some_and(|(_, layout)| layout.missing(columns).is_none()) {
                break;
            }
        }
        best.map_or_else(|| Self::none(dialect, lines, columns), |(_, layout)| layout).checked(file, columns)
    }

    fn at(line: u64, text: &str, columns: &[Column], mapping: &Mapping, dialect: Dialect) -> Option<Self> {
        let mut fields = Fields::default();
        fields.take(text.as_bytes(), dialect, At::Start).ok().filter(|at| *at != At::Quoted)?;
        let header: Vec<String> = fields.iter().map(str::to_owned).collect();
        let names: Vec<_> = header.iter().map(|name| plain_name(name)).collect();
        let columns = columns.iter().map(|column| index_of(column, &names, mapping)).collect::<Vec<_>>();
        columns.iter().any(Option::is_some).then_some(Self { dialect, header_line: line, header, columns })
    }

    fn none(dialect: Dialect, lines: &[String], columns: &[Column]) -> Self {
        let header = lines.first().map(|line| quoted(line)).into_iter().collect();
        Self { dialect, header_line: 1, header, columns: vec![None; columns.len()] }
    }

    fn missing(&self, columns: &[Column]) -> Option<&'static str> {
        let absent = columns.iter().zip(&self.columns).find(|(column, index)| column.required && index.is_none());
        absent.map(|(column, _)| column.field)
    }

    fn checked(self, file: &str, columns: &[Column]) -> Result<Self, ImportError> {
        if let Some(column) = self.missing(columns) {
            let found = self.header.iter().take(50).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            return Err(ImportError::NoColumn { file: file.into(), column, found });
        }
        for index in self.columns.iter().flatten() {
            let name = plain_name(&self.header[*index]);
            if self.header.iter().filter(|other| plain_name(other) == name).count() > 1 {
                return Err(ImportError::ColumnTwice { file: file.into(), column: quoted(&name) });
            }
        }
        Ok(self)
    }
}

/// By hand first, then by its own name, then by the others.
fn index_of(column: &Column, names: &[String], mapping: &Mapping) -> Option<usize> {
    let by_hand = mapping.columns(column.field).find_map(|given| names.iter().position(|name| name == given));
    let own = || names.iter().position(|name| name == column.field);
    by_hand.or_else(own).or_else(|| names.iter().position(|name| column.is_named(name)))
}

/// Excel's first line `sep=;`.
fn said_delimiter(line: &str) -> Option<u8> {
    let said = line.trim_matches('"').to_ascii_lowercase();
    match said.strip_prefix("sep=")?.as_bytes() {
        [delimiter] => Some(*delimiter),
        _ => None,
    }
}

/// A column's name as it is compared: lower case, with underscores between words.
fn plain_name(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}').to_lowercase();
    name.split([' ', '-', '_']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [required("date"), required("price_eur").or(&["price"]), optional("store")];
    const DIALECT: Dialect = Dialect { delimiter: b',', quotes: true, old_line_ends: false };

    fn find(text: &str, mapping: &[&str]) -> Result<Layout, String> {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let mapping = Mapping::parse(&mapping.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()).unwrap();
        Layout::find("f.csv", &lines, &COLUMNS, &mapping, DIALECT).map_err(|error| error.to_string())
    }

    #[test]
    fn delimiter_and_header_are_found_by_the_names_of_the_columns() {
        for (text, delimiter, line, columns) in [
            ("date,price_eur\n", b',', 1, [Some(0), Some(1), None]),
            ("Store;Price EUR;Date\n", b';', 1, [Some(2), Some(1), Some(0)]),
            ("date\tprice\n", b'\t', 1, [Some(0), Some(1), None]),
            ("sep=;\n\"date\";\"price, net\";price\n", b';', 2, [Some(0), Some(2), None]),
            ("Prices of May, all\n\nprice|store|date\n", b'|', 3, [Some(2), Some(0), Some(1)]),
        ] {
            let found = find(text, &[]).unwrap();
            assert_eq!((found.dialect.delimiter, found.header_line, &found.columns[..]), (delimiter, line, &columns[..]), "{text:?}");
        }
    }

    #[test]
    fn columns_are_named_by_hand() {
        let found = find("Tag;Preis\n", &["Tag=date", "preis=price_eur"]).unwrap();
        assert_eq!(found.columns, [Some(0), Some(1), None]);
        assert!(Mapping::parse(&["Tag".to_owned()]).is_err());
        let mapping = Mapping::parse(&["Tag=date".to_owned()]).unwrap();
        assert!(mapping.check(&["price"], &["Tag".into()]).unwrap_err().to_string().contains("no field"));
        assert!(mapping.check(&["date"], &["Preis".into()]).unwrap_err().to_string().contains("no file has a column"));
        mapping.check(&["date"], &["Tag".into()]).unwrap();
    }

    #[test]
    fn a_missing_column_and_one_that_is_there_twice_are_named() {
        assert!(find("date,store\n", &[]).unwrap_err().contains("\"price_eur\""));
        assert!(find("", &[]).unwrap_err().contains("\"date\""));
        assert!(find("date,price_eur,Price EUR\n", &[]).unwrap_err().contains("twice"));
    }
}
