//! Text files: compressed by their extension, `.zst` or `.gz`, when written; detected by their first bytes when read.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

const ZSTD_LEVEL: i32 = 3;

/// A new file to write; it is whole only after [`Output::finish`].
pub enum Output {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Output {
    /// Creates a file that does not exist yet.
    ///
    /// # Errors
    /// When it exists or cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create_new(path)?);
        match ending(path) {
            "zst" => Ok(Self::Zstd(zstd::Encoder::new(file, ZSTD_LEVEL)?)),
            "gz" => Ok(Self::Gzip(GzEncoder::new(file, Compression::default()))),
            _ => Ok(Self::Plain(file)),
        }
    }

    /// Ends the file and makes it durable.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Gzip(encoder) => encoder.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens a file to read, unpacked.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::new(File::open(path)?);
    let start = file.fill_buf()?;
    if start.starts_with(&ZSTD_MAGIC) {
        return Ok(Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)));
    }
    if start.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::new(MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_file_comes_back_and_a_cut_one_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.ndjson", "a.zst", "a.gz"] {
            let path = dir.path().join(name);
            let text: String = (0..5_000).map(|n| format!("{n} milk\n")).collect();
            let mut output = Output::create(&path).unwrap();
            output.write_all(text.as_bytes()).unwrap();
            output.finish().unwrap();
            let mut read = String::new();
            open(&path).unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
            assert!(Output::create(&path).is_err(), "nothing is overwritten");
            let len = std::fs::metadata(&path).unwrap().len();
            File::options().write(true).open(&path).unwrap().set_len(len / 2).unwrap();
            let cut = open(&path).unwrap().read_to_string(&mut String::new());
            assert_eq!(cut.is_err(), name != "a.ndjson", "{name}");
        }
    }
}
