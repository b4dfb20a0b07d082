//! Sessions of browsers and devices: a new secret at each sign-in, listed and ended one by one.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    Credential, CredentialId, Grants, People, PeopleError, Secret,
    accounts::check_active,
    change::{Batch, key_of, owned_by},
    memory::{Memory, Row},
    secret::{Kind, SecretHash},
    store::Table,
    texts,
};
use crate::domain::{Moment, Principal, moment::DAY_MICROS};

/// A session that rests this long ends.
pub const IDLE_DAYS: i64 = 30;
/// A session ends after this long in any case.
pub const ABSOLUTE_DAYS: i64 = 180;
/// Sessions of one account; one more ends the one that was used the longest ago.
pub const SESSIONS_MAX: usize = 100;

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: CredentialId,
    pub who: Principal,
    /// What the device calls itself, cleaned.
    pub device: String,
    /// Where the sign-in came from.
    pub address: Option<String>,
    pub created: Moment,
    pub last_seen: Moment,
    /// When it ends at the latest.
    pub until: Moment,
}

/// Where a session begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewSession<'a> {
    pub device: &'a str,
    pub address: Option<IpAddr>,
}

/// What is stored of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRow {
    pub secret: SecretHash,
    pub session: Session,
}

impl People {
    /// Begins a session of somebody who has proved who it is, and ends the one whose secret is given: a secret from before a sign-in opens
    /// nothing after it. Blocks: call on a thread that may.
    pub fn create_session(
        &self,
        who: &Principal,
        new: NewSession<'_>,
        rotate: Option<&str>,
        now: Moment,
    ) -> Result<(Secret, Session), PeopleError> {
        self.change(|memory, batch| {
            check_active(memory, who)?;
            self.begin_session(memory, batch, who, new, rotate, now)
        })
    }

    /// The sessions of an account, the newest first.
    pub fn sessions(&self, who: &Principal) -> Result<Vec<Session>, PeopleError> {
        let rows = self.rows::<SessionRow>(&owned_by(who.as_str()))?;
        let memory = self.inner.memory.read();
        let mut sessions: Vec<_> = rows.into_iter().map(|row| Session { last_seen: seen(&memory, &row), ..row.session }).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.created, session.id)));
        Ok(sessions)
    }

    /// Ends one session of an account. Blocks: call on a thread that may.
    pub fn end_session(&self, who: &Principal, id: CredentialId) -> Result<(), PeopleError> {
        self.change(|_, batch| {
            batch.end(id, self.row::<SessionRow>(&key_of(who.as_str(), id))?);
            Ok(())
        })
    }

    /// Ends all sessions of an account but the one that is named. Blocks: call on a thread that may.
    pub fn end_sessions(&self, who: &Principal, keep: Option<CredentialId>) -> Result<(), PeopleError> {
        self.change(|_, batch| self.end_sessions_but(who, keep, batch))
    }

    pub(super) fn begin_session(
        &self,
        memory: &Memory,
        batch: &mut Batch,
        who: &Principal,
        new: NewSession<'_>,
        rotate: Option<&str>,
        now: Moment,
    ) -> Result<(Secret, Session), PeopleError> {
        let old = rotate.and_then(|text| SecretHash::presented(text, &[Kind::Session]));
        let (mut others, rotated) = self.others(memory, who, old)?;
        rotated.into_iter().for_each(|row| batch.end(row.session.id, row));
        others.sort_by_key(|row| seen(memory, row));
        let surplus = (others.len() + 1).saturating_sub(SESSIONS_MAX);
        others.drain(..surplus).for_each(|row| batch.end(row.session.id, row));
        let (secret, row) = new_row(who, new, now);
        batch.put(row.clone());
        Ok((secret, row.session))
    }

    /// An account's sessions without the one that is rotated, which may be another account's.
    fn others(
        &self,
        memory: &Memory,
        who: &Principal,
        old: Option<SecretHash>,
    ) -> Result<(Vec<SessionRow>, Option<SessionRow>), PeopleError> {
        let held = old.and_then(|old| memory.credentials.get(&old));
        let rotated = held.and_then(|credential| match &credential.grants {
            Grants::Session { who } => Some(key_of(who.as_str(), credential.id)),
            Grants::Token { .. } | Grants::Link { .. } => None,
        });
        let rotated = rotated.map(|key| self.row::<SessionRow>(&key)).transpose()?;
        let mut others = self.rows::<SessionRow>(&owned_by(who.as_str()))?;
        others.retain(|row| Some(row.secret) != old);
        Ok((others, rotated))
    }
}

fn new_row(who: &Principal, new: NewSession<'_>, now: Moment) -> (Secret, SessionRow) {
    let secret = Secret::new(Kind::Session);
    let session = Session {
        id: CredentialId::new(),
        who: who.clone(),
        device: texts::device(new.device),
        address: new.address.map(|address| address.to_string()),
        created: now,
        last_seen: now,
        until: now.days_before(-ABSOLUTE_DAYS),
    };
    let row = SessionRow { secret: secret.hash(), session };
    (secret, row)
}

/// The last use, which memory knows exactly.
fn seen(memory: &Memory, row: &SessionRow) -> Moment {
    memory.credentials.get(&row.secret).and_then(|credential| credential.last_seen()).unwrap_or(row.session.last_seen)
}

/// The account's own principal, which all its credentials share in memory.
pub(super) fn shared(memory: &Memory, who: &Principal) -> Principal {
    memory.accounts.get(who).map_or_else(|| who.clone(), |row| row.account.who.clone())
}

impl Row for SessionRow {
    const TABLE: Table = Table::Sessions;

    fn key(&self) -> String {
        key_of(self.session.who.as_str(), self.session.id)
    }

    fn enter(&self, memory: &mut Memory) {
        let Session { id, until, last_seen, .. } = self.session;
        let grants = Grants::Session { who: shared(memory, &self.session.who) };
        let credential = Credential::new(id, grants, Some(until), IDLE_DAYS * DAY_MICROS, Some(last_seen));
        memory.credentials.insert(self.secret, credential.into());
    }

    fn leave(&self, memory: &mut Memory) {
        memory.credentials.remove(&self.secret);
    }
}
