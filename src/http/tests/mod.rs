//! The whole service without a socket: bad input, and the results of good input.

mod bad_input;
mod clocks;
mod codes;
mod entering;
mod history;
mod matrix;
mod past;
mod reads;
pub mod rig;
mod site;
mod undo;
mod writes;
