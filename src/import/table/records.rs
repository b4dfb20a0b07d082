//! Lines become records of fields. No library does it as an import must: a quote that is never closed, or one where none may be, is an
//! error of the line where it stands, and the lines after it are read as rows of their own. So no row vanishes inside another.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Read},
};

use serde_json::{Map, Value};

use super::layout::Column;
use crate::import::reason::{Read as Answer, Reason, quoted};

/// The longest line, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;
/// The longest line with an object: Open Food Facts has some of megabytes.
const OBJECT_BYTES_MAX: usize = 16 << 20;
/// The longest field, in bytes.
const FIELD_BYTES_MAX: usize = 128 << 10;
/// The most lines of one record: a quoted field may hold line ends.
const RECORD_LINES_MAX: usize = 1_000;

/// How fields stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// Whether quotes keep a field together; else they are plain signs.
    pub quotes: bool,
    /// Lines end with a carriage return alone.
    pub old_line_ends: bool,
}

/// A text as records, with the numbers of their first lines.
pub struct Records<R> {
    text: R,
    dialect: Dialect,
    /// Each line is an object with these fields.
    objects: Option<&'static [Column]>,
    line: u64,
    /// Read, but not part of the record after all.
    given_back: VecDeque<Line>,
    fields: Fields,
}

/// One line without its end.
struct Line {
    /// From 1.
    number: u64,
    bytes: Vec<u8>,
    is_too_long: bool,
}

/// The fields of one record.
#[derive(Debug, Default)]
pub struct Fields {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The line on which a record begins, and its fields or why it is not one.
pub type Numbered<'a> = (u64, Answer<&'a Fields>);

impl<R: BufRead> Records<R> {
    pub fn new(text: R, dialect: Dialect) -> Self {
        Self { text, dialect, objects: None, line: 0, given_back: VecDeque::new(), fields: Fields::default() }
    }

    /// Of a text in which each line is an object.
    pub fn of_objects(text: R, dialect: Dialect, columns: &'static [Column]) -> Self {
        Self { objects: Some(columns), ..Self::new(text, dialect) }
    }

    /// Passes over the first lines of a file.
    pub fn skip(&mut self, lines: u64) -> io::Result<()> {
        for _ in 0..lines {
            self.next_line()?;
        }
        Ok(())
    }

    /// The next record; blank lines are none. `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Numbered<'_>>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            if line.bytes.is_empty() && !line.is_too_long {
                continue;
            }
            let number = line.number;
            let read = self.record(line)?;
            return Ok(Some((number, read.map(|()| &self.fields))));
        }
    }

    /// Reads a record that begins with this line into `fields`.
    fn record(&mut self, first: Line) -> io::Result<Answer<()>> {
        if first.is_too_long {
            return Ok(Err(Reason::new("line_too_long", format!("the line is longer than {} bytes", self.line_bytes_max()))));
        }
        if let Some(columns) = self.objects {
            return Ok(self.fields.take_object(&first.bytes, columns));
        }
        self.fields.clear();
        let mut at = match self.fields.take(&first.bytes, self.dialect, At::Start) {
            Ok(At::Quoted) => At::Quoted,
            other => return Ok(other.and_then(|_| self.fields.check())),
        };
        let mut more = Vec::new();
        while matches!(at, At::Quoted) {
            let next = if more.len() < RECORD_LINES_MAX && self.fields.open_bytes() <= FIELD_BYTES_MAX { self.next_line()? } else { None };
            let Some(line) = next.filter(|line| !line.is_too_long) else { return Ok(Err(self.give_back(more, None))) };
            self.fields.text.push(b'\n');
            let taken = self.fields.take(&line.bytes, self.dialect, at);
            more.push(line);
            at = match taken {
                Ok(at) => at,
                Err(stray) => return Ok(Err(self.give_back(more, Some(stray)))),
            };
        }
        Ok(self.fields.check())
    }

    /// Only the first line is at fault: those after it are read again as records.
    fn give_back(&mut self, lines: Vec<Line>, stray: Option<Reason>) -> Reason {
        let (field, begins) = self.fields.open();
        let why = if stray.is_some() { " before a stray one" } else { "" };
        for line in lines.into_iter().rev() {
            self.given_back.push_front(line);
        }
        Reason::new("quote_unclosed", format!("the quote that begins field {field} is not closed{why}: {}", quoted(&begins)))
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        match self.given_back.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read_line(),
        }
    }

    fn line_bytes_max(&self) -> usize {
        if self.objects.is_some() { OBJECT_BYTES_MAX } else { LINE_BYTES_MAX }
    }

    fn read_line(&mut self) -> io::Result<Option<Line>> {
        let end = if self.dialect.old_line_ends { b'\r' } else { b'\n' };
        let mut bytes = Vec::new();
        let bytes_max = self.line_bytes_max();
        let read = self.text.by_ref().take(bytes_max as u64 + 1).read_until(end, &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        let is_too_long = read > bytes_max && bytes.last() != Some(&end);
        if is_too_long {
            bytes.truncate(0);
            skip_until(&mut self.text, end)?;
        }
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(Some(Line { number: self.line, bytes, is_too_long }))
    }
}

