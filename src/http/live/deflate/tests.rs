//! What the codec makes of bytes that went through the adapter, polled as the actor's context polls it.

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
use proptest::prelude::*;
use tokio_util::codec::Decoder;

use super::{
    header::{self, BINARY, FIN, RSV1, TEXT},
    inbound::Inbound,
    mask,
};

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

/// Reads as the context does: takes in all there is until `Pending`, then decodes one frame.
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
                Poll::Pending => assert!(self.woken.0.swap(0, Ordering::Relaxed) > 0, "it would sleep for ever"),
            }
        }
    }
}

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

/// A message in frames that end at these places, with a ping behind each but the last.
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

/// After how many bytes something is refused, received one by one.
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

proptest! {
    #[test]
    fn any_message_in_any_frames_and_chunks_comes_out_as_it_was(
        text in "[a-zäß😀]{0,200}",
        binary in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), (0_usize..3_000).prop_map(|bytes| vec![7; bytes])],
        text_deflated in any::<bool>(),
        binary_deflated in any::<bool>(),
        level in 0_u32..9,
        mut cuts in prop::collection::vec(0_usize..300, 0..5),
        chunk_size in prop_oneof![1_usize..20, Just(usize::MAX)],
    ) {
        cuts.sort_unstable();
        let form = |opcode, plain: &[u8], deflated| if deflated { (opcode | RSV1, deflate(plain, level)) } else { (opcode, plain.to_vec()) };
        let (text_opcode, text_payload) = form(TEXT, text.as_bytes(), text_deflated);
        let (binary_opcode, binary_payload) = form(BINARY, &binary, binary_deflated);
        let bytes = [message(text_opcode, &text_payload, &cuts), message(binary_opcode, &binary_payload, &cuts)].concat();
        let seen = read(&bytes, chunk_size, true);
        let pings = seen.iter().filter(|seen| **seen == Seen::Ping).count();
        let messages: Vec<_> = seen.into_iter().filter(|seen| *seen != Seen::Ping).collect();
        prop_assert_eq!(pings, cuts.len() * 2);
        prop_assert_eq!(messages, vec![Seen::Text(text.into_bytes()), Seen::Binary(binary)]);
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_or_stall(bytes in prop::collection::vec(any::<u8>(), 0..200), chunk_size in 1_usize..50) {
        read(&bytes, chunk_size, true);
    }
}

#[test]
fn a_message_cut_at_every_byte_is_still_the_message() {
    let plain = "Grüße aus Wien, Grüße aus Graz".as_bytes();
    let deflated = deflate(plain, 6);
    for (opcode, payload) in [(TEXT, plain), (TEXT | RSV1, &deflated)] {
        for cut in 0..=payload.len() {
            let bytes = message(opcode, payload, &[cut]);
            for chunk_size in [1, 2, 3, 7, bytes.len()] {
                assert_eq!(
                    read(&bytes, chunk_size, true),
                    [Seen::Ping, Seen::Text(plain.to_vec())],
                    "cut at {cut}, chunks of {chunk_size}"
                );
            }
        }
    }
}

#[test]
fn a_message_may_be_as_large_as_the_limit_and_no_larger() {
    let (fits, exceeds) = (vec![b'a'; MAX], vec![b'a'; MAX + 1]);
    for (opcode, fits_payload, exceeds_payload) in
        [(TEXT, fits.clone(), exceeds.clone()), (TEXT | RSV1, deflate(&fits, 6), deflate(&exceeds, 6))]
    {
        for cuts in [vec![], vec![10]] {
            assert!(read(&message(opcode, &fits_payload, &cuts), 4_096, true).contains(&Seen::Text(fits.clone())));
            assert_eq!(read(&message(opcode, &exceeds_payload, &cuts), 4_096, true).last(), Some(&Seen::TooLarge));
        }
    }
}

#[test]
fn a_message_that_is_too_large_is_refused_with_its_header() {
    let too_large = header::of_client(FIN | BINARY, 1 << 40);
    assert_eq!(refused_after(&too_large), Some((14, Seen::TooLarge)));
    let too_large = header::of_client(FIN | RSV1 | BINARY, MAX + 1);
    assert_eq!(refused_after(&too_large), Some((too_large.len(), Seen::TooLarge)));
}

#[test]
fn a_text_that_is_not_utf8_is_refused_at_its_first_wrong_byte() {
    let wrong = "κόσμε".as_bytes().iter().copied().chain(*b"\xf4\x90\x80\x80edited").collect::<Vec<_>>();
    let wrong_at = wrong.len() - 8;
    let in_one = frame(FIN | TEXT, &wrong, [1, 2, 3, 4]);
    assert_eq!(refused_after(&in_one), Some((6 + wrong_at, Seen::NotUtf8)));
    // The frame ends inside the character; the next one makes it impossible.
    let in_two = [frame(TEXT, &wrong[..wrong_at - 1], [1, 2, 3, 4]), frame(0, &wrong[wrong_at - 1..], [9, 9, 9, 9])].concat();
    assert_eq!(refused_after(&in_two), Some((6 + wrong_at - 1 + 6 + 1, Seen::NotUtf8)));
    let unfinished = [frame(TEXT, b"a", [0; 4]), frame(FIN, b"\xc3", [0; 4])].concat();
    assert_eq!(refused_after(&unfinished), Some((unfinished.len(), Seen::NotUtf8)));
}

