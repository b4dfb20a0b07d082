//! Secrets: random, shown once, and kept only as a hash.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// Random bytes of a secret: too many to guess, so a fast hash protects it.
const SECRET_BYTES: usize = 32;
/// Letters that this many bytes take in base64url.
const SECRET_LETTERS: usize = 43;
/// Letters of Crockford's base 32: none is mistaken for another.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code for typing: 50 bits.
const CODE_LENGTH: usize = 10;

/// Letters of a generated password: 100 bits.
const PASSWORD_LENGTH: usize = 20;

/// What a secret opens, readable at its front so that a leaked one is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Session,
    Token,
    Invitation,
    Link,
    Setup,
    Operator,
}

impl Kind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "aisled_s_",
            Self::Token => "aisled_t_",
            Self::Invitation => "aisled_i_",
            Self::Link => "aisled_l_",
            Self::Setup => "aisled_u_",
            Self::Operator => "aisled_o_",
        }
    }
}

/// A text that is shown once. Debug and Display hide it, and it cannot be serialized.
pub struct Secret(String);

impl Secret {
    /// A new random secret.
    pub(super) fn new(kind: Kind) -> Self {
        let text = Base64UrlUnpadded::encode_string(&random::<SECRET_BYTES>());
        Self(format!("{}{text}", kind.prefix()))
    }

    /// A new random code for typing, as `XXXXX-XXXXX`.
    pub(super) fn new_code() -> Self {
        let letter = |byte: &u8| char::from(CODE_LETTERS[usize::from(byte & 31)]);
        let mut text: String = random::<CODE_LENGTH>().iter().map(letter).collect();
        text.insert(CODE_LENGTH / 2, '-');
        Self(text)
    }

    /// A new password, for somebody who chooses none. It is small letters and digits, so that it can be read out and typed.
    #[must_use]
    pub fn new_password() -> Self {
        let letter = |byte: &u8| char::from(CODE_LETTERS[usize::from(byte & 31)].to_ascii_lowercase());
        Self(random::<PASSWORD_LENGTH>().iter().map(letter).collect())
    }

    /// A new key for the terminal of the server's own machine.
    #[must_use]
    pub fn for_operator() -> Self {
        Self::new(Kind::Operator)
    }

    /// The text itself, for showing it this once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn hash(&self) -> SecretHash {
        SecretHash::new(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What is kept of a secret. Its comparison with `==` takes the same time however much is equal. A lookup in a map by it reveals nothing
/// either: who presents a text cannot choose its hash.
#[derive(Clone, Copy, Eq, Serialize, Deserialize)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub(super) fn new(text: &[u8]) -> Self {
        Self(*blake3::hash(text).as_bytes())
    }

    /// Keeps bytes that are a hash.
    pub(super) const fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash of a presented text, if it has the form of such a secret; a text of any other length costs nothing.
    pub(super) fn presented(text: &str, kinds: &[Kind]) -> Option<Self> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_of =
            |kind: &Kind| text.strip_prefix(kind.prefix()).is_some_and(|rest| rest.len() == SECRET_LETTERS && rest.bytes().all(is_letter));
        kinds.iter().any(is_of).then(|| Self::new(text.as_bytes()))
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        // BLAKE3's own comparison takes constant time.
        blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
    }
}

impl std::hash::Hash for SecretHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hash)")
    }
}

/// A typed code in its one form: small letters, blanks, hyphens and the usual mistakes are forgiven. `None` if it cannot be a code.
pub(super) fn typed_code(text: &str) -> Option<String> {
    if text.len() > 4 * CODE_LENGTH {
        return None;
    }
    let letters = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    let code: String = letters.collect();
    let is_code = code.len() == CODE_LENGTH && code.bytes().all(|byte| CODE_LETTERS.contains(&byte));
    is_code.then_some(code)
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .expect("the system gives random bytes, because every supported one has a source that does not fail once it runs");
    bytes
}
