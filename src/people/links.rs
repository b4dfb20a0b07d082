//! Links to one list, for people without an account.

use serde::{Deserialize, Serialize};

use super::{
    Credential, CredentialId, Grants, InputError, People, PeopleError, Secret,
    change::{key_of, owned_by},
    memory::{Memory, Row},
    secret::{Kind, SecretHash},
    store::Table,
};
use crate::domain::{ListId, Moment, Principal};

/// Days that a link lasts if nothing else is said.
pub const LINK_DAYS: i64 = 7;
/// Days that a link may last.
pub const LINK_DAYS_MAX: i64 = 365;
/// Links of one list.
pub const LINKS_MAX: usize = 100;

/// A link to a list, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub id: CredentialId,
    pub list: ListId,
    /// Who made it; while that person's account is disabled the link opens nothing.
    pub by: Principal,
    pub created: Moment,
    pub expires: Moment,
}

/// What is stored of a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkRow {
    pub secret: SecretHash,
    pub link: Link,
}

impl People {
    /// Makes a link to a list. Blocks: call on a thread that may.
    pub fn create_link(&self, list: &ListId, by: &Principal, expires: Option<Moment>, now: Moment) -> Result<(Secret, Link), PeopleError> {
        let expires = end(expires, LINK_DAYS, LINK_DAYS_MAX, now)?;
        self.change(|memory, batch| {
            if memory.is_disabled(by) {
                return Err(PeopleError::Inactive);
            }
            if self.rows::<LinkRow>(&owned_by(list.as_str()))?.len() >= LINKS_MAX {
                return Err(PeopleError::TooMany { max: LINKS_MAX });
            }
            let secret = Secret::new(Kind::Link);
            let link = Link { id: CredentialId::new(), list: list.clone(), by: by.clone(), created: now, expires };
            batch.put(LinkRow { secret: secret.hash(), link: link.clone() });
            Ok((secret, link))
        })
    }

    /// The links of a list, the newest first.
    pub fn links(&self, list: &ListId) -> Result<Vec<Link>, PeopleError> {
        let mut links: Vec<_> = self.rows::<LinkRow>(&owned_by(list.as_str()))?.into_iter().map(|row| row.link).collect();
        links.sort_by_key(|link| std::cmp::Reverse((link.created, link.id)));
        Ok(links)
    }

    /// Revokes a link of a list. Blocks: call on a thread that may.
    pub fn revoke_link(&self, list: &ListId, id: CredentialId) -> Result<(), PeopleError> {
        self.change(|_, batch| {
            batch.end(id, self.row::<LinkRow>(&key_of(list.as_str(), id))?);
            Ok(())
        })
    }

    /// Revokes all links of a list. Blocks: call on a thread that may.
    pub fn revoke_links(&self, list: &ListId) -> Result<(), PeopleError> {
        self.change(|_, batch| {
            self.rows::<LinkRow>(&owned_by(list.as_str()))?.into_iter().for_each(|row| batch.end(row.link.id, row));
            Ok(())
        })
    }
}

/// The end that is asked for, or the usual one.
pub(super) fn end(expires: Option<Moment>, days: i64, days_max: i64, now: Moment) -> Result<Moment, InputError> {
    let expires = expires.unwrap_or_else(|| now.days_before(-days));
    let fits = expires > now && expires <= now.days_before(-days_max);
    if fits { Ok(expires) } else { Err(InputError::Expiry) }
}

impl Row for LinkRow {
    const TABLE: Table = Table::Links;

    fn key(&self) -> String {
        key_of(self.link.list.as_str(), self.link.id)
    }

    fn enter(&self, memory: &mut Memory) {
        let grants = Grants::Link { list: self.link.list.clone(), by: self.link.by.clone() };
        let credential = Credential::new(self.link.id, grants, Some(self.link.expires), 0, None);
        credential.blocked.store(memory.is_disabled(&self.link.by), std::sync::atomic::Ordering::Relaxed);
        memory.credentials.insert(self.secret, credential.into());
    }

    fn leave(&self, memory: &mut Memory) {
        memory.credentials.remove(&self.secret);
    }
}
