//! Small files of one token, with a checksum after it: a flipped bit would make another valid-looking token of it.

use std::{fs, io, path::Path};

use crate::disk;

/// Replaces the file durably.
///
/// # Errors
/// When writing fails.
pub fn write(file: &Path, word: &str) -> io::Result<()> {
    disk::replace(file, format!("{word} {:08x}\n", crc32fast::hash(word.as_bytes())).as_bytes())
}

/// The token; a file without a checksum is from an older version, or was written by hand.
///
/// # Errors
/// `InvalidData` if the checksum does not match.
pub fn read(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let mut words = text.split_whitespace();
    let (word, checksum) = (words.next().unwrap_or_default(), words.next());
    let fits = checksum.is_none_or(|sum| sum == format!("{:08x}", crc32fast::hash(word.as_bytes()))) && words.next().is_none();
    if fits { Ok(word.to_owned()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_comes_back_and_a_changed_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("epoch");
        write(&file, "milk").unwrap();
        assert_eq!(read(&file).unwrap(), "milk");
        let text = fs::read(&file).unwrap();
        for at in 0..text.len() - 1 {
            let mut changed = text.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            assert!(read(&file).is_err() || text[at] == b' ', "byte {at}");
        }
        fs::write(&file, "bread\n").unwrap();
        assert_eq!(read(&file).unwrap(), "bread", "written by hand");
    }
}
