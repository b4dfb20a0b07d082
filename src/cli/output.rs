//! Where a command writes its lines: a new file, or standard output.

use std::{
    fs,
    io::{self, BufWriter, Stdout, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Serialize;

use super::{CliError, Ended};
use crate::exchange::files::Output;

/// The destination of lines.
pub(super) enum Target {
    File { path: PathBuf, output: Output },
    Printed(BufWriter<Stdout>),
}

impl Target {
    /// A new file, or standard output if none is named.
    ///
    /// # Errors
    /// When the file is there already or cannot be made.
    pub fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Printed(BufWriter::new(io::stdout()))) };
        let output = Output::create(path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self::File { path: path.to_owned(), output })
    }

    /// Ends what was written; whether it was a file.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(self) -> anyhow::Result<bool> {
        match self {
            Self::Printed(mut out) => out.flush().map(|()| false).map_err(anyhow::Error::from),
            Self::File { path, output } => {
                output.finish().with_context(|| format!("{} cannot be written", path.display()))?;
                Ok(true)
            }
        }
    }

    /// Takes away a half-written file. Whoever reads standard output may have seen enough, such as `head`: that is no failure.
    ///
    /// # Errors
    /// The failure itself.
    pub fn give_up(self, error: anyhow::Error) -> Result<Ended, CliError> {
        match self {
            Self::Printed(_) if is_closed_pipe(&error) => Ok(Ended::Well),
            Self::Printed(_) => Err(error.into()),
            Self::File { path, .. } => {
                // The failure that is told matters more than what is left of the file.
                let _ = fs::remove_file(path);
                Err(error.into())
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { output, .. } => output.write(bytes),
            Self::Printed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { output, .. } => output.flush(),
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

/// Whether whoever reads our output has closed it.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
