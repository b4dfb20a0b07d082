//! Who may do what, asked of every route and every command as every kind of person about the own and a foreign household. What is
//! expected is computed from the permission table; a new route or command without a sample fails.

mod commands;
mod input;
mod leaks;
mod page;
mod people;
mod refusals;
mod routes;
pub(super) mod samples;
mod things;
mod topics;
mod verdicts;
mod world;