fn skip_until(text: &mut impl BufRead, end: u8) -> io::Result<()> {
    loop {
        let (used, found) = {
            let bytes = text.fill_buf()?;
            match bytes.iter().position(|byte| *byte == end) {
                Some(index) => (index + 1, true),
                None => (bytes.len(), bytes.is_empty()),
            }
        };
        text.consume(used);
        if found {
            return Ok(());
        }
    }
}

/// Where the reading of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At the beginning of a field.
    Start,
    /// In a field without quotes.
    Plain,
    /// Between two quotes.
    Quoted,
    /// After a quote that ends the field, unless another one follows.
    Closing,
}

impl Fields {
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empty beyond the last one. All are UTF-8: that was checked.
    pub fn get(&self, index: usize) -> &str {
        let Some(&end) = self.ends.get(index) else { return "" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        std::str::from_utf8(&self.text[start..end]).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Takes a line: `At::Quoted` if a quote is still open at its end.
    pub fn take(&mut self, line: &[u8], dialect: Dialect, mut at: At) -> Answer<At> {
        for &byte in line {
            at = match at {
                At::Quoted if byte == b'"' => At::Closing,
                At::Quoted => self.push(byte, At::Quoted),
                At::Closing if byte == b'"' => self.push(byte, At::Quoted),
                At::Start | At::Plain | At::Closing if byte == dialect.delimiter => self.end(),
                At::Start if byte == b'"' && dialect.quotes => At::Quoted,
                At::Plain if byte == b'"' && dialect.quotes => return Err(self.stray("a quote stands inside")),
                At::Closing => return Err(self.stray("text follows the closing quote of")),
                At::Start | At::Plain => self.push(byte, At::Plain),
            };
        }
        if at != At::Quoted {
            self.end();
        }
        Ok(at)
    }

    /// Takes the values of an object, each by the first of its names that is there; one level of objects inside counts as well.
    pub fn take_object(&mut self, line: &[u8], columns: &[Column]) -> Answer<()> {
        let wrong = |why: &dyn std::fmt::Display| Reason::new("json_wrong", format!("the line is not an object: {why}"));
        let object: Map<String, Value> = serde_json::from_slice(line).map_err(|error| wrong(&error))?;
        self.clear();
        let inside = || object.values().filter_map(Value::as_object);
        let named = |name: &str| value_of(&object, name).or_else(|| inside().find_map(|object| value_of(object, name)));
        for column in columns {
            self.text.extend(column.names().find_map(named).unwrap_or_default().into_bytes());
            self.end();
        }
        self.check()
    }

    /// Takes texts that are fields already.
    pub fn take_texts(&mut self, texts: &[String]) -> Answer<()> {
        self.clear();
        for text in texts {
            self.text.extend_from_slice(text.as_bytes());
            self.end();
        }
        self.check()
    }

    fn push(&mut self, byte: u8, at: At) -> At {
        self.text.push(byte);
        at
    }

    fn end(&mut self) -> At {
        self.ends.push(self.text.len());
        At::Start
    }

    fn stray(&self, what: &str) -> Reason {
        let (field, begins) = self.open();
        Reason::new("quote_stray", format!("{what} field {field}: {}", quoted(&begins)))
    }

    /// The number of the field that is being read, from 1, and how it begins.
    fn open(&self) -> (usize, String) {
        let start = self.ends.last().copied().unwrap_or_default();
        let end = self.text.len().min(start + 400);
        (self.ends.len() + 1, String::from_utf8_lossy(&self.text[start..end]).into_owned())
    }

    fn open_bytes(&self) -> usize {
        self.text.len() - self.ends.last().copied().unwrap_or_default()
    }

    /// Refuses a field that is too long, and text that is not UTF-8.
    fn check(&self) -> Answer<()> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        if let Some(index) = starts.zip(&self.ends).position(|(start, end)| end - start > FIELD_BYTES_MAX) {
            return Err(Reason::new("field_too_long", format!("field {} is longer than {FIELD_BYTES_MAX} bytes", index + 1)));
        }
        std::str::from_utf8(&self.text).map(drop).map_err(|_| Reason::new("not_utf8", "the row is not UTF-8 text"))
    }
}

/// The text of a value that is no object and no list, by its name, which may have hyphens.
fn value_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    let is_it = |key: &str| {
        key.len() == name.len() && key.bytes().zip(name.bytes()).all(|(is, should)| is == should || (is, should) == (b'-', b'_'))
    };
    let value = object.get(name).or_else(|| object.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value))?;
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAS: Dialect = Dialect { delimiter: b',', quotes: true, old_line_ends: false };

    /// Each record as its line with its fields, or with the code of the reason.
    fn read(text: &str, dialect: Dialect) -> Vec<String> {
        let mut records = Records::new(text.as_bytes(), dialect);
        let mut all = Vec::new();
        while let Some((line, read)) = records.next().unwrap() {
            all.push(match read {
                Ok(fields) => format!("{line} {}", fields.iter().collect::<Vec<_>>().join("|")),
                Err(reason) => format!("{line} {}", reason.code()),
            });
        }
        all
    }

    #[test]
    fn fields_are_read_as_rfc_4180_writes_them() {
        assert_eq!(read("a,b\r\n\r\n\"x, \"\"y\"\"\",\"two\r\nlines\"\n,\n", COMMAS), ["1 a|b", "3 x, \"y\"|two\nlines", "5 |"]);
        assert_eq!(read("a,b\rc,d", Dialect { old_line_ends: true, ..COMMAS }), ["1 a|b", "2 c|d"]);
        assert_eq!(read("5\" pipe\t\"x\n", Dialect { delimiter: b'\t', quotes: false, old_line_ends: false }), ["1 5\" pipe|\"x"]);
    }

    #[test]
    fn an_unclosed_quote_costs_only_its_own_line() {
        assert_eq!(read("1,\"a\n2,b\n3,c\n", COMMAS), ["1 quote_unclosed", "2 2|b", "3 3|c"]);
        assert_eq!(read("1,\"a\n2,\"b\"\n3,c\n", COMMAS), ["1 quote_unclosed", "2 2|b", "3 3|c"]);
        let many = format!("1,\"a\n{}", "2,b\n".repeat(5_000));
        assert_eq!(read(&many, COMMAS).iter().filter(|record| record.ends_with("2|b")).count(), 5_000);
    }

    #[test]
    fn a_stray_quote_is_an_error_of_its_line() {
        assert_eq!(read("1,a\"b\n2,\"a\"b\n3,c\n", COMMAS), ["1 quote_stray", "2 quote_stray", "3 3|c"]);
    }

    #[test]
    fn what_is_too_long_is_an_error_of_its_line() {
        let long = "x".repeat(2 << 20);
        assert_eq!(read(&format!("1,{long}\n2,b\n"), COMMAS), ["1 line_too_long", "2 2|b"]);
        assert_eq!(read(&format!("1,{}\n2,b\n", &long[..200_000]), COMMAS), ["1 field_too_long", "2 2|b"]);
        assert_eq!(read(&format!("1,\"{}\n2,b\n", &long[..200_000]), COMMAS), ["1 quote_unclosed", "2 2|b"]);
    }

    #[test]
    fn text_that_is_not_utf8_is_an_error_of_its_line() {
        let mut records = Records::new(&b"1,\xe4\n2,b\n"[..], COMMAS);
        assert_eq!(records.next().unwrap().unwrap().1.unwrap_err().code(), "not_utf8");
        assert_eq!(records.next().unwrap().unwrap().1.unwrap().get(1), "b");
    }
}
