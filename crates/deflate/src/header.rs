//! The header of a frame (RFC 6455, section 5.2), read and written.

use smallvec::SmallVec;

/// The longest header: a length of 64 bits and a mask key.
pub const HEADER_BYTES_MAX: usize = 14;
pub const FIN: u8 = 0x80;
/// Of the first frame of a message: it is compressed.
pub const RSV1: u8 = 0x40;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// What a frame's header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    first: u8,
    /// The key a client must mask with; a server sends none.
    pub mask: Option<[u8; 4]>,
    pub payload_bytes: u64,
    /// The size of the header itself.
    pub bytes: usize,
}

impl Header {
    /// Reads the header at the start of a frame; `None` if it is incomplete.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let [first, second] = *frame.first_chunk()?;
        let (payload_bytes, end) = match second & !MASKED {
            126 => (u64::from(u16::from_be_bytes(*frame[2..].first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*frame[2..].first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        if second & MASKED == 0 {
            return Some(Self { first, mask: None, payload_bytes, bytes: end });
        }
        let mask = *frame[end..].first_chunk()?;
        Some(Self { first, mask: Some(mask), payload_bytes, bytes: end + 4 })
    }

    pub fn is_final(&self) -> bool {
        self.first & FIN != 0
    }

    pub fn is_deflated(&self) -> bool {
        self.first & RSV1 != 0
    }

    pub fn has_unknown_bits(&self) -> bool {
        self.first & RSV2_AND_3 != 0
    }

    pub fn opcode(&self) -> u8 {
        self.first & 0x0f
    }

    pub fn is_control(&self) -> bool {
        self.opcode() >= 8
    }

    /// A whole message that is not compressed yet.
    pub fn is_plain_message(&self) -> bool {
        self.first == FIN | TEXT || self.first == FIN | BINARY
    }
}

/// Whether a client's frame may begin with this byte.
pub fn may_begin(first: u8, inflates: bool) -> bool {
    let opcode = first & 0x0f;
    let is_message = matches!(opcode, TEXT | BINARY);
    first & RSV2_AND_3 == 0 && (first & RSV1 == 0 || (inflates && is_message)) && (is_message || matches!(opcode, 0 | 8..=10))
}

/// The header of a server's frame, which is not masked.
pub fn of_server(first: u8, payload_bytes: usize) -> SmallVec<[u8; HEADER_BYTES_MAX]> {
    let mut header = SmallVec::new();
    header.push(first);
    if let Some(short) = u8::try_from(payload_bytes).ok().filter(|length| *length <= 125) {
        header.push(short);
    } else if let Ok(length) = u16::try_from(payload_bytes) {
        header.push(126);
        header.extend_from_slice(&length.to_be_bytes());
    } else {
        header.push(127);
        header.extend_from_slice(&(payload_bytes as u64).to_be_bytes());
    }
    header
}

/// The header of a client's frame whose mask key is zero, so that masking changes nothing.
pub fn of_client(first: u8, payload_bytes: usize) -> SmallVec<[u8; HEADER_BYTES_MAX]> {
    let mut header = of_server(first, payload_bytes);
    header[1] |= MASKED;
    header.extend_from_slice(&[0; 4]);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_byte_that_no_frame_has_is_known_at_once() {
        for first in [0xf1, 0x91, 0xa1, 0x83, 0x8b, 0xc0, 0xc9] {
            assert!(!may_begin(first, true), "{first:x}");
        }
        assert!(may_begin(0xc1, true) && !may_begin(0xc1, false));
        assert!([0x81, 0x01, 0x02, 0x80, 0x00, 0x88, 0x89, 0x8a].iter().all(|first| may_begin(*first, false)));
    }

    #[test]
    fn a_header_reads_back_as_written_and_not_before_its_end() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 40] {
            for header in [of_server(FIN | TEXT, length), of_client(FIN | TEXT, length)] {
                let read = Header::read(&header).unwrap();
                assert_eq!((read.bytes, read.payload_bytes), (header.len(), length as u64));
                assert!(read.is_plain_message());
                assert!((0..header.len()).all(|cut| Header::read(&header[..cut]).is_none()));
            }
        }
    }
}
