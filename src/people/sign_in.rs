//! Sign-in with login and password.

use std::{fmt, net::IpAddr, sync::Arc};

use super::{
    Login, NewSession, People, PeopleError, Secret, Session, SignInError,
    account::{AccountRow, SeenAt},
    hashing::{StoredPassword, Verdict},
    password,
    throttle::network,
};
use crate::domain::{Moment, moment::DAY_MICROS};

/// Days for which an address counts as one of the account's own.
const KNOWN_DAYS: i64 = 30;
/// Addresses remembered per account.
const KNOWN_MAX: usize = 16;

/// What somebody sent to sign in. Debug hides the password.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    pub login: &'a str,
    pub password: &'a str,
    /// Where it comes from, as far as the caller trusts that.
    pub address: Option<IpAddr>,
    /// What the device calls itself.
    pub device: &'a str,
    /// The secret of the session before, which ends.
    pub rotate: Option<&'a str>,
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The login is left out as well: people type their password there.
        f.debug_struct("Attempt").field("address", &self.address).finish_non_exhaustive()
    }
}

impl People {
    /// Signs somebody in. An unknown login takes as long as a wrong password. Blocks: call on a thread that may.
    pub fn sign_in(&self, attempt: Attempt<'_>, now: Moment) -> Result<(Secret, Session), SignInError> {
        let row = self.admit(attempt, now)?;
        if password::is_too_long(attempt.password) {
            return Err(SignInError::Wrong);
        }
        let stored = row.as_ref().and_then(|row| row.password.as_ref());
        let verdict = self.inner.hasher.verify(attempt.password, stored).map_err(PeopleError::from)?;
        let renewed = match (verdict, row) {
            (Verdict::Wrong, _) | (_, None) => return Err(SignInError::Wrong),
            (Verdict::Right, Some(row)) => (row, None),
            (Verdict::RightButOld, Some(row)) => (row, Some(self.inner.hasher.hash(attempt.password).map_err(PeopleError::from)?)),
        };
        self.begin_signed_in(attempt, renewed, now)
    }

    /// Checks a password without signing in, slowed down like a sign-in. Blocks: call on a thread that may.
    ///
    /// # Errors
    /// It is wrong, or came too often.
    pub fn verify(&self, attempt: Attempt<'_>, now: Moment) -> Result<(), SignInError> {
        let row = self.admit(attempt, now)?;
        let stored = row.as_ref().and_then(|row| row.password.as_ref()).filter(|_| !password::is_too_long(attempt.password));
        let verdict = self.inner.hasher.verify(attempt.password, stored).map_err(PeopleError::from)?;
        if verdict == Verdict::Wrong { Err(SignInError::Wrong) } else { Ok(()) }
    }

    /// Counts a try, and finds the account if it may sign in.
    fn admit(&self, attempt: Attempt<'_>, now: Moment) -> Result<Option<Arc<AccountRow>>, SignInError> {
        let throttled = |retry_after| SignInError::Throttled { retry_after };
        let Ok(login) = Login::new(attempt.login) else {
            self.inner.throttle.take_foreign(attempt.address).map_err(throttled)?;
            // No account has such a login, so an answer without work reveals nothing.
            return Err(SignInError::Wrong);
        };
        let row = {
            let memory = self.inner.memory.read();
            memory.logins.get(&login).and_then(|who| memory.accounts.get(who)).cloned()
        };
        let is_known = row.as_ref().is_some_and(|row| is_known(row, attempt.address, now));
        self.inner.throttle.take_sign_in(&login, attempt.address, is_known).map_err(throttled)?;
        Ok(row.filter(|row| row.account.is_active()))
    }

    /// Begins the session, if the account is still the one whose password was checked.
    fn begin_signed_in(
        &self,
        attempt: Attempt<'_>,
        (checked, renewed): (Arc<AccountRow>, Option<StoredPassword>),
        now: Moment,
    ) -> Result<(Secret, Session), SignInError> {
        self.change(|memory, batch| {
            let who = &checked.account.who;
            let current = memory.accounts.get(who).filter(|row| row.account.is_active() && row.password == checked.password);
            let mut row = current.map(|row| AccountRow::clone(row)).ok_or(SignInError::Wrong)?;
            let is_renewed = renewed.is_some();
            row.password = renewed.or(row.password);
            if note_address(&mut row, attempt.address, now) || is_renewed {
                batch.put(row);
            }
            let new = NewSession { device: attempt.device, address: attempt.address };
            Ok(self.begin_session(memory, batch, who, new, attempt.rotate, now)?)
        })
    }
}

/// Whether somebody signed in from there lately.
fn is_known(row: &AccountRow, address: Option<IpAddr>, now: Moment) -> bool {
    let network = network(address);
    row.seen_at.iter().any(|seen| seen.network == network && now.0.saturating_sub(seen.at.0) < KNOWN_DAYS * DAY_MICROS)
}

/// Remembers an address, at most once a day. Returns whether the row has changed.
fn note_address(row: &mut AccountRow, address: Option<IpAddr>, now: Moment) -> bool {
    let network = network(address);
    let is_fresh = |seen: &SeenAt| seen.network == network && now.0.saturating_sub(seen.at.0).abs() < DAY_MICROS;
    if row.seen_at.iter().any(is_fresh) {
        return false;
    }
    row.seen_at.retain(|seen| seen.network != network && now.0.saturating_sub(seen.at.0) < KNOWN_DAYS * DAY_MICROS);
    row.seen_at.push(SeenAt { network, at: now });
    let surplus = row.seen_at.len().saturating_sub(KNOWN_MAX);
    row.seen_at.drain(..surplus);
    true
}
