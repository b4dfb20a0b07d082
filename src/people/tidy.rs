//! What is done now and then: last uses are written down, and what ended long ago is removed.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{
    Credential, People, PeopleError,
    change::Batch,
    invitations::InvitationRow,
    links::LinkRow,
    memory::{Memory, Row},
    secret::SecretHash,
    sessions::SessionRow,
    tokens::TokenRow,
};
use crate::domain::Moment;

/// A last use is written again once it is this much newer. A crash forgets at most this, and one interval of the caller.
const WRITE_MICROS: i64 = 3_600_000_000;
/// Days for which an ended credential is kept: a clock that jumps forward and comes back must not have cost anybody anything.
const KEPT_DAYS: i64 = 30;

impl People {
    /// Writes last uses that are an hour newer than on disk, and removes what ended 30 days ago. Call it every few minutes.
    /// Blocks: call on a thread that may.
    pub fn tidy(&self, now: Moment) -> Result<(), PeopleError> {
        self.keep_house(now, WRITE_MICROS)
    }

    /// The same before the process ends: every last use is written.
    pub fn close(&self, now: Moment) -> Result<(), PeopleError> {
        self.keep_house(now, 1)
    }

    fn keep_house(&self, now: Moment, newer: i64) -> Result<(), PeopleError> {
        let past = now.days_before(KEPT_DAYS);
        self.change(|memory, batch| {
            let mut sessions = Uses { memory, batch, past, newer };
            sessions.keep(self.rows::<SessionRow>("")?, |row| (row.secret, row.session.id), |row, seen| row.session.last_seen = seen);
            sessions.keep(self.rows::<TokenRow>("")?, |row| (row.secret, row.token.id), |row, seen| row.token.last_used = Some(seen));
            sessions.keep(self.rows::<LinkRow>("")?, |row| (row.secret, row.link.id), |_, _| ());
            let over = self.rows::<InvitationRow>("")?.into_iter().filter(|row| is_over(row, past));
            over.for_each(|row| batch.remove(row));
            Ok(())
        })
    }
}

/// An acceptance that has begun stays until it is finished or cancelled.
fn is_over(row: &InvitationRow, past: Moment) -> bool {
    past >= row.invitation.expires && (row.invitation.finished || row.invitation.taken_by.is_none())
}

struct Uses<'a> {
    memory: &'a Memory,
    batch: &'a mut Batch,
    past: Moment,
    newer: i64,
}

impl Uses<'_> {
    /// Ends the rows that were over in the past, and writes the others' last uses that are newer.
    fn keep<R: Row>(&mut self, rows: Vec<R>, named: impl Fn(&R) -> (SecretHash, super::CredentialId), write: impl Fn(&mut R, Moment)) {
        for mut row in rows {
            let (secret, id) = named(&row);
            let Some(credential) = self.memory.credentials.get(&secret) else { continue };
            if credential.is_over(self.past) {
                self.batch.end(id, row);
            } else if let Some(seen) = self.unwritten(credential) {
                write(&mut row, seen);
                if R::TABLE != super::store::Table::Links {
                    self.batch.put_on_disk(&row);
                }
                let credential = Arc::clone(credential);
                self.batch.in_memory(move |_| credential.written.store(seen.0, Relaxed));
            }
        }
    }

    fn unwritten(&self, credential: &Credential) -> Option<Moment> {
        credential.last_seen().filter(|seen| seen.0.saturating_sub(credential.written.load(Relaxed)).abs() >= self.newer)
    }
}
