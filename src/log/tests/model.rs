//! A disk that forgets what was not synced: recorded steps change it, `states` derives what a power loss may leave of it.
//!
//! A file's bytes are safe from its own sync on, a name from the sync of its folder on.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path},
    sync::Arc,
};

use super::recorder::Change;

pub const SECTOR: usize = 512;
pub type Names = BTreeMap<String, usize>;

#[derive(Debug, Clone)]
pub enum Node {
    File { safe: Arc<Vec<u8>>, since: Vec<Put> },
    Folder { safe: Names, now: Names },
}

/// A change of a file's bytes, or of its size alone.
#[derive(Debug, Clone)]
pub struct Put {
    pub at: usize,
    pub bytes: Arc<Vec<u8>>,
    pub size_min: usize,
}

/// Names that go and come together.
#[derive(Debug, Clone)]
pub struct Renaming {
    pub gone: Vec<(usize, String, usize)>,
    pub new: Vec<(usize, String, usize)>,
}

impl Renaming {
    fn touches(&self, folder: usize) -> bool {
        self.gone.iter().chain(&self.new).any(|(at, ..)| *at == folder)
    }

    fn names(&self, other: &Self) -> bool {
        let all = |one: &Self| one.gone.iter().chain(&one.new).map(|(folder, name, _)| (*folder, name.clone())).collect::<Vec<_>>();
        all(self).iter().any(|name| all(other).contains(name))
    }
}

/// The disk.
#[derive(Debug, Clone)]
pub struct Disk {
    pub nodes: Vec<Node>,
    pub since: Vec<Renaming>,
}

impl Disk {
    /// A disk on which everything is safe that is in a folder now, but sled's files.
    pub fn with(root: &Path) -> Self {
        let mut disk = Self { nodes: vec![Node::Folder { safe: Names::new(), now: Names::new() }], since: Vec::new() };
        disk.load(root, 0);
        disk
    }

