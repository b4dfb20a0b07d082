//! aisled: a live grocery server on one event log. Start with `ARCHITECTURE.md`.

pub mod actors;
pub mod app;
pub mod checkpoint;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod debug;
pub mod demo;
pub mod disk;
pub mod domain;
pub mod events;
pub mod exchange;
pub mod failpoint;
pub mod http;
pub mod import;
pub mod live;
pub mod log;
pub mod oidc;
pub mod past;
pub mod people;
pub mod projections;
pub mod serve;
mod sharded;
pub mod snapshots;
pub mod telemetry;
pub mod tls;
