//! Every change of a file or a folder, each with the syncs that make it survive a loss of power. Nothing else in the program creates,
//! writes, renames, links or removes files that must last (`tests/import_rules` enforces that), so the rule is in one place:
//! a new name is durable only when its folder is synced as well.
//!
//! In debug builds tests can watch each step or make it fail (`watch`); release builds call the system directly.

mod file;
mod folder;
mod replace;
pub mod space;
pub mod watch;

pub use file::DiskFile;
pub use folder::{
    create_folder, link_all, lock_file, private_file, remove_file, remove_files, remove_folder, rename, sync_folder, write_private,
};
pub use replace::{Pace, PartFile, copy_folder, put_in_place, replace, replace_cache, set_aside};
pub use space::{RESERVE_BYTES, free_bytes, is_out_of_space};
