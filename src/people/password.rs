//! The rules of a password, applied before anything is hashed.

use std::fmt;

use super::{
    errors::InputError,
    texts::{DisplayName, Login},
};

/// Characters of a password: at least 8 after NIST SP 800-63B (revision 3), section 5.1.1.2, which also asks for a list of refused
/// ones and for no rules about kinds of characters. It wants 64 to be accepted; this is generous, and bounds the work.
const CHARS_MIN: usize = 8;
/// See [`CHARS_MIN`].
pub(super) const CHARS_MAX: usize = 256;
/// Common ones of eight characters or more; each is among the first thousand of `SecLists`' `10-million-password-list-top-1000.txt`.
const COMMONEST: [&str; 24] = [
    "password",
    "12345678",
    "123456789",
    "1234567890",
    "baseball",
    "football",
    "jennifer",
    "superman",
    "trustno1",
    "michelle",
    "sunshine",
    "iloveyou",
    "starwars",
    "computer",
    "11111111",
    "princess",
    "qwertyuiop",
    "corvette",
    "password1",
    "1q2w3e4r",
    "qwerty123",
    "88888888",
    "00000000",
    "1qaz2wsx",
];

/// A password that keeps the rules. Debug hides it.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Accepts a password for the account of this login and name.
    pub fn new(text: &str, login: &Login, name: &DisplayName) -> Result<Self, InputError> {
        if is_too_long(text) {
            return Err(InputError::PasswordLong);
        }
        if text.chars().count() < CHARS_MIN {
            return Err(InputError::PasswordShort);
        }
        let small = text.to_lowercase();
        let is_own = small == login.as_str() || small == name.as_str().to_lowercase();
        if is_own || COMMONEST.contains(&small.as_str()) {
            return Err(InputError::PasswordCommon);
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether a text is longer than any password. A megabyte costs one comparison.
pub(super) fn is_too_long(text: &str) -> bool {
    text.len() > 4 * CHARS_MAX || text.chars().count() > CHARS_MAX
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
