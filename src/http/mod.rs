//! The edge: routes in one file, wire types, one error mapping, and the way from a request to a command and back.

#![allow(elided_lifetimes_in_paths, reason = "the descriptions of routes name types as clients know them, without lifetimes")]

pub mod access;
pub mod admin;
pub mod baskets;
pub mod body;
pub mod bulk;
pub mod caller;
pub mod commands;
mod current;
pub mod deals;
pub mod diff;
pub mod docs;
pub mod edge;
pub mod error;
pub mod events;
pub mod health;
pub mod households;
pub mod items;
pub mod lines;
pub mod lists;
pub mod live;
pub mod mistakes;
pub mod orders;
pub mod past;
pub mod prices;
pub mod products;
pub mod protocol;
pub mod query;
pub mod reads;
pub mod restore;
pub mod routes;
pub mod service;
pub mod stores;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod totals;
pub mod travel;
pub mod undo;
pub mod unrouted;
