//! People, from outside: set-up, sign-in, households that keep strangers out, and what happens to open sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod devices;
mod entering;
mod family;
mod inviting;
mod secrets;
mod sockets;
mod upgrade;
