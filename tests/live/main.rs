//! The live gateway from outside: a real server, real sockets. What a phone on a bad connection relies on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, reason = "a test may panic: that is how it fails")]

mod bad_input;
mod churn;
mod commands;
mod compression;
mod conflation;
mod deals;
mod delivery;
mod encodings;
mod feed;
mod follower;
mod following;
mod half_open;
mod households;
mod limits;
mod policy;
mod presence;
mod pressure;
mod prices;
mod refused;
mod resume;
mod rewritten;
mod rights;
mod shop;
mod stalled;
mod starting_points;
mod stopping;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod wire;

use std::{env, str::FromStr};

/// A number from the environment, for runs longer than usual.
fn setting<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
