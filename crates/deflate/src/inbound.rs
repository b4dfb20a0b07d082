//! Makes input readable for a codec without compression: compressed messages are inflated and passed on as one frame.
//! It also refuses, as early as possible, what the codec would notice late or never.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use super::reader::{FrameReader, Refusal};

/// After inflating this many bytes of messages at once the worker serves its other connections first.
const INFLATED_BYTES_PER_TURN: usize = 64 << 10;
/// A header the codec reports as `ProtocolError::Overflow` before any payload: a length beyond what the protocol knows.
const TOO_LONG: [u8; 10] = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// A header the codec reports as an error of the protocol: bits set without agreement.
const NOT_AGREED: [u8; 2] = [0xf2, 0x80];
/// The text by which the session recognises this error; the codec itself uses it for a text in one frame.
const NOT_UTF8: &str = "a text message is not utf-8";

/// The bytes of a client's frames, as a codec without extensions reads them.
///
/// It passes on at most one whole frame before it is `Pending` once, so that the codec's backlog is bounded: the rest stays in
/// the socket until the session has taken the message. It never holds more than one message of the allowed size, and a header.
///
/// The session sees what was refused as an error from the codec: a message that is too large as `Overflow`, a text that is not UTF-8
/// as an `Io` error that says "utf-8", a breach of the protocol as any other error. After that the stream ends.
#[derive(Debug)]
pub struct Inbound<S> {
    stream: S,
    reader: FrameReader,
    /// A whole frame was passed on: the codec must take it before the next.
    handed: bool,
    /// Something was refused; what follows is meaningless.
    ended: bool,
}

impl<S> Inbound<S> {
    /// Reads frames whose messages may have this many bytes, as sent and inflated. Without `inflates` a compressed one is a breach.
    pub fn new(stream: S, inflates: bool, message_bytes_max: usize) -> Self {
        Self { stream, reader: FrameReader::new(inflates, message_bytes_max), handed: false, ended: false }
    }

    fn refuse(&mut self, refusal: Refusal) -> Result<Bytes, PayloadError> {
        self.ended = true;
        match refusal {
            Refusal::TooLarge => Ok(Bytes::from_static(&TOO_LONG)),
            Refusal::Protocol => Ok(Bytes::from_static(&NOT_AGREED)),
            Refusal::NotUtf8 => Err(PayloadError::Io(io::Error::new(io::ErrorKind::InvalidData, NOT_UTF8))),
        }
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Inbound<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            if this.reader.needs_more() {
                let polled = Pin::new(&mut this.stream).poll_next(context);
                if polled.is_pending() {
                    this.handed = false;
                    this.reader.inflated_bytes = 0;
                }
                match ready!(polled) {
                    Some(Ok(chunk)) => this.reader.add(chunk),
                    end => return Poll::Ready(end),
                }
                continue;
            }
            let is_flood = this.reader.inflated_bytes >= INFLATED_BYTES_PER_TURN;
            if this.handed || is_flood {
                // The codec takes the frame now; with none left in it the session yields to others.
                if !this.handed {
                    this.reader.inflated_bytes = 0;
                }
                this.handed = false;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            match this.reader.next() {
                Ok(Some(piece)) => {
                    this.handed = piece.ends_frame;
                    return Poll::Ready(Some(Ok(piece.bytes)));
                }
                Ok(None) => {}
                Err(refusal) => return Poll::Ready(Some(this.refuse(refusal))),
            }
        }
    }
}
