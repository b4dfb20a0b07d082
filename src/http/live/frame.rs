//! WebSocket frames prepared by hand, so that one encoding serves every receiver (RFC 6455, section 5.2; a server masks nothing).

use bytes::Bytes;
use serde::Serialize;

/// The longest header of an unmasked frame.
const HEADER_BYTES_MAX: usize = 10;
const FIN_TEXT: u8 = 0x81;
const FIN_CLOSE: u8 = 0x88;

/// A whole text frame that holds the value as JSON. `None` if the value cannot be written as JSON (a map with keys that are no text).
#[must_use]
pub fn json<T: Serialize>(value: &T) -> Option<Bytes> {
    let mut buffer = Vec::with_capacity(512);
    buffer.resize(HEADER_BYTES_MAX, 0);
    serde_json::to_writer(&mut buffer, value).ok()?;
    Some(seal(buffer))
}

/// A close frame.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let length = u8::try_from(reason.len() + 2).unwrap_or(2);
    let reason = if length == 2 { "" } else { reason };
    let mut buffer = vec![FIN_CLOSE, length];
    buffer.extend_from_slice(&code.to_be_bytes());
    buffer.extend_from_slice(reason.as_bytes());
    buffer.into()
}

/// Writes the header right before the payload, which starts after the room left for the longest one.
fn seal(mut buffer: Vec<u8>) -> Bytes {
    let length = buffer.len() - HEADER_BYTES_MAX;
    let start = match length {
        0..=125 => {
            buffer[9] = u8::try_from(length).expect("the length is at most 125 in this branch");
            8
        }
        126..=0xffff => {
            buffer[7] = 126;
            let bytes = u16::try_from(length).expect("the length fits 16 bits in this branch").to_be_bytes();
            buffer[8..10].copy_from_slice(&bytes);
            6
        }
        _ => {
            buffer[1] = 127;
            buffer[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            0
        }
    };
    buffer[start] = FIN_TEXT;
    Bytes::from(buffer).slice(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload_length(frame: &[u8]) -> (usize, usize) {
        match frame[1] {
            126 => (4, usize::from(u16::from_be_bytes([frame[2], frame[3]]))),
            127 => (10, usize::try_from(u64::from_be_bytes(frame[2..10].try_into().unwrap())).unwrap()),
            short => (2, usize::from(short)),
        }
    }

    #[test]
    fn the_header_states_the_length_in_each_of_its_three_forms() {
        for length in [0, 1, 123, 124, 125, 65_533, 65_534, 65_535, 200_000] {
            let frame = json(&"x".repeat(length)).unwrap();
            let (header, stated) = payload_length(&frame);
            assert_eq!(frame[0], FIN_TEXT);
            assert_eq!(stated, length + 2, "two quotes around the text");
            assert_eq!(frame.len(), header + stated);
            assert_eq!(frame[header], b'"');
        }
    }

    #[test]
    fn a_close_frame_holds_code_and_reason() {
        assert_eq!(&close(3008, "slow")[..], [0x88, 6, 0x0b, 0xc0, b's', b'l', b'o', b'w']);
    }
}
