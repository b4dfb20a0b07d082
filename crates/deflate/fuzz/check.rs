//! What must hold for any bytes that a client sends, in pieces of any size. The fuzz target and a property test both ask it.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use actix_web::error::PayloadError;
use aisled_deflate::Inbound;
use bytes::Bytes;
use futures_util::{Stream, stream};

/// The largest message.
pub const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// A frame's header is never longer.
const HEADER_BYTES_MAX: usize = 14;

/// Reads the bytes to their end.
///
/// # Panics
/// When the adapter does not end, or passes on more than a message of the allowed size for each byte that came in: a bomb went through.
pub fn any_bytes(input: &[u8], piece_bytes: usize, inflates: bool) {
    let pieces: Vec<_> = input.chunks(piece_bytes.max(1)).map(|piece| Ok::<_, PayloadError>(Bytes::copy_from_slice(piece))).collect();
    let mut inbound = Inbound::new(stream::iter(pieces), inflates, MESSAGE_BYTES_MAX);
    let mut context = Context::from_waker(Waker::noop());
    let (mut turns, mut passed, mut largest) = (0_usize, 0_usize, 0_usize);
    loop {
        turns += 1;
        assert!(turns <= 16 + 16 * (input.len() + 1), "it does not end");
        match Pin::new(&mut inbound).poll_next(&mut context) {
            Poll::Ready(Some(Ok(bytes))) => {
                passed += bytes.len();
                largest = largest.max(bytes.len());
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
            Poll::Ready(None) => break,
        }
    }
    assert!(largest <= input.len().max(MESSAGE_BYTES_MAX) + HEADER_BYTES_MAX, "one piece of {largest} bytes");
    assert!(passed <= (input.len() + 1) * (MESSAGE_BYTES_MAX + HEADER_BYTES_MAX), "{} bytes became {passed}", input.len());
}
