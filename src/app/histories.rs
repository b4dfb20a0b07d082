//! Several histories in one data folder, one of them served. A file names it and changes atomically, so that a crash at any
//! instant leaves either the old or the new one.
//!
//! ```text
//! data/current                  names the folder of the history that is served; absent before the first restore: the data folder itself
//! data/histories/<epoch>/       a history that came from a restore: log/, epoch, checkpoints/, …
//! data/histories/<epoch>/left   which history it replaced, for going back
//! data/histories/<epoch>/staged it is not complete: removed at the next start
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{DataFolder, sealed};
use crate::{disk, failpoint};

const CURRENT: &str = "current";
const HISTORIES: &str = "histories";
const STAGED: &str = "staged";
const LEFT: &str = "left";
/// The name of the data folder itself as a history's folder.
const HOME: &str = ".";

/// The folder of the served history.
///
/// # Errors
/// When the file names no history.
pub fn current(home: &Path) -> io::Result<PathBuf> {
    let file = home.join(CURRENT);
    match sealed::read(&file) {
        Ok(name) => existing(home, &name),
        Err(error) if error.kind() == io::ErrorKind::NotFound && folders(home)?.is_empty() => Ok(home.to_owned()),
        // Guessing could serve a replaced history.
        Err(error) => Err(error),
    }
    .map_err(|error| naming(&file, io::Error::new(error.kind(), format!("{error}. {}", names(home)))))
}

/// Possible contents of the file that names the served history.
fn names(home: &Path) -> String {
    let is_whole = |root: &&PathBuf| !root.join(STAGED).exists() && root.join("log").is_dir();
    let mut names: Vec<String> = folders(home).unwrap_or_default().iter().filter(is_whole).map(|root| name_in(root)).collect();
    if home.join("log").is_dir() {
        names.push(format!("{HOME} (a dot, for the data folder itself)"));
    }
    format!("Write the id of the history to serve into it, one of: {}", names.join(", "))
}

fn name_in(root: &Path) -> String {
    root.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A folder for a history to be built.
///
/// # Errors
/// When it cannot be created.
pub fn stage(home: &Path) -> io::Result<DataFolder> {
    if !home.join(CURRENT).exists() {
        sealed::write(&home.join(CURRENT), HOME)?;
    }
    let root = home.join(HISTORIES).join(uuid::Uuid::now_v7().to_string());
    disk::create_folder(&root)?;
    disk::replace(&root.join(STAGED), b"")?;
    DataFolder::at(home, root)
}

/// Gives up a history that was being built.
pub fn abandon(staged: &DataFolder) {
    if staged.root() != staged.home()
        && let Err(error) = disk::remove_folder(staged.root())
    {
        tracing::warn!(%error, folder = %staged.root().display(), "a half-built history could not be removed; the next start removes it");
    }
}

/// Switches to a built history: every later opening of the data folder finds it. Durable when this returns.
///
/// # Errors
/// When a file cannot be written; the other one is then still served, also by the next start.
pub fn switch(to: &DataFolder, from: &DataFolder) -> io::Result<()> {
    sealed::write(&to.root().join(LEFT), &name_of(from)?)?;
    disk::remove_file(&to.root().join(STAGED))?;
    failpoint::reach("restore.unstaged");
    name_served(to, from)
}

/// Makes the next start serve a history. If that fails, the file names the one before again, which then continues.
fn name_served(to: &DataFolder, from: &DataFolder) -> io::Result<()> {
    let (file, to, from) = (to.home().join(CURRENT), name_of(to)?, name_of(from)?);
    let Err(error) = sealed::write(&file, &to) else { return Ok(()) };
    if sealed::write(&file, &from).is_err() && sealed::read(&file).is_ok_and(|name| name == to) {
        // What the next start serves must be served from now on: later commands to the other history would be missing there.
        tracing::error!(%error, "the switch to another history may not survive a loss of power");
        return Ok(());
    }
    Err(error)
}

/// Serves again the history that this one replaced.
///
/// # Errors
/// When the file cannot be written; this one is then still served.
pub fn switch_back(to: &DataFolder, from: &DataFolder) -> io::Result<()> {
    name_served(to, from)?;
    failpoint::reach("undo.switched");
    Ok(())
}

/// The history that this one replaced; none if it did not come from a restore.
///
/// # Errors
/// When it cannot be read; `NotFound` if that history is gone.
pub fn left_by(history: &DataFolder) -> io::Result<Option<DataFolder>> {
    let file = history.root().join(LEFT);
    let name = match sealed::read(&file) {
        Ok(name) => name,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(naming(&file, error)),
    };
    let root = existing(history.home(), &name).map_err(|error| naming(&file, error))?;
    DataFolder::at(history.home(), root).map(Some)
}

/// Adds the file's name to an error.
fn naming(file: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

/// Removes every history but the served one and the one that it replaced. Returns how many were removed.
///
/// # Errors
/// When one cannot be removed; the served one is never touched.
pub fn forget_others(served: &DataFolder) -> io::Result<usize> {
    let left = left_by(served)?.map(|left| left.root().to_owned());
    let keeps = |root: &Path| root == served.root() || Some(root) == left.as_deref();
    let mut removed = 0;
    for root in folders(served.home())?.into_iter().filter(|root| !keeps(root)) {
        disk::remove_folder(&root)?;
        removed += 1;
    }
    if !keeps(served.home()) && served.home().join("log").exists() {
        for part in ["log", "checkpoints"] {
            disk::remove_folder(&served.home().join(part))?;
        }
        disk::remove_file(&served.home().join("epoch"))?;
        removed += 1;
    }
    Ok(removed)
}

/// Removes what a crash left half built, and nothing that is served. Only for the process that has the log open: another
/// process may be building right now.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_staged(home: &Path, served: &Path) -> io::Result<()> {
    for root in folders(home)?.into_iter().filter(|root| root != served && root.join(STAGED).exists()) {
        tracing::warn!(folder = %root.display(), "removing a history of an unfinished restore");
        disk::remove_folder(&root)?;
    }
    Ok(())
}

fn folders(home: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(home.join(HISTORIES)) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.path())).filter(|path| path.as_ref().map_or(true, |path| path.is_dir())).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The folder of a name. Only names that were made here are valid.
fn existing(home: &Path, name: &str) -> io::Result<PathBuf> {
    let root = match name {
        HOME => home.to_owned(),
        other if uuid::Uuid::parse_str(other).is_ok() => home.join(HISTORIES).join(other),
        other => return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{other:?} is not the name of a history"))),
    };
    if root.join("log").is_dir() {
        return Ok(root);
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("the history in {} no longer exists", root.display())))
}

