//! Sign-ins that have begun: kept here and not in the browser, which gets nothing but a random handle.

use std::collections::{HashMap, VecDeque};

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::domain::Principal;

/// Sign-ins under way; one more drops the oldest.
pub const PENDING_MAX: usize = 10_000;
/// Seconds that a sign-in may take.
pub const PENDING_SECONDS: i64 = 600;
/// Random bytes of each text: too many to guess.
const RANDOM_BYTES: usize = 32;

/// What the sign-in is for.
#[derive(Clone, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in to an account that is linked.
    SignIn,
    /// To accept an invitation, whose secret or code is kept here so that no URL shows it.
    Accept(String),
    /// To link the account of somebody who is signed in.
    Link(Principal),
}

/// A sign-in that has begun. All of it is secret.
pub struct Pending {
    purpose: Purpose,
    redirect_uri: String,
    state: String,
    nonce: String,
    verifier: String,
}

impl Pending {
    pub(super) fn new(purpose: Purpose, redirect_uri: &str) -> Self {
        Self { purpose, redirect_uri: redirect_uri.to_owned(), state: random_text(), nonce: random_text(), verifier: random_text() }
    }

    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    pub(super) fn verifier(&self) -> &str {
        &self.verifier
    }
}

/// Those that wait for a browser to come back, by the hash of its handle.
#[derive(Default)]
pub struct Waiting {
    entries: HashMap<blake3::Hash, (Pending, i64)>,
    /// The oldest first; those that were taken are skipped.
    order: VecDeque<(blake3::Hash, i64)>,
}

impl Waiting {
    /// Keeps one, and drops those that are over and, where it is full, the oldest.
    pub fn add(&mut self, handle: &str, pending: Pending, now: i64) {
        self.drop_over(now);
        while self.order.len() >= PENDING_MAX {
            self.drop_oldest();
        }
        let key = blake3::hash(handle.as_bytes());
        self.entries.insert(key, (pending, now));
        self.order.push_back((key, now));
    }

    /// Takes the one of this browser, if its state is this. A wrong state leaves it: a foreign page can make a browser come with one.
    pub fn take(&mut self, handle: &str, state: &str, now: i64) -> Option<Pending> {
        self.drop_over(now);
        let key = blake3::hash(handle.as_bytes());
        let (pending, began) = self.entries.get(&key)?;
        // Hashes are compared in constant time.
        let is_its = is_current(*began, now) && blake3::hash(state.as_bytes()) == blake3::hash(pending.state.as_bytes());
        if is_its { self.entries.remove(&key).map(|(pending, _)| pending) } else { None }
    }

    fn drop_over(&mut self, now: i64) {
        while self.order.front().is_some_and(|(_, began)| !is_current(*began, now)) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((key, _)) = self.order.pop_front() {
            self.entries.remove(&key);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

/// A clock that was set back ends it as well.
fn is_current(began: i64, now: i64) -> bool {
    (0..PENDING_SECONDS).contains(&now.saturating_sub(began))
}

/// A random text that fits into a URL, a cookie and a PKCE verifier (43 letters).
pub fn random_text() -> String {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes)
        .expect("the system gives random bytes, because every supported one has a source that does not fail once it runs");
    text(&bytes)
}

/// Bytes as base64url.
pub fn text(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}
