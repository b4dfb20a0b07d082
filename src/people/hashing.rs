//! Password hashing with argon2id. Only this file knows the crate.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};
use serde::{Deserialize, Serialize};

use super::{gate::Gate, secret::random};

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes that could be computed at once.
    pub lanes: u32,
}

impl Cost {
    /// The first choice of the OWASP Password Storage Cheat Sheet for argon2id: m = 19 MiB, t = 2, p = 1.
    pub const OWASP: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };
    /// As little as argon2 takes, for servers in memory, which nobody attacks.
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };
    /// The most that a backup may ask for, so that a changed byte cannot ask for all memory.
    const MAX: Self = Self { memory_kib: 65_536, passes: 10, lanes: 4 };

    /// Returns whether it can be computed here.
    pub(super) fn is_fair(self) -> bool {
        self.memory_kib <= Self::MAX.memory_kib
            && self.passes <= Self::MAX.passes
            && self.lanes <= Self::MAX.lanes
            && self.params().is_some()
    }

    fn params(self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, None).ok()
    }

    fn argon2(self) -> Argon2<'static> {
        let params = self.params().unwrap_or(Params::DEFAULT);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

/// A password's hash with its salt and cost (PHC string format). Debug hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StoredPassword(String);

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What a check of a password says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but the hash has another cost than hashes have now.
    RightButOld,
}

/// Too many wait for a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Hashes passwords, a few at a time.
pub struct Hasher {
    cost: Cost,
    gate: Gate,
    /// What an unknown login is compared with, so that it takes as long as a known one.
    dummy: StoredPassword,
}

impl Hasher {
    /// A hasher of this cost; makes one hash.
    pub fn new(cost: Cost) -> Self {
        let dummy = hashed(cost, &random::<16>());
        Self { cost, gate: Gate::default(), dummy }
    }

    /// The cost of new hashes.
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// Hashes a password with a new salt. Blocks: call on a thread that may.
    pub fn hash(&self, password: &str) -> Result<StoredPassword, Busy> {
        let _pass = self.gate.enter().ok_or(Busy)?;
        Ok(hashed(self.cost, password.as_bytes()))
    }

    /// Compares a password with a hash, or does the same work for none. Blocks: call on a thread that may.
    pub fn verify(&self, password: &str, stored: Option<&StoredPassword>) -> Result<Verdict, Busy> {
        let _pass = self.gate.enter().ok_or(Busy)?;
        let is_right = self.matches(password, stored.unwrap_or(&self.dummy));
        Ok(match stored {
            Some(stored) if is_right && self.is_current(stored) => Verdict::Right,
            Some(_) if is_right => Verdict::RightButOld,
            Some(_) | None => Verdict::Wrong,
        })
    }

    /// A key from a text and a salt, for what a password's form does not fit. Blocks: call on a thread that may.
    pub fn derive(&self, cost: Cost, text: &str, salt: &[u8]) -> Result<[u8; 32], Busy> {
        let _pass = self.gate.enter().ok_or(Busy)?;
        Ok(derived(cost, text, salt))
    }

    /// Takes one of the places of a hash.
    #[cfg(test)]
    pub fn occupy(&self) -> super::gate::Pass<'_> {
        self.gate.enter().expect("a test takes no more than there are")
    }

    fn matches(&self, password: &str, stored: &StoredPassword) -> bool {
        PasswordHash::new(&stored.0).is_ok_and(|hash| self.cost.argon2().verify_password(password.as_bytes(), &hash).is_ok())
    }

    fn is_current(&self, stored: &StoredPassword) -> bool {
        let params = PasswordHash::new(&stored.0).ok().and_then(|hash| Params::try_from(&hash).ok());
        params.is_some_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) == (self.cost.memory_kib, self.cost.passes, self.cost.lanes)
        })
    }
}

fn hashed(cost: Cost, password: &[u8]) -> StoredPassword {
    let hash = cost.argon2().hash_password_with_salt(password, &random::<16>());
    StoredPassword(hash.expect("the password is hashed, because its length and the salt's are within argon2's limits").to_string())
}

fn derived(cost: Cost, text: &str, salt: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let done = cost.argon2().hash_password_into(text.as_bytes(), salt, &mut key);
    done.expect("a key is derived, because the lengths of text, salt and key are within argon2's limits");
    key
}
