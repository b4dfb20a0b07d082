//! WebSocket frames prepared by hand, so that one encoding serves every receiver (RFC 6455, section 5.2; a server masks nothing).

use bytes::Bytes;

/// Opcodes of RFC 6455.
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;

/// The last (and only) frame of its message.
const FIN: u8 = 0x80;
/// The longest header of an unmasked frame.
const HEADER_BYTES_MAX: usize = 10;
/// Room for most messages: a list's totals take about 900 bytes.
const MESSAGE_BYTES_USUAL: usize = 1_024;
/// A ping without a payload.
static EMPTY_PING: [u8; 2] = [FIN | PING, 0];

/// An empty buffer in which the payload starts after the room for the longest header.
#[must_use]
pub fn with_room_for_header() -> Vec<u8> {
    let mut buffer = Vec::with_capacity(MESSAGE_BYTES_USUAL);
    buffer.resize(HEADER_BYTES_MAX, 0);
    buffer
}

/// A close frame.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let length = u8::try_from(reason.len() + 2).unwrap_or(2);
    let reason = if length == 2 { "" } else { reason };
    let mut buffer = vec![FIN | CLOSE, length];
    buffer.extend_from_slice(&code.to_be_bytes());
    buffer.extend_from_slice(reason.as_bytes());
    buffer.into()
}

/// A ping.
#[must_use]
pub fn ping() -> Bytes {
    Bytes::from_static(&EMPTY_PING)
}

/// The payload of a whole frame of ours.
#[must_use]
pub fn payload(frame: &Bytes) -> Bytes {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => HEADER_BYTES_MAX,
        _ => 2,
    };
    frame.slice(header.min(frame.len())..)
}

/// Writes the header directly before the payload, which starts after the room left for the longest one.
#[must_use]
pub fn seal(mut buffer: Vec<u8>, opcode: u8) -> Bytes {
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
    buffer[start] = FIN | opcode;
    Bytes::from(buffer).slice(start..)
}

#[cfg(test)]
mod tests {
    use crate::live::frame::*;

    fn payload_length(frame: &[u8]) -> (usize, usize) {
        match frame[1] {
            126 => (4, usize::from(u16::from_be_bytes([frame[2], frame[3]]))),
            127 => (10, usize::try_from(u64::from_be_bytes(frame[2..10].try_into().unwrap())).unwrap()),
            short => (2, usize::from(short)),
        }
    }

    #[test]
    fn the_header_states_the_length_in_each_of_its_three_forms() {
        for length in [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 200_000] {
            let mut buffer = with_room_for_header();
            buffer.resize(buffer.len() + length, b'x');
            let frame = seal(buffer, TEXT);
            let (header, stated) = payload_length(&frame);
            assert_eq!(frame[0], 0x81);
            assert_eq!((stated, frame.len()), (length, header + length));
            assert_eq!(payload(&frame), vec![b'x'; length]);
        }
    }

    #[test]
    fn a_close_frame_holds_code_and_reason() {
        assert_eq!(&close(3008, "slow")[..], [0x88, 6, 0x0b, 0xc0, b's', b'l', b'o', b'w']);
    }
}
