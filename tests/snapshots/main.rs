//! Snapshots and restores of the real server: made under load, proved, switched, undone, killed at every stage, damaged in every file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "only what the feed is read with is needed here")]
#[path = "../live/stream.rs"]
mod stream;
#[allow(dead_code, reason = "only what the feed is read with is needed here")]
#[path = "../live/wire.rs"]
mod wire;

mod accounts;
mod admin;
mod damage;
mod flow;
mod formats;
mod held;
mod killed;
mod load;
mod no_room;
mod rebuild;
mod refusals;
mod schedule;
mod self_restore;
mod sessions;
mod terminal;
mod together;
