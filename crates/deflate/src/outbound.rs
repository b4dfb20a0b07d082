//! Compresses the frames of the session actor on their way out.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::Error;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::{compressor::deflated, header::Header, negotiate::Agreed};

/// The replies of a session; large ones are compressed if that was agreed on. Relies on chunks of whole frames, as the
/// actor's context yields them, and yields such chunks, never an empty one.
#[derive(Debug)]
pub struct Replies<S> {
    stream: S,
    agreed: Option<Agreed>,
    threshold_bytes: usize,
}

impl<S> Replies<S> {
    /// Compresses messages with a payload of at least this many bytes; none if nothing was agreed on.
    pub fn new(stream: S, agreed: Option<Agreed>, threshold_bytes: usize) -> Self {
        Self { stream, agreed, threshold_bytes }
    }
}

impl<S: Stream<Item = Result<Bytes, Error>> + Unpin> Stream for Replies<S> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let chunk = match ready!(Pin::new(&mut self.stream).poll_next(context)) {
                // The body's protocol treats an empty chunk as its end.
                Some(Ok(chunk)) if chunk.is_empty() => continue,
                Some(Ok(chunk)) => chunk,
                end => return Poll::Ready(end),
            };
            let Some(agreed) = self.agreed else { return Poll::Ready(Some(Ok(chunk))) };
            return Poll::Ready(Some(Ok(compress(chunk, self.threshold_bytes, agreed.window_bits()))));
        }
    }
}

/// The chunk with its large messages compressed; the same one if there is nothing to gain.
fn compress(mut chunk: Bytes, threshold_bytes: usize, window_bits: u8) -> Bytes {
    if chunk.len() < threshold_bytes {
        return chunk;
    }
    let mut out = BytesMut::new();
    // Leading frames that stay unchanged.
    let mut kept = 0;
    while let Some(frame_bytes) = frame_bytes(&chunk[kept..]) {
        match deflated(&chunk[kept..kept + frame_bytes], threshold_bytes, window_bits) {
            // A lone message, which is nearly every chunk, is not copied.
            Some(frame) if out.is_empty() && frame_bytes == chunk.len() => return frame,
            Some(frame) => {
                out.extend_from_slice(&chunk.split_to(kept));
                out.extend_from_slice(&frame);
                drop(chunk.split_to(frame_bytes));
                kept = 0;
            }
            None => kept += frame_bytes,
        }
    }
    if out.is_empty() {
        return chunk;
    }
    out.extend_from_slice(&chunk);
    out.freeze()
}

/// The size of the frame at the start of these bytes; `None` if its header is incomplete.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let header = Header::read(bytes)?;
    let end = header.bytes.checked_add(usize::try_from(header.payload_bytes).ok()?)?;
    (end <= bytes.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use actix_web::http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::{
        header::{self, BINARY, FIN, RSV1, TEXT},
        inflate::inflate,
        negotiate,
    };

    const PING: u8 = FIN | 9;

    fn agreed() -> Option<Agreed> {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
        negotiate(&headers)
    }

    fn chunk(frames: &[(u8, &[u8])]) -> Bytes {
        frames.iter().flat_map(|(first, payload)| [&header::of_server(*first, payload.len())[..], payload].concat()).collect()
    }

    fn sent(chunks: &[Bytes], agreed: Option<Agreed>, threshold_bytes: usize) -> Vec<Bytes> {
        let mut replies = Replies::new(stream::iter(chunks.iter().cloned().map(Ok)), agreed, threshold_bytes);
        let mut context = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| match replies.poll_next_unpin(&mut context) {
            Poll::Ready(Some(chunk)) => Some(chunk.unwrap()),
            Poll::Ready(None) | Poll::Pending => None,
        })
        .collect()
    }

    /// First byte and inflated payload of each frame.
    fn frames(mut chunk: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut frames = Vec::new();
        while let Some(bytes) = frame_bytes(chunk) {
            let header = Header::read(chunk).unwrap();
            let payload = chunk[header.bytes..bytes].to_vec();
            let payload = if header.is_deflated() { inflate(payload, 1 << 20, 0).unwrap() } else { payload };
            frames.push((chunk[0], payload));
            chunk = &chunk[bytes..];
        }
        assert!(chunk.is_empty());
        frames
    }

    #[test]
    fn large_messages_are_compressed_and_all_else_stays_in_its_place() {
        let (large, larger) = (vec![b'a'; 1_024], vec![b'b'; 70_000]);
        let chunk = chunk(&[
            (FIN | TEXT, b"small"),
            (FIN | TEXT, &large),
            (PING, b""),
            (FIN | BINARY, &larger),
            (TEXT, &large),
            (FIN, &large),
            (FIN | TEXT, &large[1..]),
        ]);
        let sent = sent(std::slice::from_ref(&chunk), agreed(), 1_024);
        assert!(sent[0].len() < chunk.len() - 70_000);
        let expected = [
            (FIN | TEXT, b"small".to_vec()),
            (FIN | RSV1 | TEXT, large.clone()),
            (PING, vec![]),
            (FIN | RSV1 | BINARY, larger),
            (TEXT, large.clone()),
            (FIN, large.clone()),
            (FIN | TEXT, large[1..].to_vec()),
        ];
        assert_eq!(frames(&sent[0]), expected);
    }

    #[test]
    fn what_needs_nothing_is_not_even_copied() {
        let large = vec![b'a'; 2_000];
        let message = chunk(&[(FIN | TEXT, &large), (PING, b"x")]);
        let same = |sent: &[Bytes]| sent.len() == 1 && sent[0].as_ptr() == message.as_ptr() && sent[0].len() == message.len();
        assert!(same(&sent(std::slice::from_ref(&message), None, 0)));
        assert!(same(&sent(std::slice::from_ref(&message), agreed(), 2_001)));
    }

    #[test]
    fn an_empty_chunk_never_ends_the_body() {
        let message = chunk(&[(FIN | TEXT, b"hello")]);
        for agreed in [None, agreed()] {
            assert_eq!(sent(&[Bytes::new(), message.clone(), Bytes::new()], agreed, 0), std::slice::from_ref(&message));
        }
    }
}
