//! How many sessions there may be: in all, of one address and of one principal.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use ahash::AHashMap;
use parking_lot::Mutex;

use super::{close::Close, limits::Limits};
use crate::domain::Principal;

/// The sessions of one server, counted.
#[derive(Debug, Default)]
pub struct Admission {
    counts: Mutex<Counts>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    sessions: usize,
    addresses: AHashMap<IpAddr, usize>,
    principals: AHashMap<Principal, usize>,
    closed: bool,
}

impl Admission {
    /// Admits a session and returns its number. One without a principal does not count yet: those that never send a token must not
    /// keep out those that do. Their number is bounded by each worker.
    ///
    /// # Errors
    /// The reason to close it instead.
    pub fn enter(&self, address: Option<IpAddr>, who: Option<&Principal>, limits: &Limits) -> Result<u64, Close> {
        let mut counts = self.counts.lock();
        if counts.closed {
            return Err(Close::GoingAway);
        }
        if let Some(who) = who {
            counts.add(address, who, limits)?;
        }
        Ok(self.next_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Moves a session to another principal, after a token was sent.
    ///
    /// # Errors
    /// The reason to close it: this principal has enough sessions.
    pub fn rename(&self, address: Option<IpAddr>, from: Option<&Principal>, to: &Principal, limits: &Limits) -> Result<(), Close> {
        if from == Some(to) {
            return Ok(());
        }
        let mut counts = self.counts.lock();
        match from {
            None => counts.add(address, to, limits),
            Some(from) => {
                counts.add_principal(to, limits)?;
                take_one(&mut counts.principals, from);
                Ok(())
            }
        }
    }

    /// A session has ended.
    pub fn leave(&self, address: Option<IpAddr>, who: Option<&Principal>) {
        let Some(who) = who else { return };
        let mut counts = self.counts.lock();
        counts.sessions = counts.sessions.saturating_sub(1);
        if let Some(address) = address {
            take_one(&mut counts.addresses, &address);
        }
        take_one(&mut counts.principals, who);
    }

    /// Admits no more sessions.
    pub fn close(&self) {
        self.counts.lock().closed = true;
    }

    /// Sessions with a principal that are connected now.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.counts.lock().sessions
    }
}

impl Counts {
    fn add(&mut self, address: Option<IpAddr>, who: &Principal, limits: &Limits) -> Result<(), Close> {
        self.check(address, limits)?;
        self.add_principal(who, limits)?;
        self.sessions += 1;
        if let Some(address) = address {
            *self.addresses.entry(address).or_default() += 1;
        }
        Ok(())
    }

    fn check(&self, address: Option<IpAddr>, limits: &Limits) -> Result<(), Close> {
        if self.sessions >= limits.sessions_max {
            return Err(Close::TooManySessions);
        }
        match address.and_then(|address| self.addresses.get(&address)) {
            Some(count) if *count >= limits.sessions_per_address_max => Err(Close::TooManyFromAddress),
            _ => Ok(()),
        }
    }

    fn add_principal(&mut self, who: &Principal, limits: &Limits) -> Result<(), Close> {
        let count = self.principals.entry(who.clone()).or_default();
        if *count >= limits.sessions_per_principal_max {
            return Err(Close::TooManyOfPrincipal);
        }
        *count += 1;
        Ok(())
    }
}

/// Subtracts one, and forgets a principal that has none left.
fn take_one<K: std::hash::Hash + Eq>(counts: &mut AHashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::live::admission::*;

    fn who(name: &str) -> Principal {
        Principal::new(name).unwrap()
    }

    #[test]
    fn each_limit_turns_the_next_one_away_and_lets_it_in_when_another_has_left() {
        let limits = Limits { sessions_max: 4, sessions_per_address_max: 3, sessions_per_principal_max: 2, ..Limits::default() };
        let (here, there) = (Some(IpAddr::from([127, 0, 0, 1])), Some(IpAddr::from([127, 0, 0, 2])));
        let (ana, ben, cleo) = (who("ana"), who("ben"), who("cleo"));
        let admission = Admission::default();
        let enter = |address, name| admission.enter(address, Some(name), &limits).map(drop);
        assert_eq!((enter(here, &ana), enter(here, &ana)), (Ok(()), Ok(())));
        assert_eq!(enter(there, &ana), Err(Close::TooManyOfPrincipal));
        assert_eq!(enter(here, &ben), Ok(()));
        assert_eq!(enter(here, &ben), Err(Close::TooManyFromAddress));
        assert_eq!(enter(there, &ben), Ok(()));
        assert_eq!(enter(there, &cleo), Err(Close::TooManySessions));
        admission.leave(here, Some(&ana));
        assert_eq!(enter(here, &ana), Ok(()));
        admission.close();
        admission.leave(here, Some(&ana));
        assert_eq!(enter(here, &ana), Err(Close::GoingAway));
    }

    #[test]
    fn sockets_without_a_token_take_no_place_until_they_send_one() {
        let limits = Limits { sessions_max: 1, sessions_per_address_max: 1, ..Limits::default() };
        let (admission, address) = (Admission::default(), Some(IpAddr::from([127, 0, 0, 1])));
        for _ in 0..1_000 {
            admission.enter(address, None, &limits).unwrap();
        }
        assert_eq!(admission.rename(address, None, &who("ana"), &limits), Ok(()));
        assert_eq!(admission.rename(address, None, &who("ben"), &limits), Err(Close::TooManySessions));
        admission.leave(address, None);
        assert_eq!(admission.sessions(), 1);
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let admission = Admission::default();
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        admission.enter(address, None, &Limits::default()).unwrap();
        admission.rename(address, None, &who("ana"), &Limits::default()).unwrap();
        admission.rename(address, Some(&who("ana")), &who("ben"), &Limits::default()).unwrap();
        admission.leave(address, Some(&who("ben")));
        let counts = admission.counts.lock();
        assert_eq!((counts.sessions, counts.addresses.len(), counts.principals.len()), (0, 0, 0));
    }
}
