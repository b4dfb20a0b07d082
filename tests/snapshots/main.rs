//! Snapshots and restores of the real server: made under load, proved, switched, undone, killed at every stage, damaged in every file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod flow;
mod killed;
