//! Masking (RFC 6455, section 5.3): each byte of a client's payload is combined with one of four key bytes. Applying it twice restores it.

/// Masks or unmasks bytes that begin at this place of the payload.
pub fn apply(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let turned: [u8; 4] = std::array::from_fn(|index| key[(offset + index) % 4]);
    // Words of a fixed size: the compiler turns this into wide instructions.
    let (words, rest) = bytes.as_chunks_mut::<4>();
    let word_key = u32::from_ne_bytes(turned);
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ word_key).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(turned) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masking_in_pieces_is_masking_at_once() {
        let plain: Vec<u8> = (0..=255).collect();
        let key = [1, 20, 133, 240];
        let expected: Vec<u8> = plain.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
        for cut in 0..plain.len() {
            let mut masked = plain.clone();
            let (left, right) = masked.split_at_mut(cut);
            apply(left, key, 0);
            apply(right, key, cut);
            assert_eq!(masked, expected, "cut at {cut}");
        }
    }
}
