//! Texts that people enter, checked once: after that the type is the proof.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::errors::InputError;

/// Characters of a login.
const LOGIN_MAX: usize = 64;
/// Characters of a name, a device and a token's name.
const NAME_MAX: usize = 80;
/// Characters of a role.
const ROLE_MAX: usize = 64;
/// What a device is called that names itself in no readable way.
const UNKNOWN_DEVICE: &str = "unknown device";

/// What is typed to sign in: small letters, so that the case of a keyboard does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Login(String);

impl Login {
    /// Accepts 1 to 64 ASCII letters, digits and `. _ - @ +`.
    pub fn new(text: &str) -> Result<Self, InputError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte);
        let is_login = (1..=LOGIN_MAX).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_login { Ok(Self(text.to_ascii_lowercase())) } else { Err(InputError::Login) }
    }

    /// The login as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a person or a token is called on a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DisplayName(String);

impl DisplayName {
    /// Accepts 1 to 80 characters without blanks around them, and none that is invisible or turns the text around it.
    pub fn new(text: &str) -> Result<Self, InputError> {
        line(text, NAME_MAX).map(Self).ok_or(InputError::Name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role's label, which means something to the caller only.
pub(super) fn role(text: &str) -> Result<String, InputError> {
    line(text, ROLE_MAX).ok_or(InputError::Role)
}

/// A device's own text made fit to be shown: it is information, so it is cleaned and cut but never refused.
pub(super) fn device(text: &str) -> String {
    let clean: String = text.chars().filter(|letter| !is_hidden(*letter)).take(NAME_MAX).collect();
    let clean = clean.trim();
    if clean.is_empty() { UNKNOWN_DEVICE.to_owned() } else { clean.to_owned() }
}

fn line(text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    // Four bytes a character at most: a megabyte is refused before its characters are looked at.
    let fits = !text.is_empty() && text.len() <= 4 * max && text.chars().count() <= max;
    (fits && !text.chars().any(is_hidden)).then(|| text.to_owned())
}

/// Control characters, line separators, and the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9).
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
