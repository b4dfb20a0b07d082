//! A real ext4 in a file, mounted in a temporary folder of its own: what a power cut leaves of it is what the kernel had made durable.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::cutter::Cutter;

/// The file is sparse: only what is written takes room.
const BYTES: u64 = 512 << 20;

/// Unmounted and removed when it is dropped, also on the way out of a panic.
pub struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    /// A new, empty file system, or why there is none.
    pub fn new() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut disk = Self { folder, is_mounted: false };
        let made = File::create(disk.image()).and_then(|image| image.set_len(BYTES)).and_then(|()| fs::create_dir(disk.root()));
        made.map_err(|error| error.to_string())?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()))?;
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Everything written so far is durable when this returns, as on an older disk.
    pub fn sync(&self) {
        run(Command::new("sync").arg("-f").arg(self.root())).unwrap();
    }

    /// A helper that waits for the signal to cut the power.
    pub fn arm(&self) -> Cutter {
        Cutter::arm(&self.root()).unwrap()
    }

    /// The power is back: mounted again, which replays the file system's journal. No file may be open.
    pub fn remount(&mut self) {
        run(Command::new("umount").arg(self.root())).unwrap();
        self.is_mounted = false;
        self.mount().unwrap();
    }

    fn mount(&mut self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).args([self.image(), self.root()]))?;
        self.is_mounted = true;
        Ok(())
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, because a process that is just ending may hold a file for a moment; the loop device goes with the mount.
        if self.is_mounted
            && let Err(error) = run(Command::new("umount").arg("-l").arg(self.root()))
        {
            eprintln!("{error}");
        }
    }
}

/// Unpacks an archive into a folder.
pub fn unpack(archive: &Path, into: &Path) {
    run(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(into)).unwrap();
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
