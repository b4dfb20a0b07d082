//! What ends a connection, and how early.

use super::*;

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
