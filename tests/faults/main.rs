//! What breaks under a server: torn and damaged files, calls that fail or never return, a full disk, a folder it may not write or that is taken.
//! Each is a clear error, and nothing acknowledged is lost silently.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "no power is cut here")]
#[path = "../powercut/cutter.rs"]
mod cutter;
mod damage;
#[allow(dead_code, reason = "no power is cut here")]
#[path = "../powercut/disk.rs"]
mod disk;
mod files;
mod folders;
mod full_disk;
mod hanging;
mod injected;
mod items;
mod rotten;
mod session;
