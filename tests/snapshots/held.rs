//! Work that blocks until the test releases it: a named pipe replaces a file it reads.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::OFlags;

use crate::support::wait_for;

/// A file that cannot be read to its end yet. It must be smaller than a pipe's buffer.
pub struct HeldFile {
    file: PathBuf,
    bytes: Vec<u8>,
}

/// A file that is about to be read.
pub struct Reached {
    held: HeldFile,
    pipe: File,
}

impl HeldFile {
    /// Puts a pipe in the file's place.
    pub fn hold(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        make_pipe(file);
        Self { file: file.to_owned(), bytes }
    }

    /// Waits until a reader opens it, which then blocks.
    pub fn reached(self) -> Reached {
        let open = || OpenOptions::new().write(true).custom_flags(nonblocking()).open(&self.file).ok();
        let pipe = wait_for("a reader of the held file", open);
        Reached { held: self, pipe }
    }
}

impl Reached {
    /// Gives this reader and all later ones the file.
    pub fn let_go(mut self) {
        let fresh = self.held.file.with_extension("fresh");
        fs::write(&fresh, &self.held.bytes).unwrap();
        fs::rename(&fresh, &self.held.file).unwrap();
        self.pipe.write_all(&self.held.bytes).unwrap();
    }
}

fn make_pipe(file: &Path) {
    assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
}

fn nonblocking() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).unwrap()
}
