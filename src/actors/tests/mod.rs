//! Actors against the memory log, and against a log that fails on demand.

mod commands;
mod faults;
mod prices;
mod rest;
mod rig;
mod room;
