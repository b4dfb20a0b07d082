//! Any message, in any frames and chunks, compressed or not, is the same message to the session.

use proptest::prelude::*;

use super::*;

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
