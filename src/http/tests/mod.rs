//! The whole service without a socket: bad input, and what good input comes to.

mod bad_input;
mod past;
mod reads;
mod rig;
mod undo;
mod writes;
