//! Named places where a test kills the process: the stages between which a crash must leave either the old or the new state.
//! Only in builds with debug assertions; otherwise a place costs nothing.

/// The environment variable that names the place to die at.
pub const VARIABLE: &str = "AISLED_TEST_FAILPOINT";

/// Every place, in the order of the flow.
pub const PLACES: &[&str] = &[
    "upgrade.built",
    "upgrade.segments",
    "upgrade.journal",
    "seal.read",
    "seal.written",
    "seal.recycled",
    "snapshot.proved",
    "snapshot.reused",
    "snapshot.segment",
    "snapshot.segments",
    "snapshot.accounts",
    "snapshot.manifest",
    "snapshot.recorded",
    "snapshot.unlisted",
    "snapshot.deleted",
    "restore.begun",
    "restore.built",
    "restore.verified",
    "restore.paused",
    "restore.sealed",
    "restore.unstaged",
    "restore.switched",
    "restore.serving",
    "accounts.staged",
    "accounts.switched",
    "undo.paused",
    "undo.recorded",
    "undo.switched",
];

/// Ends the process as `kill -9` does, if the environment names this place.
#[cfg(debug_assertions)]
pub fn reach(place: &str) {
    debug_assert!(PLACES.contains(&place), "{place} is not in the table");
    if std::env::var_os(VARIABLE).is_some_and(|named| named == place) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub fn reach(_place: &str) {}
