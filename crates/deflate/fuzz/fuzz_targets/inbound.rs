//! `cargo +nightly fuzz run inbound` in this folder's parent: any bytes, read as a client's frames.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../check.rs"]
mod check;

fuzz_target!(|input: (Vec<u8>, u16, bool)| {
    let (bytes, piece_bytes, inflates) = input;
    check::any_bytes(&bytes, usize::from(piece_bytes), inflates);
});
