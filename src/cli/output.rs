//! Where a command writes its lines: a new file, or standard output.

use std::{
    borrow::Cow,
    fs,
    io::{self, BufWriter, IsTerminal, Stdout, Write},
    path::Path,
};

use anyhow::Context;
use serde::Serialize;

use crate::exchange::files::Output;

/// Writes to a new file, or to standard output if no file is given. A partly written file is removed on failure. `None` if the reader
/// of standard output has closed it, as `head` does.
///
/// # Errors
/// When the file exists or cannot be created, or those of `write`.
pub(super) fn write_to<T>(path: Option<&Path>, write: impl FnOnce(&mut Target) -> anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    let mut target = Target::create(path)?;
    let written = write(&mut target).and_then(|written| target.finish().map(|()| written));
    match (written, path) {
        (Err(error), None) if is_closed_pipe(&error) => Ok(None),
        (Err(error), Some(path)) => {
            // The failure reported matters more than what is left of the file.
            let _ = fs::remove_file(path);
            Err(error)
        }
        (written, _) => written.map(Some),
    }
}

/// The destination of lines.
pub(super) enum Target {
    File(Box<Output>),
    Printed(BufWriter<Stdout>),
}

impl Target {
    fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Printed(BufWriter::new(io::stdout()))) };
        Ok(Self::File(Box::new(Output::create(path).with_context(|| format!("{} cannot be created", path.display()))?)))
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Printed(mut out) => Ok(out.flush()?),
            Self::File(output) => Ok(output.finish()?),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(output) => output.write(bytes),
            Self::Printed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(output) => output.flush(),
            Self::Printed(out) => out.flush(),
        }
    }
}

/// Prints a summary as one line of JSON.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn print_json(summary: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(summary)?);
    Ok(())
}

/// Prints the result of a dry run for programs; a terminal gets sentences instead, and the command line to run next comes last.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn print_plan(plan: &impl Serialize) -> anyhow::Result<()> {
    if io::stdout().is_terminal() { Ok(()) } else { print_json(plan) }
}

/// An argument, quoted for a shell where needed.
pub(super) fn quoted(argument: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.into()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''")).into()
    }
}

/// Whether the reader of our output has closed it.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_only_where_a_shell_would_take_it_apart() {
        for plain in ["data", "/srv/my-data_2/x.y", "http://127.0.0.1:8080", "demo:weekly"] {
            assert_eq!(quoted(plain), plain);
        }
        assert_eq!(quoted("my data"), "'my data'");
        assert_eq!(quoted("ann's $HOME"), r"'ann'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
