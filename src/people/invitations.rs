//! Invitations to a household: used once, by a link or by a code for typing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    CredentialId, InvitationError, People, PeopleError, Secret,
    change::{key_of, owned_by},
    links::end,
    memory::{Memory, Row},
    secret::{Kind, SecretHash, typed_code},
    store::Table,
    texts,
};
use crate::domain::{HouseholdId, ListId, Moment, Principal};

/// Days that an invitation lasts if nothing else is said.
pub const INVITATION_DAYS: i64 = 7;
/// Days that an invitation may last.
pub const INVITATION_DAYS_MAX: i64 = 30;
/// Invitations of one household.
pub const INVITATIONS_MAX: usize = 100;
/// Lists that one invitation names.
pub const INVITED_LISTS_MAX: usize = 100;

/// An invitation, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: CredentialId,
    pub household: HouseholdId,
    /// The caller's own word for what the invited person will be.
    pub role: String,
    /// The lists of a guest.
    pub lists: Vec<ListId>,
    pub by: Principal,
    pub created: Moment,
    pub expires: Moment,
    /// Who accepts or accepted it.
    pub taken_by: Option<Principal>,
    /// Whether the acceptance is complete.
    pub finished: bool,
}

/// An invitation to be made.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub household: HouseholdId,
    pub role: String,
    pub lists: Vec<ListId>,
    pub by: Principal,
    pub expires: Option<Moment>,
}

/// What is stored of an invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationRow {
    pub secret: SecretHash,
    pub code: SecretHash,
    pub invitation: Invitation,
    /// The account of the one who accepts was created for it.
    #[serde(default)]
    pub creates_account: bool,
}

impl People {
    /// Makes an invitation, with its secret for a link and its code for typing. Blocks: call on a thread that may.
    pub fn invite(&self, new: NewInvitation, now: Moment) -> Result<(Secret, Secret, Invitation), PeopleError> {
        let invitation = unsent(new, now)?;
        let (secret, code) = (Secret::new(Kind::Invitation), Secret::new_code());
        let code_hash = self.code_hash(&typed_code(code.expose()).unwrap_or_default())?;
        self.change(|memory, batch| {
            if memory.is_disabled(&invitation.by) {
                return Err(PeopleError::Inactive);
            }
            let open = self.rows::<InvitationRow>(&owned_by(invitation.household.as_str()))?;
            if open.iter().filter(|row| !row.invitation.finished).count() >= INVITATIONS_MAX {
                return Err(PeopleError::TooMany { max: INVITATIONS_MAX });
            }
            batch.put(InvitationRow { secret: secret.hash(), code: code_hash, invitation: invitation.clone(), creates_account: false });
            Ok(invitation)
        })
        .map(|invitation| (secret, code, invitation))
    }

    /// The invitations of a household, the newest first.
    pub fn invitations(&self, household: &HouseholdId) -> Result<Vec<Invitation>, PeopleError> {
        let mut all: Vec<_> = self.rows::<InvitationRow>(&owned_by(household.as_str()))?.into_iter().map(|row| row.invitation).collect();
        all.sort_by_key(|invitation| std::cmp::Reverse((invitation.created, invitation.id)));
        Ok(all)
    }

    /// Revokes an invitation that nobody has taken. Blocks: call on a thread that may.
    pub fn revoke_invitation(&self, household: &HouseholdId, id: CredentialId) -> Result<(), InvitationError> {
        self.change(|_, batch| {
            let row = self.row::<InvitationRow>(&key_of(household.as_str(), id))?;
            if row.invitation.taken_by.is_some() {
                return Err(InvitationError::Used);
            }
            batch.remove(row);
            Ok(())
        })
    }

    /// The hash of a code in its one form. A code is short enough to try all of them, so each try costs as much as a password's.
    pub(super) fn code_hash(&self, code: &str) -> Result<SecretHash, PeopleError> {
        let salt = self.inner.code_salt.read().clone();
        let hasher = &self.inner.hasher;
        Ok(SecretHash::of_bytes(hasher.derive(hasher.cost(), code, &salt)?))
    }
}

fn unsent(new: NewInvitation, now: Moment) -> Result<Invitation, PeopleError> {
    let expires = end(new.expires, INVITATION_DAYS, INVITATION_DAYS_MAX, now)?;
    let NewInvitation { household, role, lists, by, .. } = new;
    if lists.len() > INVITED_LISTS_MAX {
        return Err(PeopleError::TooMany { max: INVITED_LISTS_MAX });
    }
    let role = texts::role(&role)?;
    Ok(Invitation { id: CredentialId::new(), household, role, lists, by, created: now, expires, taken_by: None, finished: false })
}

impl Row for InvitationRow {
    const TABLE: Table = Table::Invitations;

    fn key(&self) -> String {
        key_of(self.invitation.household.as_str(), self.invitation.id)
    }

    fn enter(&self, memory: &mut Memory) {
        let key: Arc<str> = self.key().into();
        memory.invitations.insert(self.secret, key.clone());
        memory.invitations.insert(self.code, key);
    }

    fn leave(&self, memory: &mut Memory) {
        memory.invitations.remove(&self.secret);
        memory.invitations.remove(&self.code);
    }
}
