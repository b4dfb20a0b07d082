//! What comes in, made readable for a codec that knows no compression: compressed messages are inflated and given on as one frame.
//! It also refuses, as early as the bytes show it, what the codec would notice late or never.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

use super::reader::{FrameReader, Refusal};

/// After so many bytes of messages inflated in one go the worker looks after its other connections first.
const INFLATED_BYTES_PER_TURN: usize = 64 << 10;
/// A header the codec reports as `ProtocolError::Overflow` before any payload: a length beyond what the protocol knows.
const TOO_LONG: [u8; 10] = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// A header the codec reports as an error of the protocol: bits set that nobody agreed on.
const NOT_AGREED: [u8; 2] = [0xf2, 0x80];
/// The words by which the session knows this error; the codec itself uses them for a text in one frame.
const NOT_UTF8: &str = "a text message is not utf-8";

/// The bytes of a client's frames, as a codec without extensions reads them.
///
/// It gives on at most one whole frame before it is `Pending` once, so that what waits in the codec is bounded: the rest is left in
/// the socket until the session has taken the message. It never holds more than one message of the size allowed, and a header.
///
/// The session sees what was refused as an error from the codec: a message that is too large as `Overflow`, a text that is not UTF-8
/// as an `Io` error that says "utf-8", a breach of the protocol as any other error. After that the stream ends.
#[derive(Debug)]
pub struct Inbound<S> {
    stream: S,
    reader: FrameReader,
    /// A whole frame was given on: the codec has to take it before there is more.
    handed: bool,
    /// Something was refused; nothing that follows has a meaning.
    ended: bool,
}

impl<S> Inbound<S> {
    /// Reads frames whose messages may have so many bytes, as sent and inflated. Without `inflates` a compressed one is a breach.
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
                // The codec takes the frame now; with none left in it the session lets others have their turn.
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