fn name_of(history: &DataFolder) -> io::Result<String> {
    if history.root() == history.home() {
        return Ok(HOME.to_owned());
    }
    let name = history.root().file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| io::Error::other("the folder of a history has no name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(home: &Path) -> DataFolder {
        let staged = stage(home).unwrap();
        fs::create_dir(staged.log()).unwrap();
        staged
    }

    #[test]
    fn a_switch_serves_another_history_and_can_go_back() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::open(dir.path()).unwrap();
        fs::create_dir(first.log()).unwrap();
        let second = built(dir.path());
        switch(&second, &first).unwrap();
        let served = DataFolder::open(dir.path()).unwrap();
        assert_eq!((served.root(), served.epoch()), (second.root(), second.epoch()));
        assert_eq!(left_by(&served).unwrap().unwrap().epoch(), first.epoch());
        switch_back(&first, &second).unwrap();
        assert_eq!(DataFolder::open(dir.path()).unwrap().epoch(), first.epoch());
    }

    #[test]
    fn a_history_that_was_not_finished_is_gone_after_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::open(dir.path()).unwrap();
        fs::create_dir(first.log()).unwrap();
        let staged = built(dir.path());
        assert_eq!(DataFolder::open(dir.path()).unwrap().root(), first.root());
        assert!(staged.root().exists(), "a reader may not know that it is being built");
        remove_staged(dir.path(), first.root()).unwrap();
        assert!(!staged.root().exists());
    }

    #[test]
    fn only_the_served_history_and_the_one_before_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::open(dir.path()).unwrap();
        fs::create_dir(first.log()).unwrap();
        let (second, third) = (built(dir.path()), built(dir.path()));
        switch(&second, &first).unwrap();
        assert_eq!(forget_others(&second).unwrap(), 1, "the third was never served");
        let third = {
            drop(third);
            built(dir.path())
        };
        switch(&third, &second).unwrap();
        assert_eq!(forget_others(&third).unwrap(), 1, "the first is too old");
        assert!(!dir.path().join("log").exists() && second.root().exists() && third.root().exists());
        assert_eq!(left_by(&second).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["../elsewhere", "", "histories", "0197a0a0-7b57-7e6c-9f5d-2f3e0c1f6a11"] {
            fs::write(dir.path().join(CURRENT), name).unwrap();
            let refused = DataFolder::open(dir.path()).unwrap_err().to_string();
            assert!(refused.contains("current: "), "{name:?}: {refused}");
        }
    }

    #[test]
    fn a_lost_name_of_the_served_history_is_not_guessed() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolder::open(dir.path()).unwrap();
        fs::create_dir(first.log()).unwrap();
        switch(&built(dir.path()), &first).unwrap();
        fs::remove_file(dir.path().join(CURRENT)).unwrap();
        assert!(DataFolder::open(dir.path()).unwrap_err().to_string().contains("current: "));
    }
}
