//! Where recorded time steps back: a small file beside the journals. A position noted in vain does no harm, so it is written before the
//! events themselves; one that is missing would hide events from a search by time, until the file is there again.

use std::{fs, io, path::Path};

use crate::{disk, events::Position};

const FILE: &str = "steps";

/// The positions of the first events after each step, in order; none if the file is absent or damaged.
#[must_use]
pub fn read(folder: &Path) -> Vec<Position> {
    match fs::read_to_string(folder.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text.ok().and_then(|text| parse(&text)).unwrap_or_else(|| {
            tracing::warn!(folder = %folder.display(), "the notes on steps of the clock cannot be read: searches by time may miss events");
            Vec::new()
        }),
    }
}

/// Replaces the file durably.
///
/// # Errors
/// When writing fails.
pub fn write(folder: &Path, steps: &[Position]) -> io::Result<()> {
    let numbers: Vec<_> = steps.iter().map(ToString::to_string).collect();
    let text = numbers.join(" ");
    disk::replace(&folder.join(FILE), format!("{text}\n{:08x}\n", crc32fast::hash(text.as_bytes())).as_bytes())
}

fn parse(text: &str) -> Option<Vec<Position>> {
    let mut lines = text.lines();
    let (numbers, sum) = (lines.next()?, lines.next()?);
    (sum == format!("{:08x}", crc32fast::hash(numbers.as_bytes()))).then_some(())?;
    numbers.split_whitespace().map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_back_and_a_damaged_file_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), []);
        write(dir.path(), &[Position(7), Position(12)]).unwrap();
        assert_eq!(read(dir.path()), [Position(7), Position(12)]);
        fs::write(dir.path().join(FILE), "7 13\n00000000\n").unwrap();
        assert_eq!(read(dir.path()), []);
    }
}
