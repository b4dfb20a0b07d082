//! Reads a client's frames from chunks cut anywhere, without waiting: it passes on what may pass, and keeps what must be inflated.

use bytes::{Bytes, BytesMut};

use super::{
    header::{self, FIN, HEADER_BYTES_MAX, Header, TEXT},
    inflate::{InflateError, inflate},
    mask,
    utf8::{NotUtf8, Utf8},
};

/// The longest payload of a ping, pong or close.
const CONTROL_BYTES_MAX: u64 = 125;
/// Text that passes through is unmasked for its check in blocks of this size.
const CHECK_BYTES: usize = 1_024;

/// Why nothing more is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    TooLarge,
    NotUtf8,
    Protocol,
}

/// Bytes for the codec.
#[derive(Debug)]
pub struct Piece {
    pub bytes: Bytes,
    /// With these bytes the frame is whole.
    pub ends_frame: bool,
}

#[derive(Debug)]
pub struct FrameReader {
    inflates: bool,
    message_bytes_max: usize,
    /// Received and not yet read.
    unread: Bytes,
    /// Only the beginning of a header is unread.
    header_is_cut: bool,
    /// The frame whose payload is still to come.
    frame: Option<Frame>,
    /// The message whose last frame is still to come.
    message: Option<Message>,
    /// Of that message, in all its frames so far.
    message_bytes: usize,
    /// The payload of a compressed message so far, unmasked.
    compressed: Vec<u8>,
    utf8: Utf8,
    /// Work done inflating; the poller resets it.
    pub inflated_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Message {
    /// Passes through, frame by frame.
    Plain {
        is_text: bool,
    },
    Deflated {
        opcode: u8,
    },
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    header: Header,
    key: [u8; 4],
    /// Bytes of the payload that were read.
    read: usize,
    left: usize,
    /// Its text is checked while it passes.
    is_checked: bool,
}

impl FrameReader {
    pub fn new(inflates: bool, message_bytes_max: usize) -> Self {
        Self {
            inflates,
            message_bytes_max,
            unread: Bytes::new(),
            header_is_cut: false,
            frame: None,
            message: None,
            message_bytes: 0,
            compressed: Vec::new(),
            utf8: Utf8::default(),
            inflated_bytes: 0,
        }
    }

    /// Whether nothing can be read before more is added.
    pub fn needs_more(&self) -> bool {
        self.unread.is_empty() || self.header_is_cut
    }

    /// Adds what was received.
    pub fn add(&mut self, chunk: Bytes) {
        self.header_is_cut = false;
        if self.unread.is_empty() {
            self.unread = chunk;
            return;
        }
        // At most a header less one byte is left over, so this copies each byte once.
        let mut joined = BytesMut::with_capacity(self.unread.len() + chunk.len());
        joined.extend_from_slice(&self.unread);
        joined.extend_from_slice(&chunk);
        self.unread = joined.freeze();
    }

    /// Reads on. `None` when the bytes are kept, or more are needed.
    ///
    /// # Errors
    /// What must end the connection.
    pub fn next(&mut self) -> Result<Option<Piece>, Refusal> {
        let (frame, header_bytes) = match self.frame.take() {
            Some(frame) => (frame, 0),
            None => match Header::read(&self.unread) {
                Some(header) => (self.begin(header)?, header.bytes),
                // What can never become valid is not waited for.
                None if self.unread.first().is_some_and(|first| !header::may_begin(*first, self.inflates)) => {
                    return Err(Refusal::Protocol);
                }
                None => {
                    self.header_is_cut = true;
                    return Ok(None);
                }
            },
        };
        match self.message {
            Some(Message::Deflated { opcode }) if !frame.header.is_control() => self.keep(frame, header_bytes, opcode),
            _ => self.pass(frame, header_bytes).map(Some),
        }
    }

