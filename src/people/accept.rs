//! The acceptance of an invitation, in two steps, because the household's event comes between them.

use std::net::IpAddr;

use super::{
    DisplayName, Invitation, InvitationError, Login, NewAccount, Oidc, Password, People, PeopleError,
    account::AccountRow,
    accounts::{check_active, check_free, check_subject_free, row_of},
    change::Batch,
    credential::CredentialId,
    hashing::StoredPassword,
    invitations::InvitationRow,
    memory::Memory,
    secret::{Kind, SecretHash, typed_code},
};
use crate::domain::{Moment, Principal};

/// Who accepts.
#[derive(Debug, Clone)]
pub enum Acceptor {
    /// Somebody who gets an account with it.
    New { who: Principal, login: Login, name: DisplayName, password: Password },
    /// The same without a password: a provider vouches for this person. Account and identity are one transaction.
    Provided { who: Principal, login: Login, name: DisplayName, oidc: Oidc },
    /// Somebody who has one, and is signed in.
    Known(Principal),
}

/// An acceptance that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepting {
    pub invitation: Invitation,
    pub who: Principal,
}

impl People {
    /// Takes an invitation for one person, and creates that person's account, which waits for [`People::finish_accept`].
    /// Of two at once one succeeds. Blocks: call on a thread that may.
    pub fn begin_accept(
        &self,
        proof: &str,
        acceptor: &Acceptor,
        address: Option<IpAddr>,
        now: Moment,
    ) -> Result<Accepting, InvitationError> {
        let proof = self.proof(proof, address)?;
        // Before the password is hashed: a wrong link costs nothing.
        self.open_invitation(&self.inner.memory.read(), proof, now)?;
        let new = acceptor.account();
        let password = self.hashed(new.as_ref().and_then(|new| new.password.as_ref()))?;
        self.change(|memory, batch| {
            let mut row = self.open_invitation(memory, proof, now)?;
            let who = enter_acceptor(memory, batch, acceptor, new, password, now)?;
            row.creates_account = acceptor.creates_account();
            row.invitation.taken_by = Some(who.clone());
            batch.put(row.clone());
            Ok(Accepting { invitation: row.invitation, who })
        })
    }

    /// Completes an acceptance: the new account may sign in. May be repeated. Blocks: call on a thread that may.
    pub fn finish_accept(&self, id: CredentialId) -> Result<(), InvitationError> {
        self.change(|memory, batch| {
            let mut row = self.taken(memory, id)?;
            if let Some(who) = row.invitation.taken_by.as_ref().filter(|_| row.creates_account) {
                let mut account = row_of(memory, who)?;
                account.account.pending = false;
                batch.put(account);
            }
            row.invitation.finished = true;
            batch.put(row);
            Ok(())
        })
    }

    /// Gives an invitation back, and removes the account that was created for it. Blocks: call on a thread that may.
    pub fn cancel_accept(&self, id: CredentialId) -> Result<(), InvitationError> {
        self.change(|memory, batch| {
            let mut row = self.taken(memory, id)?;
            if row.invitation.finished {
                return Err(InvitationError::Used);
            }
            if let Some(who) = row.invitation.taken_by.take().filter(|_| row.creates_account) {
                batch.remove(row_of(memory, &who)?);
            }
            row.creates_account = false;
            batch.put(row);
            Ok(())
        })
    }

    /// The acceptances that have begun and not ended, as after a crash: the caller finishes those whose event is recorded, and cancels the
    /// others.
    pub fn unfinished(&self) -> Result<Vec<Accepting>, PeopleError> {
        let begun = self.rows::<InvitationRow>("")?.into_iter().map(|row| row.invitation).filter(|invitation| !invitation.finished);
        Ok(begun.filter_map(|invitation| invitation.taken_by.clone().map(|who| Accepting { invitation, who })).collect())
    }

    /// The hash of a link's secret, or of a typed code, which costs the address one of its tries.
    fn proof(&self, text: &str, address: Option<IpAddr>) -> Result<SecretHash, InvitationError> {
        if let Some(hash) = SecretHash::presented(text, &[Kind::Invitation]) {
            return Ok(hash);
        }
        let code = typed_code(text).ok_or(InvitationError::Unknown)?;
        self.inner.throttle.take_code(address).map_err(|retry_after| InvitationError::Throttled { retry_after })?;
        Ok(self.code_hash(&code)?)
    }

    /// The invitation that a hash opens, which must be free.
    fn open_invitation(&self, memory: &Memory, proof: SecretHash, now: Moment) -> Result<InvitationRow, InvitationError> {
        let key = memory.invitations.get(&proof).ok_or(InvitationError::Unknown)?;
        let row = self.row::<InvitationRow>(key)?;
        if row.invitation.taken_by.is_some() {
            return Err(InvitationError::Used);
        }
        if now >= row.invitation.expires {
            return Err(InvitationError::Expired);
        }
        if memory.is_disabled(&row.invitation.by) { Err(InvitationError::Unknown) } else { Ok(row) }
    }

    /// The invitation of this id, which must be taken.
    fn taken(&self, memory: &Memory, id: CredentialId) -> Result<InvitationRow, InvitationError> {
        let end = format!("\0{id}");
        let key = memory.invitations.values().find(|key| key.ends_with(&end)).ok_or(InvitationError::Unknown)?;
        let row = self.row::<InvitationRow>(key)?;
        if row.invitation.taken_by.is_some() { Ok(row) } else { Err(InvitationError::NotBegun) }
    }
}

impl Acceptor {
    fn account(&self) -> Option<NewAccount> {
        match self {
            Self::New { who, login, name, password } => {
                let (who, login, name, password) = (who.clone(), login.clone(), name.clone(), Some(password.clone()));
                Some(NewAccount { who, login, name, admin: false, password })
            }
            Self::Provided { who, login, name, .. } => {
                Some(NewAccount { who: who.clone(), login: login.clone(), name: name.clone(), admin: false, password: None })
            }
            Self::Known(_) => None,
        }
    }

    fn creates_account(&self) -> bool {
        match self {
            Self::New { .. } | Self::Provided { .. } => true,
            Self::Known(_) => false,
        }
    }

    /// The identity that the new account is linked with.
    fn oidc(&self) -> Option<&Oidc> {
        match self {
            Self::Provided { oidc, .. } => Some(oidc),
            Self::New { .. } | Self::Known(_) => None,
        }
    }
}

/// The one who accepts: an account that is there, or a new one that waits.
fn enter_acceptor(
    memory: &Memory,
    batch: &mut Batch,
    acceptor: &Acceptor,
    new: Option<NewAccount>,
    password: Option<StoredPassword>,
    now: Moment,
) -> Result<Principal, PeopleError> {
    match (acceptor, new) {
        (Acceptor::New { who, .. } | Acceptor::Provided { who, .. }, Some(new)) => {
            check_free(memory, &new)?;
            let mut row = AccountRow::new(&new, password, now);
            if let Some(oidc) = acceptor.oidc() {
                check_subject_free(memory, oidc, who)?;
                row.account.oidc = Some(oidc.clone());
            }
            row.account.pending = true;
            row.account.invited = true;
            batch.put(row);
            Ok(who.clone())
        }
        (Acceptor::New { who, .. } | Acceptor::Provided { who, .. } | Acceptor::Known(who), _) => {
            check_active(memory, who).map(|()| who.clone())
        }
    }
}
