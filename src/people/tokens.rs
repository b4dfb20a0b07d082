//! API tokens: made by a person for a program, with scopes and an end.

use serde::{Deserialize, Serialize};

use super::{
    Credential, CredentialId, DisplayName, Grants, InputError, People, PeopleError, Scopes, Secret,
    accounts::check_active,
    change::{key_of, owned_by},
    memory::{Memory, Row},
    secret::{Kind, SecretHash},
    sessions::shared,
    store::Table,
};
use crate::domain::{Moment, Principal};

/// Tokens of one account.
pub const TOKENS_MAX: usize = 100;

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: CredentialId,
    pub who: Principal,
    pub name: DisplayName,
    pub scopes: Scopes,
    pub created: Moment,
    pub expires: Option<Moment>,
    pub last_used: Option<Moment>,
}

/// A token to be created.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: DisplayName,
    pub scopes: Scopes,
    pub expires: Option<Moment>,
}

/// What is stored of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRow {
    pub secret: SecretHash,
    pub token: Token,
}

impl People {
    /// Creates a token. Who may give which scopes is the caller's to check. Blocks: call on a thread that may.
    pub fn create_token(&self, who: &Principal, new: NewToken, now: Moment) -> Result<(Secret, Token), PeopleError> {
        if new.scopes.is_empty() {
            return Err(InputError::NoScope.into());
        }
        if new.expires.is_some_and(|expires| expires <= now) {
            return Err(InputError::Expiry.into());
        }
        self.change(|memory, batch| {
            check_active(memory, who)?;
            if self.rows::<TokenRow>(&owned_by(who.as_str()))?.len() >= TOKENS_MAX {
                return Err(PeopleError::TooMany { max: TOKENS_MAX });
            }
            let (secret, row) = new_row(who, new, now);
            batch.put(row.clone());
            Ok((secret, row.token))
        })
    }

    /// The tokens of an account, the newest first.
    pub fn tokens(&self, who: &Principal) -> Result<Vec<Token>, PeopleError> {
        let rows = self.rows::<TokenRow>(&owned_by(who.as_str()))?;
        let memory = self.inner.memory.read();
        let mut tokens: Vec<_> = rows.into_iter().map(|row| Token { last_used: used(&memory, &row), ..row.token }).collect();
        tokens.sort_by_key(|token| std::cmp::Reverse((token.created, token.id)));
        Ok(tokens)
    }

    /// Revokes a token of an account. Blocks: call on a thread that may.
    pub fn revoke_token(&self, who: &Principal, id: CredentialId) -> Result<(), PeopleError> {
        self.change(|_, batch| {
            batch.end(id, self.row::<TokenRow>(&key_of(who.as_str(), id))?);
            Ok(())
        })
    }
}

fn new_row(who: &Principal, new: NewToken, now: Moment) -> (Secret, TokenRow) {
    let (secret, NewToken { name, scopes, expires }) = (Secret::new(Kind::Token), new);
    let token = Token { id: CredentialId::new(), who: who.clone(), name, scopes, created: now, expires, last_used: None };
    let row = TokenRow { secret: secret.hash(), token };
    (secret, row)
}

fn used(memory: &Memory, row: &TokenRow) -> Option<Moment> {
    memory.credentials.get(&row.secret).and_then(|credential| credential.last_seen()).or(row.token.last_used)
}

impl Row for TokenRow {
    const TABLE: Table = Table::Tokens;

    fn key(&self) -> String {
        key_of(self.token.who.as_str(), self.token.id)
    }

    fn enter(&self, memory: &mut Memory) {
        let grants = Grants::Token { who: shared(memory, &self.token.who), scopes: self.token.scopes };
        let credential = Credential::new(self.token.id, grants, self.token.expires, 0, self.token.last_used);
        memory.credentials.insert(self.secret, credential.into());
    }

    fn leave(&self, memory: &mut Memory) {
        memory.credentials.remove(&self.secret);
    }
}