#[test]
fn a_compressed_text_that_is_not_utf8_is_refused() {
    assert_eq!(read(&frame(FIN | RSV1 | TEXT, &deflate(b"a\xff", 6), [3; 4]), 100, true), [Seen::NotUtf8]);
}

#[test]
fn what_was_whole_before_a_refusal_is_still_seen() {
    let bytes = [frame(FIN | TEXT, b"first", [5; 4]), frame(PING, b"", [5; 4]), frame(TEXT, b"\xff", [5; 4])].concat();
    assert_eq!(read(&bytes, usize::MAX, false), [Seen::Text(b"first".to_vec()), Seen::Ping, Seen::NotUtf8]);
}

#[test]
fn every_breach_of_the_protocol_is_refused() {
    let deflated = deflate(b"hello", 6);
    let key = [1; 4];
    let begun = |first: u8| frame(first, &deflated, key);
    for (what, bytes) in [
        ("a compressed continuation", [frame(TEXT, b"a", key), frame(FIN | RSV1, &deflated, key)].concat()),
        ("a compressed continuation of a compressed message", [begun(TEXT | RSV1), frame(FIN | RSV1, b"", key)].concat()),
        ("a compressed control frame", frame(PING | RSV1, &deflated, key)),
        ("an unknown bit", frame(FIN | TEXT | 0x20, b"a", key)),
        ("another unknown bit", frame(FIN | TEXT | 0x10, b"a", key)),
        ("an unmasked frame", [&header::of_server(FIN | TEXT, 1)[..], b"a"].concat()),
        ("an unknown opcode", frame(FIN | 3, b"a", key)),
        ("an unknown control frame", frame(FIN | 0xb, b"a", key)),
        ("a fragmented ping", frame(9, b"a", key)),
        ("a long ping", frame(PING, &[0; 126], key)),
        ("a continuation of nothing", frame(FIN, b"a", key)),
        ("a message inside a message", [frame(TEXT, b"a", key), frame(FIN | TEXT, b"b", key)].concat()),
        ("a message inside a compressed message", [begun(TEXT | RSV1), frame(FIN | TEXT, b"b", key)].concat()),
        ("a compressed message inside a message", [frame(TEXT, b"a", key), begun(FIN | TEXT | RSV1)].concat()),
        ("a broken compressed message", frame(FIN | TEXT | RSV1, &[0xff; 20], key)),
    ] {
        for chunk_size in [1, usize::MAX] {
            assert_eq!(read(&bytes, chunk_size, true).last(), Some(&Seen::Protocol), "{what}");
        }
    }
}

#[test]
fn without_an_agreement_a_compressed_message_is_a_breach() {
    assert_eq!(read(&frame(FIN | TEXT | RSV1, &deflate(b"hello", 6), [1; 4]), 100, false), [Seen::Protocol]);
}

#[test]
fn a_bomb_is_refused_without_its_contents() {
    let bomb = deflate(&vec![0; 30 << 20], 9);
    assert!(bomb.len() < MAX);
    let mut session = Session::new(chunks(&frame(FIN | BINARY | RSV1, &bomb, [1; 4]), 1 << 20), true);
    assert_eq!(session.all(), [Seen::TooLarge]);
    assert!(session.buffered_max < 100);
}

#[test]
fn a_flood_of_bombs_lets_others_have_their_turn_and_never_piles_up() {
    let bomb = frame(FIN | BINARY | RSV1, &deflate(&vec![0; MAX], 9), [1; 4]);
    let mut session = Session::new(chunks(&bomb.repeat(100), usize::MAX), true);
    let (mut messages, mut turns) = (0, 0);
    loop {
        match session.poll() {
            Poll::Ready(Some(Seen::Binary(bytes))) => messages += usize::from(bytes.len() == MAX),
            Poll::Ready(Some(other)) => panic!("{other:?}"),
            Poll::Ready(None) => break,
            Poll::Pending => turns += 1,
        }
    }
    assert_eq!(messages, 100);
    assert!(turns >= 40, "it gave way only {turns} times");
    assert!(session.buffered_max <= MAX + 14, "{} bytes waited", session.buffered_max);
}

#[test]
fn a_lone_frame_passes_uncopied_and_wakes_nobody() {
    let received = Bytes::from(frame(FIN | TEXT, b"hello", [1; 4]));
    let pointer = received.as_ptr();
    let mut inbound = Inbound::new(stream::StreamExt::chain(stream::iter([Ok(received)]), stream::pending()), false, MAX);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let Poll::Ready(Some(Ok(passed))) = Pin::new(&mut inbound).poll_next(&mut context) else { panic!("nothing passed") };
    assert_eq!(passed.as_ptr(), pointer);
    assert!(Pin::new(&mut inbound).poll_next(&mut context).is_pending());
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
}
