//! The check of the fuzz target, on a few thousand inputs that look like frames.

use proptest::prelude::*;

#[path = "../fuzz/check.rs"]
mod check;

/// A frame with any bits in its header: any opcode, lengths that lie, masked or not.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), prop_oneof![0_u8..126, 126_u8..=127, 128_u8..=255], prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(first, second, rest)| [&[first, second], &rest[..]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn any_bytes_end_and_none_grows_without_bound(
        frames in prop::collection::vec(frame(), 0..6), piece_bytes in 1_usize..300, inflates in any::<bool>(),
    ) {
        check::any_bytes(&frames.concat(), piece_bytes, inflates);
    }
}
