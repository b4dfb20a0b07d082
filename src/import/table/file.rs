//! One file of a source: read once as a whole before anything of it counts, so that a damaged or cut gzip is found, and its encoding known.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::import::ImportError;

/// Bytes read at a time.
const BUFFER_BYTES: usize = 1 << 16;

/// A file whose bytes are whole.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As it is named in reports.
    pub name: Arc<str>,
    path: PathBuf,
    /// Its size on the disk.
    pub bytes: u64,
    pub encoding: &'static Encoding,
    /// Lines end with a carriage return alone.
    pub old_line_ends: bool,
}

impl SourceFile {
    /// Reads all of a file.
    ///
    /// # Errors
    /// When it cannot be read to its end, as a damaged gzip.
    pub fn examine(path: &Path) -> Result<Self, ImportError> {
        let name: Arc<str> = path.file_name().unwrap_or_default().to_string_lossy().into();
        let failed = |error: io::Error| unreadable(&name, &error);
        let bytes = path.metadata().map_err(failed)?.len();
        let seen = Seen::of(unpacked(path, &AtomicU64::new(0).into()).map_err(failed)?).map_err(failed)?;
        Ok(Self { path: path.to_owned(), bytes, encoding: seen.encoding(), old_line_ends: seen.returns && !seen.feeds, name })
    }

    /// Its encoding had to be guessed, because it is not UTF-8 and does not say what it is.
    pub fn is_guessed(&self) -> bool {
        self.encoding == WINDOWS_1252
    }

    /// Its text in UTF-8, without a byte order mark. Bytes read from the disk are counted.
    ///
    /// # Errors
    /// When it cannot be opened any more.
    pub fn text(&self, bytes_read: &Arc<AtomicU64>) -> Result<impl BufRead + Send + use<>, ImportError> {
        let bytes = unpacked(&self.path, bytes_read).map_err(|error| unreadable(&self.name, &error))?;
        let mut decoder = DecodeReaderBytesBuilder::new();
        // What is marked as UTF-8, or as nothing, passes as it is: a row that is not UTF-8 is refused by itself.
        let encoding = (self.encoding != UTF_8).then_some(self.encoding);
        let decoded = decoder.encoding(encoding).bom_override(true).utf8_passthru(true).strip_bom(true).build(bytes);
        Ok(BufReader::with_capacity(BUFFER_BYTES, decoded))
    }
}

/// A file that cannot be read.
pub fn unreadable(file: &str, reason: &dyn std::fmt::Display) -> ImportError {
    ImportError::Unreadable { file: file.into(), reason: reason.to_string() }
}

fn unpacked(path: &Path, bytes_read: &Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
    let counted = Counted { inner: File::open(path)?, bytes_read: bytes_read.clone() };
    let is_packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if !is_packed {
        return Ok(Box::new(counted));
    }
    Ok(Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, counted))))
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

/// What the bytes of a file say about its encoding.
#[derive(Debug, Default)]
struct Seen {
    first: Vec<u8>,
    /// Letters of more than one byte in UTF-8, and bytes that cannot be UTF-8.
    long_letters: u64,
    wrong: u64,
    /// Whether there are carriage returns, and line feeds.
    returns: bool,
    feeds: bool,
}

impl Seen {
    fn of(mut bytes: impl Read) -> io::Result<Self> {
        let mut seen = Self::default();
        let (mut buffer, mut kept) = (vec![0; BUFFER_BYTES], 0);
        loop {
            let read = match bytes.read(&mut buffer[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let filled = kept + read;
            if seen.first.is_empty() {
                seen.first = buffer[..filled.min(1_024)].to_vec();
            }
            kept = seen.look(&buffer[..filled], read == 0);
            if read == 0 {
                return Ok(seen);
            }
            buffer.copy_within(filled - kept..filled, 0);
        }
    }

    /// Looks at bytes; returns how many at their end may be the beginning of a letter.
    fn look(&mut self, bytes: &[u8], is_end: bool) -> usize {
        self.returns |= bytes.contains(&b'\r');
        self.feeds |= bytes.contains(&b'\n');
        if bytes.is_ascii() {
            return 0;
        }
        let mut left = bytes.len();
        for chunk in bytes.utf8_chunks() {
            left -= chunk.valid().len() + chunk.invalid().len();
            self.long_letters += chunk.valid().bytes().filter(|byte| *byte >= 0xC0).count() as u64;
            if left == 0 && !is_end && is_begun(chunk.invalid()) {
                return chunk.invalid().len();
            }
            self.wrong += u64::from(!chunk.invalid().is_empty());
        }
        0
    }

    fn encoding(&self) -> &'static Encoding {
        if let Some((marked, _)) = Encoding::for_bom(&self.first) {
            return marked;
        }
        // Text in UTF-16 has a zero next to every common letter.
        let zeros = |odd: usize| self.first.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count() * 5 > self.first.len();
        match (zeros(0), zeros(1)) {
            (false, true) => UTF_16LE,
            (true, false) => UTF_16BE,
            // A few wrong bytes among many good letters are damaged UTF-8.
            _ if self.wrong > self.long_letters => WINDOWS_1252,
            _ => UTF_8,
        }
    }
}

/// Whether bytes are the beginning of a letter in UTF-8, cut off.
fn is_begun(bytes: &[u8]) -> bool {
    let Err(error) = std::str::from_utf8(bytes) else { return false };
    error.valid_up_to() == 0 && error.error_len().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(bytes: &[u8]) -> &'static str {
        Seen::of(bytes).unwrap().encoding().name()
    }

    #[test]
    fn an_encoding_is_found_by_mark_zeros_or_letters() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        assert_eq!(encoding("name\nKäse\n".as_bytes()), "UTF-8");
        assert_eq!(encoding(b"\xef\xbb\xbfname\n"), "UTF-8");
        assert_eq!(encoding(&utf16("\u{feff}name\nKäse\n")), "UTF-16LE");
        assert_eq!(encoding(&utf16("name\nKäse\n")), "UTF-16LE");
        assert_eq!(encoding(b"name\nK\xe4se\n"), "windows-1252");
        assert_eq!(encoding("Käse Öl Nüsse\n".bytes().chain([0xe4]).collect::<Vec<_>>().as_slice()), "UTF-8");
        assert_eq!(encoding("ä".repeat(200_000).as_bytes()), "UTF-8", "letters are not cut in two");
        assert_eq!(encoding(b""), "UTF-8");
    }
}
