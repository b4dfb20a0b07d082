//! How often a sign-in or a code may be tried. What is throttled costs no hash.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::HashMapStateStore};
use parking_lot::RwLock;

use super::{Ticks, texts::Login};

type Limiter = RateLimiter<Key, HashMapStateStore<Key>, Ticks, NoOpMiddleware<Duration>>;
/// A hash, so that a long text takes no more room.
type Key = [u8; 16];

/// Tries of one login from one address, then one every [`PAIR_REST`].
const PAIR_TRIES: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// See [`PAIR_TRIES`].
const PAIR_REST: Duration = Duration::from_secs(30);
/// Tries from one address, then one every [`ADDRESS_REST`].
const ADDRESS_TRIES: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// See [`ADDRESS_TRIES`].
const ADDRESS_REST: Duration = Duration::from_secs(10);
/// Tries of one login from all addresses in an hour, except those from which somebody signed in to it before.
const LOGIN_TRIES: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// Codes typed at one address, then one every [`ADDRESS_REST`].
const CODE_TRIES: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Keys of one limit. Beyond, those that rest are forgotten, and where too many do not rest, all are: someone with that many addresses is
/// not held back by them, and the others must not pay for it with memory.
const KEYS_MAX: usize = 65_536;

/// All limits.
pub struct Throttle {
    pairs: Limit,
    addresses: Limit,
    logins: Limit,
    codes: Limit,
}

impl Throttle {
    /// Full bursts to begin with.
    pub fn new(ticks: &Ticks) -> Self {
        let every = |rest, burst| Quota::with_period(rest).unwrap_or(Quota::per_hour(burst)).allow_burst(burst);
        let limit = |quota| Limit::new(quota, ticks.clone());
        Self {
            pairs: limit(every(PAIR_REST, PAIR_TRIES)),
            addresses: limit(every(ADDRESS_REST, ADDRESS_TRIES)),
            logins: limit(Quota::per_hour(LOGIN_TRIES)),
            codes: limit(every(ADDRESS_REST, CODE_TRIES)),
        }
    }

    /// Accepts one more try of a login, or says how long to wait. The limit over all addresses comes last: what an address may not try
    /// counts against nobody else.
    pub fn take_sign_in(&self, login: &Login, address: Option<IpAddr>, is_known: bool) -> Result<(), Duration> {
        let network = network(address);
        self.pairs.take(&[&network, login.as_str()])?;
        self.addresses.take(&[&network])?;
        if is_known { Ok(()) } else { self.logins.take(&[login.as_str()]) }
    }

    /// Accepts one more try of a text that is no login.
    pub fn take_foreign(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        self.addresses.take(&[&network(address)])
    }

    /// Accepts one more typed code, or says how long to wait.
    pub fn take_code(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        self.codes.take(&[&network(address)])
    }
}

/// The address, or of IPv6 the network that one customer gets (/64). Those without one share a limit.
pub fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "none".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
    }
}

/// One limit of many keys.
struct Limit {
    quota: Quota,
    ticks: Ticks,
    limiter: RwLock<Limiter>,
}

impl Limit {
    fn new(quota: Quota, ticks: Ticks) -> Self {
        let limiter = RwLock::new(fresh(quota, &ticks));
        Self { quota, ticks, limiter }
    }

    fn take(&self, parts: &[&str]) -> Result<(), Duration> {
        self.prune();
        let taken = self.limiter.read().check_key(&key(parts));
        taken.map_err(|not_until| not_until.wait_time_from(self.ticks.now()))
    }

    fn prune(&self) {
        if self.limiter.read().len() < KEYS_MAX {
            return;
        }
        let mut limiter = self.limiter.write();
        limiter.retain_recent();
        if limiter.len() > KEYS_MAX / 2 {
            *limiter = fresh(self.quota, &self.ticks);
        }
    }
}

fn fresh(quota: Quota, ticks: &Ticks) -> Limiter {
    RateLimiter::new(quota, HashMapStateStore::default(), ticks.clone())
}

fn key(parts: &[&str]) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes()).update(b"\0");
    }
    let mut key = Key::default();
    hasher.finalize_xof().fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_limit_are_bounded() {
        let limit = Limit::new(Quota::per_hour(LOGIN_TRIES), Ticks::new(|| Duration::ZERO));
        for number in 0..KEYS_MAX + 10 {
            assert!(limit.take(&[&number.to_string()]).is_ok());
        }
        assert!(limit.limiter.read().len() <= KEYS_MAX);
    }

    #[test]
    fn the_addresses_of_one_network_count_as_one() {
        let of = |text: &str| network(Some(text.parse().expect("a test's address")));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
