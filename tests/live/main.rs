//! The live gateway from outside: a real server, real sockets. What a phone on a bad connection relies on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, reason = "a test may panic: that is how it fails")]

mod bad_input;
mod commands;
mod ending;
mod following;
mod resume;
mod shop;
#[path = "../support/mod.rs"]
mod support;
