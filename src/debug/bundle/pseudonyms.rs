//! Pseudonyms: equal where the texts are equal, and irreversible, because the key of a bundle is not kept.

use std::{
    fs::File,
    io::{self, Read},
};

/// Letters of a pseudonym; 48 bits make a collision unlikely among millions.
const LETTERS: usize = 12;

/// The pseudonyms of one bundle.
pub struct Pseudonyms {
    key: [u8; 32],
}

impl Pseudonyms {
    /// With a new random key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn random() -> io::Result<Self> {
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        Ok(Self { key })
    }

    #[cfg(test)]
    pub fn with_key(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The pseudonym of an id: an id itself.
    #[must_use]
    pub fn of_id(&self, kind: &str, id: &str) -> String {
        format!("{kind}-{}", letters(&self.hash(kind, id)))
    }

    /// The pseudonym of a free text. Texts equal except for case get pseudonyms equal except for case. An empty one stays.
    #[must_use]
    pub fn of_text(&self, text: &str) -> String {
        if text.trim().is_empty() {
            return text.to_owned();
        }
        let lower = text.trim().to_lowercase();
        let plain = letters(&self.hash("text", &lower));
        if lower == text {
            return format!("text-{plain}");
        }
        // The case of the letters distinguishes the spellings; the first is a capital, which the plain spelling never has.
        let exact = self.hash("case", text);
        let cased = plain.chars().enumerate().map(|(place, letter)| {
            let is_capital = place == 0 || exact[place / 8] >> (place % 8) & 1 == 1;
            if is_capital { letter.to_ascii_uppercase() } else { letter }
        });
        format!("text-{}", cased.collect::<String>())
    }

    fn hash(&self, domain: &str, text: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(domain.as_bytes()).update(b"\0").update(text.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

/// Four bits a letter, from `a` on.
fn letters(hash: &[u8; 32]) -> String {
    (0..LETTERS).map(|place| char::from(b'a' + (hash[place / 2] >> (4 * (place % 2)) & 0x0f))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pseudonyms_are_equal_where_the_texts_are_in_whatever_case(a in "[a-zA-ZäÖ ]{0,4}", b in "[a-zA-ZäÖ ]{0,4}") {
            let names = Pseudonyms::with_key([7; 32]);
            let (a, b) = (a.trim(), b.trim());
            let (x, y) = (names.of_text(a), names.of_text(b));
            prop_assert_eq!(a == b, x == y);
            prop_assert_eq!(a.to_lowercase() == b.to_lowercase(), x.to_lowercase() == y.to_lowercase());
            prop_assert_eq!(a.is_empty(), x.is_empty());
        }
    }

    #[test]
    fn another_key_gives_other_pseudonyms_and_ids_stay_ids() {
        let (one, two) = (Pseudonyms::random().unwrap(), Pseudonyms::random().unwrap());
        assert_ne!(one.of_text("Milk"), two.of_text("Milk"));
        assert_ne!(one.of_id("person", "ann"), one.of_id("person", "ben"));
        assert!(crate::domain::ids::check_id(&one.of_id("person", "ann")).is_ok());
    }
}
