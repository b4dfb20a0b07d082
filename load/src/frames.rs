//! WebSocket frames as bytes (RFC 6455, section 5.2): where a server's frame is in a buffer, and a client's frame.

use std::ops::Range;

use anyhow::{Result, bail};

pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;

/// A whole frame of a server, which masks nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    /// RSV1: its payload is deflated.
    pub deflated: bool,
    pub payload: Range<usize>,
}

/// The frame that starts at `at`, once all of it is there.
pub fn at(bytes: &[u8], at: usize) -> Result<Option<Frame>> {
    let rest = &bytes[at..];
    let &[first, second, ..] = rest else { return Ok(None) };
    if first & 0x80 == 0 {
        bail!("the server sent a fragment, which this client does not join");
    }
    let Some((head, length)) = lengths(rest, second & 0x7F) else { return Ok(None) };
    let payload = at + head..at + head + length;
    Ok((bytes.len() >= payload.end).then_some(Frame { kind: first & 0x0F, deflated: first & 0x40 != 0, payload }))
}

/// The lengths of head and payload.
fn lengths(rest: &[u8], short: u8) -> Option<(usize, usize)> {
    Some(match short {
        126 => (4, usize::from(u16::from_be_bytes(*rest.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*rest.get(2..)?.first_chunk()?)).ok()?),
        short => (2, usize::from(short)),
    })
}

/// A frame of a client: masked with zeros, which leaves the payload unchanged.
pub fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(0x80 | kind);
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | u8::try_from(length).expect("this holds because it is at most 125")),
        length @ 126..=0xffff => {
            frame.push(0x80 | 0x7E);
            frame.extend(u16::try_from(length).expect("this holds because it is at most 65,535").to_be_bytes());
        }
        length => {
            frame.push(0x80 | 0x7F);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_once_it_is_whole() {
        let bytes = [0xC1, 3, b'a', b'b', b'c', 0x81, 1];
        assert_eq!(at(&bytes, 0).unwrap(), Some(Frame { kind: TEXT, deflated: true, payload: 2..5 }));
        assert_eq!(at(&bytes, 5).unwrap(), None);
        assert_eq!(at(&bytes[..4], 0).unwrap(), None);
        assert!(at(&[0x01, 0], 0).is_err());
    }
}
