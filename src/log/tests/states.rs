//! What a power loss may leave of a disk: everything safe, and of later changes whatever the system happened to write.
//!
//! Each sector that was written may be old or new; sizes change in order. Names may be kept up to any point in the order of all changes (as ext4
//! keeps them), or of those of each folder, or each by itself: the engine must survive all three.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::Arc,
};

use tempfile::TempDir;

use super::model::{Disk, Node, Put, Renaming, SECTOR, safe_names, write};

/// Numbers that follow from a seed (splitmix64), so that a state can be made again.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides.max(1) as u64).unwrap_or(0)
    }
}

/// What is kept of the names that were changed since the last sync of their folders, or of what was written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    All,
    /// The first changes, in order.
    First,
    /// Names: the first of each folder. Bytes: each sector by itself.
    Parts,
    /// Each by itself.
    Any,
}

pub const KEEPS: [Keep; 5] = [Keep::Nothing, Keep::All, Keep::First, Keep::Parts, Keep::Any];

/// What is in a folder: every file by its path, and every folder as `None`.
pub type Tree = BTreeMap<String, Option<Arc<Vec<u8>>>>;

impl Disk {
    /// A state that a loss of power may leave now.
    pub fn after_power_loss(&self, names: Keep, bytes: Keep, dice: &mut Dice) -> Tree {
        let mut disk = self.clone();
        for renaming in self.kept(names, dice) {
            disk.apply(&renaming, safe_names);
        }
        let (mut tree, mut contents) = (Tree::new(), HashMap::new());
        disk.walk(0, "", &mut |path, node| {
            let content = match node {
                (_, Node::Folder { .. }) => None,
                (id, Node::File { safe, since }) => Some(contents.entry(id).or_insert_with(|| content(safe, since, bytes, dice)).clone()),
            };
            tree.insert(path, content);
        });
        tree
    }

    fn kept(&self, keep: Keep, dice: &mut Dice) -> Vec<Renaming> {
        let first = dice.roll(self.since.len() + 1);
        let mut ends: HashMap<usize, usize> = HashMap::new();
        let mut is_kept = |number: usize, renaming: &Renaming| match keep {
            Keep::Nothing => false,
            Keep::All => true,
            Keep::First => number < first,
            Keep::Any => dice.roll(2) == 0,
            Keep::Parts => {
                let folders: Vec<usize> = renaming.gone.iter().chain(&renaming.new).map(|(folder, ..)| *folder).collect();
                let kept = folders.iter().all(|folder| *ends.entry(*folder).or_insert_with(|| dice.roll(self.since.len() + 1)) > number);
                // What is lost in one folder ends the other as well: a renaming is one.
                ends.extend(folders.iter().filter(|_| !kept).map(|folder| (*folder, 0)));
                kept
            }
        };
        self.since.iter().enumerate().filter(|(number, renaming)| is_kept(*number, renaming)).map(|(_, one)| one.clone()).collect()
    }

    fn walk<'a>(&'a self, folder: usize, path: &str, see: &mut dyn FnMut(String, (usize, &'a Node))) {
        let Node::Folder { safe, .. } = &self.nodes[folder] else { return };
        for (name, node) in safe {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            see(path.clone(), (*node, &self.nodes[*node]));
            self.walk(*node, &path, see);
        }
    }
}

fn content(safe: &Arc<Vec<u8>>, since: &[Put], keep: Keep, dice: &mut Dice) -> Arc<Vec<u8>> {
    let mut content = Arc::clone(safe);
    let first = match keep {
        Keep::Nothing => 0,
        Keep::First => dice.roll(since.len() + 1),
        Keep::All | Keep::Parts | Keep::Any => since.len(),
    };
    // One sector of many that is missing is as likely a fault as half of them.
    let lost_of = [2, 2, 8, 32][dice.roll(4)];
    // A sector is written as it was at some moment, so it has the first of its changes.
    let mut ends: HashMap<usize, usize> = HashMap::new();
    for (number, put) in since[..first].iter().enumerate() {
        let mut end_of = || if dice.roll(lost_of) == 0 { dice.roll(since.len()) } else { since.len() };
        write(Arc::make_mut(&mut content), put, |at| {
            !matches!(keep, Keep::Parts | Keep::Any) || number < *ends.entry(at / SECTOR).or_insert_with(&mut end_of)
        });
    }
    content
}

/// Makes a state in an empty folder.
pub fn materialise(tree: &Tree, root: &Path) {
    for (path, content) in tree {
        match content {
            None => fs::create_dir(root.join(path)).unwrap(),
            Some(bytes) => fs::write(root.join(path), &**bytes).unwrap(),
        }
    }
}

/// A copy of a folder, made without the syncs, which are not needed here.
pub fn quick_copy(from: &Path) -> TempDir {
    let to = quick_folder();
    copy_into(from, to.path());
    to
}

/// The same into an existing folder.
pub fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, there) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir(&there).unwrap();
            copy_into(&path, &there);
        } else {
            fs::copy(&path, &there).unwrap();
        }
    }
}

/// A folder in memory if possible: opening a state takes a fraction of the time of real syncs.
pub fn quick_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}
