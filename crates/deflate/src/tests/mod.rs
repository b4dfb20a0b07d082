//! What the codec reads from bytes that went through the adapter, polled like the actor's context does.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, FlushCompress};
use futures_util::{Stream, stream};
use tokio_util::codec::Decoder;

use super::{
    header::{self, BINARY, FIN, RSV1, TEXT},
    inbound::Inbound,
    mask,
};

mod load;
mod messages;
mod refusals;

const PING: u8 = FIN | 9;
const MAX: usize = 32 << 10;

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping,
    TooLarge,
    NotUtf8,
    Protocol,
}

/// Counts how often the task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reads like the context: takes everything until `Pending`, then decodes one frame.
struct Session<S> {
    inbound: Inbound<S>,
    codec: Codec,
    buffer: BytesMut,
    fragments: Option<(bool, Vec<u8>)>,
    woken: Arc<Woken>,
    /// The most that waited for the codec.
    buffered_max: usize,
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Session<S> {
    fn new(stream: S, inflates: bool) -> Self {
        Self {
            inbound: Inbound::new(stream, inflates, MAX),
            codec: Codec::new().max_size(MAX),
            buffer: BytesMut::new(),
            fragments: None,
            woken: Arc::default(),
            buffered_max: 0,
        }
    }

    /// One turn of the context's stream: `Pending` only if nothing can be decoded.
    fn poll(&mut self) -> Poll<Option<Seen>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut context = Context::from_waker(&waker);
        loop {
            let mut ended = false;
            while let Poll::Ready(item) = Pin::new(&mut self.inbound).poll_next(&mut context) {
                match item {
                    Some(Ok(chunk)) => {
                        assert!(!chunk.is_empty());
                        self.buffer.extend_from_slice(&chunk);
                    }
                    Some(Err(error)) => return Poll::Ready(Some(seen(&ProtocolError::Io(std::io::Error::other(error.to_string()))))),
                    None => {
                        ended = true;
                        break;
                    }
                }
            }
            self.buffered_max = self.buffered_max.max(self.buffer.len());
            match self.codec.decode(&mut self.buffer) {
                Ok(None) if ended => return Poll::Ready(None),
                Ok(None) => return Poll::Pending,
                Ok(Some(frame)) => {
                    if let Some(seen) = self.join(frame) {
                        return Poll::Ready(Some(seen));
                    }
                }
                Err(error) => return Poll::Ready(Some(seen(&error))),
            }
        }
    }

    fn join(&mut self, frame: Frame) -> Option<Seen> {
        let (is_text, message) = match frame {
            Frame::Text(text) => (true, text.to_vec()),
            Frame::Binary(bytes) => (false, bytes.to_vec()),
            Frame::Ping(_) => return Some(Seen::Ping),
            Frame::Continuation(Item::FirstText(bytes)) => {
                self.fragments = Some((true, bytes.to_vec()));
                return None;
            }
            Frame::Continuation(Item::FirstBinary(bytes)) => {
                self.fragments = Some((false, bytes.to_vec()));
                return None;
            }
            Frame::Continuation(Item::Continue(bytes)) => {
                self.fragments.as_mut().unwrap().1.extend_from_slice(&bytes);
                return None;
            }
            Frame::Continuation(Item::Last(bytes)) => {
                let (is_text, mut message) = self.fragments.take().unwrap();
                message.extend_from_slice(&bytes);
                (is_text, message)
            }
            Frame::Pong(_) | Frame::Close(_) => return None,
        };
        Some(match is_text {
            // The context does this check; a text in fragments must have been checked before.
            true if std::str::from_utf8(&message).is_err() => Seen::NotUtf8,
            true => Seen::Text(message),
            false => Seen::Binary(message),
        })
    }

    /// Everything up to the end, or to the first refusal.
    fn all(&mut self) -> Vec<Seen> {
        let mut all = Vec::new();
        loop {
            match self.poll() {
                Poll::Ready(Some(seen)) => {
                    let is_end = matches!(seen, Seen::TooLarge | Seen::NotUtf8 | Seen::Protocol);
                    all.push(seen);
                    if is_end {
                        return all;
                    }
                }
                Poll::Ready(None) => return all,
                Poll::Pending => assert!(self.woken.0.swap(0, Ordering::Relaxed) > 0, "it would sleep forever"),
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "errors of the library: those that are not named mean the same")]
fn seen(error: &ProtocolError) -> Seen {
    match error {
        ProtocolError::Overflow => Seen::TooLarge,
        ProtocolError::Io(error) if error.to_string().contains("utf-8") => Seen::NotUtf8,
        _ => Seen::Protocol,
    }
}

fn frame(first: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let mut frame = header::of_client(first, payload.len()).to_vec();
    let start = frame.len();
    frame[start - 4..].copy_from_slice(&key);
    frame.extend_from_slice(payload);
    mask::apply(&mut frame[start..], key, 0);
    frame
}

/// A message in frames that end at these places, with a ping after each but the last.
fn message(opcode: u8, payload: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut start = 0;
    for (index, end) in cuts.iter().copied().chain([payload.len()]).enumerate() {
        let end = end.clamp(start, payload.len());
        let is_last = index == cuts.len();
        let first = if index == 0 { opcode } else { 0 } | if is_last { FIN } else { 0 };
        bytes.extend(frame(first, &payload[start..end], [7, 0, 255, u8::try_from(index % 256).unwrap()]));
        if !is_last {
            bytes.extend(frame(PING, b"?", [1, 2, 3, 4]));
        }
        start = end;
    }
    bytes
}

fn deflate(plain: &[u8], level: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(plain.len() + 1_000);
    Compress::new(Compression::new(level), false).compress_vec(plain, &mut out, FlushCompress::Sync).unwrap();
    out.truncate(out.len() - 4);
    out
}

fn chunks(bytes: &[u8], size: usize) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<> {
    let chunks: VecDeque<_> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
    stream::iter(chunks.into_iter().map(Ok))
}

fn read(bytes: &[u8], chunk_size: usize, inflates: bool) -> Vec<Seen> {
    Session::new(chunks(bytes, chunk_size), inflates).all()
}

/// After how many bytes, received one by one, something is refused.
fn refused_after(bytes: &[u8]) -> Option<(usize, Seen)> {
    (1..=bytes.len()).find_map(|length| {
        let received = stream::iter(bytes[..length].iter().map(|byte| Ok(Bytes::copy_from_slice(&[*byte]))));
        let mut session = Session::new(stream::StreamExt::chain(received, stream::pending()), true);
        loop {
            match session.poll() {
                Poll::Ready(Some(seen @ (Seen::TooLarge | Seen::NotUtf8 | Seen::Protocol))) => return Some((length, seen)),
                Poll::Ready(_) => {}
                Poll::Pending if session.woken.0.swap(0, Ordering::Relaxed) > 0 => {}
                Poll::Pending => return None,
            }
        }
    })
}