    fn load(&mut self, path: &Path, folder: usize) {
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if name == "window" {
                continue;
            }
            let is_folder = entry.path().is_dir();
            let node = if is_folder { self.folder() } else { self.file(fs::read(entry.path()).unwrap()) };
            if is_folder {
                self.load(&entry.path(), node);
            }
            let Node::Folder { safe, now } = &mut self.nodes[folder] else { continue };
            safe.insert(name.clone(), node);
            now.insert(name, node);
        }
    }

    fn folder(&mut self) -> usize {
        self.nodes.push(Node::Folder { safe: Names::new(), now: Names::new() });
        self.nodes.len() - 1
    }

    fn file(&mut self, safe: Vec<u8>) -> usize {
        self.nodes.push(Node::File { safe: Arc::new(safe), since: Vec::new() });
        self.nodes.len() - 1
    }

    fn now(&self, folder: usize) -> &Names {
        let Node::Folder { now, .. } = &self.nodes[folder] else { panic!("{folder} is a file") };
        now
    }

    fn find(&self, path: &Path) -> Option<usize> {
        let names = path.components().filter(|part| matches!(part, Component::Normal(_)));
        names.into_iter().try_fold(0, |folder, name| self.now(folder).get(name.as_os_str().to_str()?).copied())
    }

    /// The folder that a path is in, and its name there.
    fn place(&self, path: &Path) -> Option<(usize, String)> {
        Some((self.find(path.parent()?)?, path.file_name()?.to_str()?.to_owned()))
    }

    /// Does a step. One that is impossible, because something exists or is missing, changes nothing.
    pub fn take(&mut self, change: &Change) {
        // A name that was not made through `disk` (the lock) does not matter.
        let _ = self.try_take(change);
    }

    fn try_take(&mut self, change: &Change) -> Option<()> {
        match change {
            Change::Create(path) => self.make(path, |disk| disk.file(Vec::new()))?,
            Change::CreateFolder(path) => self.make(path, Self::folder)?,
            Change::Allocate { file, bytes } => self.put(file, Put { at: 0, bytes: Arc::default(), size_min: *bytes }),
            Change::Write { file, at, bytes } => self.put(file, Put { at: *at, bytes: Arc::clone(bytes), size_min: at + bytes.len() }),
            Change::Sync(path) => self.sync(path),
            Change::SyncFolder(path) => self.sync_folder(self.find(path)?),
            Change::Rename { from, to } => {
                let (node, (old, new)) = (self.find(from)?, (self.place(from)?, self.place(to)?));
                self.rename(vec![(old.0, old.1, node)], vec![(new.0, new.1, node)]);
            }
            Change::Link { from, to } if self.find(to).is_none() => {
                let (node, new) = (self.find(from)?, self.place(to)?);
                self.rename(Vec::new(), vec![(new.0, new.1, node)]);
            }
            Change::Link { .. } => {}
            Change::Remove(path) => {
                let (node, old) = (self.find(path)?, self.place(path)?);
                self.rename(vec![(old.0, old.1, node)], Vec::new());
            }
            Change::RemoveFolder(path) => self.remove_folder(path)?,
        }
        Some(())
    }

    fn make(&mut self, path: &Path, node: impl FnOnce(&mut Self) -> usize) -> Option<()> {
        let place = self.place(path)?;
        if self.find(path).is_none() {
            let node = node(self);
            self.rename(Vec::new(), vec![(place.0, place.1, node)]);
        }
        Some(())
    }

    /// The bytes of a file that the engine has open, so that it must be here.
    fn open(&mut self, path: &Path) -> (&mut Arc<Vec<u8>>, &mut Vec<Put>) {
        let node = self.find(path).unwrap_or_else(|| panic!("{} was never made", path.display()));
        let Node::File { safe, since } = &mut self.nodes[node] else { panic!("{} is a folder", path.display()) };
        (safe, since)
    }

    fn put(&mut self, file: &Path, put: Put) {
        self.open(file).1.push(put);
    }

    fn rename(&mut self, gone: Vec<(usize, String, usize)>, new: Vec<(usize, String, usize)>) {
        let renaming = Renaming { gone, new };
        self.apply(&renaming, |node| if let Node::Folder { now, .. } = node { Some(now) } else { None });
        self.since.push(renaming);
    }

    pub fn apply(&mut self, renaming: &Renaming, names: impl Fn(&mut Node) -> Option<&mut Names>) {
        for (folder, name, node) in &renaming.gone {
            let Some(names) = names(&mut self.nodes[*folder]) else { continue };
            if names.get(name) == Some(node) {
                names.remove(name);
            }
        }
        for (folder, name, node) in &renaming.new {
            let Some(names) = names(&mut self.nodes[*folder]) else { continue };
            names.insert(name.clone(), *node);
        }
    }

    /// Removes what is in it one by one, as the system does.
    fn remove_folder(&mut self, path: &Path) -> Option<()> {
        let folder = self.find(path)?;
        for (name, node) in self.now(folder).clone() {
            match &self.nodes[node] {
                Node::Folder { .. } => self.remove_folder(&path.join(name))?,
                Node::File { .. } => self.rename(vec![(folder, name, node)], Vec::new()),
            }
        }
        let (parent, name) = self.place(path)?;
        self.rename(vec![(parent, name, folder)], Vec::new());
        Some(())
    }

    fn sync(&mut self, file: &Path) {
        let (safe, since) = self.open(file);
        since.drain(..).for_each(|put| write(Arc::make_mut(safe), &put, |_| true));
    }

    fn sync_folder(&mut self, folder: usize) {
        let (safe, mut left): (Vec<_>, Vec<_>) = std::mem::take(&mut self.since).into_iter().partition(|one| one.touches(folder));
        // A name that is safe now is not changed by what came before it in another folder.
        left.retain(|old| !safe.iter().any(|new| new.names(old)));
        self.since = left;
        safe.iter().for_each(|renaming| self.apply(renaming, safe_names));
    }
}

pub fn safe_names(node: &mut Node) -> Option<&mut Names> {
    if let Node::Folder { safe, .. } = node { Some(safe) } else { None }
}

/// Writes those sectors of a change that are kept.
pub fn write(content: &mut Vec<u8>, put: &Put, mut is_kept: impl FnMut(usize) -> bool) {
    if content.len() < put.size_min {
        content.resize(put.size_min, 0);
    }
    let (mut at, end) = (put.at, put.at + put.bytes.len());
    while at < end {
        let next = (at / SECTOR + 1) * SECTOR;
        let piece = at..next.min(end);
        if is_kept(at) {
            content[piece.clone()].copy_from_slice(&put.bytes[piece.start - put.at..piece.end - put.at]);
        }
        at = piece.end;
    }
}