    /// Checks a header against the protocol's rules and the size of the message.
    fn begin(&mut self, header: Header) -> Result<Frame, Refusal> {
        let (Some(key), false) = (header.mask, header.has_unknown_bits()) else { return Err(Refusal::Protocol) };
        if header.is_control() {
            let is_sound = header.is_final() && !header.is_deflated() && header.payload_bytes <= CONTROL_BYTES_MAX;
            let left = usize::try_from(header.payload_bytes).map_err(|_| Refusal::TooLarge)?;
            return is_sound.then_some(Frame { header, key, read: 0, left, is_checked: false }).ok_or(Refusal::Protocol);
        }
        self.message = Some(match (header.opcode(), self.message, header.is_deflated()) {
            (0, Some(message), false) => message,
            (header::TEXT | header::BINARY, None, false) => Message::Plain { is_text: header.opcode() == TEXT },
            (opcode @ (header::TEXT | header::BINARY), None, true) if self.inflates => Message::Deflated { opcode },
            _ => return Err(Refusal::Protocol),
        });
        let left = usize::try_from(header.payload_bytes).map_err(|_| Refusal::TooLarge)?;
        self.message_bytes =
            self.message_bytes.checked_add(left).filter(|bytes| *bytes <= self.message_bytes_max).ok_or(Refusal::TooLarge)?;
        // The codec checks a text that is whole in one frame.
        let is_left_to_codec = header.is_plain_message() && self.unread.len() - header.bytes >= left;
        let is_checked = matches!(self.message, Some(Message::Plain { is_text: true })) && !is_left_to_codec;
        Ok(Frame { header, key, read: 0, left, is_checked })
    }

    /// Passes on what has arrived of a frame that may pass, its header included.
    fn pass(&mut self, mut frame: Frame, header_bytes: usize) -> Result<Piece, Refusal> {
        let payload_bytes = frame.left.min(self.unread.len() - header_bytes);
        let bytes = self.unread.split_to(header_bytes + payload_bytes);
        if frame.is_checked {
            self.check(&frame, &bytes[header_bytes..])?;
        }
        frame.advance(payload_bytes);
        let ends_frame = frame.left == 0;
        if !ends_frame {
            self.frame = Some(frame);
        } else if frame.header.is_final() && !frame.header.is_control() {
            self.end_message();
            if frame.is_checked {
                self.utf8.finish()?;
            }
        }
        Ok(Piece { bytes, ends_frame })
    }

    /// Keeps what has arrived of a compressed message; once complete it is inflated and passed on.
    fn keep(&mut self, mut frame: Frame, header_bytes: usize, opcode: u8) -> Result<Option<Piece>, Refusal> {
        let payload_bytes = frame.left.min(self.unread.len() - header_bytes);
        let bytes = self.unread.split_to(header_bytes + payload_bytes);
        let kept = self.compressed.len();
        self.compressed.extend_from_slice(&bytes[header_bytes..]);
        mask::apply(&mut self.compressed[kept..], frame.key, frame.read);
        frame.advance(payload_bytes);
        if frame.left > 0 {
            self.frame = Some(frame);
            return Ok(None);
        }
        if !frame.header.is_final() {
            return Ok(None);
        }
        self.end_message();
        let compressed = std::mem::take(&mut self.compressed);
        self.inflated_bytes += compressed.len();
        let mut message = inflate(compressed, self.message_bytes_max, HEADER_BYTES_MAX)?;
        let header = header::of_client(FIN | opcode, message.len() - HEADER_BYTES_MAX);
        let start = HEADER_BYTES_MAX - header.len();
        message[start..HEADER_BYTES_MAX].copy_from_slice(&header);
        self.inflated_bytes += message.len();
        Ok(Some(Piece { bytes: Bytes::from(message).slice(start..), ends_frame: true }))
    }

    fn end_message(&mut self) {
        self.message = None;
        self.message_bytes = 0;
    }

    fn check(&mut self, frame: &Frame, masked: &[u8]) -> Result<(), Refusal> {
        let mut block = [0; CHECK_BYTES];
        for (index, piece) in masked.chunks(CHECK_BYTES).enumerate() {
            let block = &mut block[..piece.len()];
            block.copy_from_slice(piece);
            mask::apply(block, frame.key, frame.read + index * CHECK_BYTES);
            self.utf8.feed(block)?;
        }
        Ok(())
    }
}

impl Frame {
    fn advance(&mut self, bytes: usize) {
        self.read += bytes;
        self.left -= bytes;
    }
}

impl From<NotUtf8> for Refusal {
    fn from(_: NotUtf8) -> Self {
        Self::NotUtf8
    }
}

impl From<InflateError> for Refusal {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooLarge => Self::TooLarge,
            InflateError::Broken => Self::Protocol,
        }
    }
}
