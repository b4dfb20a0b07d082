//! The first account: created by somebody who can read what the server prints when it starts.

use std::{fmt, net::IpAddr};

use parking_lot::Mutex;

use super::{
    Account, DisplayName, Login, NewAccount, Password, People, PeopleError, Secret, SetupError,
    account::AccountRow,
    accounts::{check_free, is_set_up},
    secret::{Kind, SecretHash, typed_code},
};
use crate::domain::{Moment, Principal};

/// The principal of the first account: the one that a server without accounts records.
pub const FIRST_PRINCIPAL: &str = "local";
/// The login of an owner who has not chosen one.
const FIRST_LOGIN: &str = "owner";
/// Wrong codes after which only the link works.
const WRONG_CODES_MAX: u32 = 10;

/// The proofs of one start, kept in memory only and used once.
pub struct Setup {
    state: Mutex<State>,
}

struct State {
    link: SecretHash,
    code: SecretHash,
    wrong_codes: u32,
    used: bool,
    /// The link signed somebody in on this machine.
    opened: bool,
}

/// What is shown to the one who starts the server, once.
#[derive(Debug)]
pub struct SetupKeys {
    /// The end of a link.
    pub link: Secret,
    /// A code for typing.
    pub code: Secret,
}

/// The first account, as somebody enters it.
#[derive(Debug, Clone)]
pub struct FirstAccount {
    pub login: Login,
    pub name: DisplayName,
    pub password: Password,
}

impl Setup {
    /// New proofs.
    pub fn new() -> (Self, SetupKeys) {
        let keys = SetupKeys { link: Secret::new(Kind::Setup), code: Secret::new_code() };
        let code = SecretHash::new(typed_code(keys.code.expose()).unwrap_or_default().as_bytes());
        let state = State { link: keys.link.hash(), code, wrong_codes: 0, used: false, opened: false };
        (Self { state: Mutex::new(state) }, keys)
    }

    /// Creates the first account, an admin, for a link's secret or a typed code. Of two at once one succeeds.
    /// Blocks: call on a thread that may.
    pub fn set_up(
        &self,
        people: &People,
        proof: &str,
        first: FirstAccount,
        address: Option<IpAddr>,
        now: Moment,
    ) -> Result<Account, SetupError> {
        if people.is_set_up() || self.state.lock().used {
            return Err(SetupError::Done);
        }
        self.check(people, proof, address)?;
        let account = people.add_first(first, now)?;
        self.state.lock().used = true;
        Ok(account)
    }

    /// Whether a text is the secret of the link; true once.
    #[must_use]
    pub fn open(&self, proof: &str) -> bool {
        let mut state = self.state.lock();
        let is_it = SecretHash::presented(proof, &[Kind::Setup]).is_some_and(|hash| hash == state.link);
        is_it && !std::mem::replace(&mut state.opened, true)
    }

    /// Whether a text has the form of a link's secret.
    #[must_use]
    pub fn is_link(proof: &str) -> bool {
        SecretHash::presented(proof, &[Kind::Setup]).is_some()
    }

    fn check(&self, people: &People, proof: &str, address: Option<IpAddr>) -> Result<(), SetupError> {
        if let Some(hash) = SecretHash::presented(proof, &[Kind::Setup]) {
            return if hash == self.state.lock().link { Ok(()) } else { Err(SetupError::Wrong) };
        }
        let code = typed_code(proof).ok_or(SetupError::Wrong)?;
        people.inner.throttle.take_code(address).map_err(|retry_after| SetupError::Throttled { retry_after })?;
        self.check_code(&code)
    }

    fn check_code(&self, code: &str) -> Result<(), SetupError> {
        let mut state = self.state.lock();
        if state.wrong_codes >= WRONG_CODES_MAX {
            return Err(SetupError::CodeSpent);
        }
        if SecretHash::new(code.as_bytes()) == state.code {
            return Ok(());
        }
        state.wrong_codes += 1;
        Err(SetupError::Wrong)
    }
}

impl People {
    /// Makes sure that the owner has an account, without a way to sign in if it is new: the owner's browser and tokens need one before the
    /// server is set up. Blocks: call on a thread that may.
    ///
    /// # Errors
    /// The store cannot be written, or another account has the owner's login.
    pub fn ensure_owner(&self, now: Moment) -> Result<(), PeopleError> {
        let who = Principal::new(FIRST_PRINCIPAL).expect("the first principal is an id, because it is five letters");
        if self.account(&who).is_some() {
            return Ok(());
        }
        let (login, name) = (Login::new(FIRST_LOGIN)?, DisplayName::new("Owner")?);
        match self.add(&NewAccount { who, login, name, admin: true, password: None }, now) {
            Err(PeopleError::PrincipalTaken) => Ok(()),
            added => added.map(drop),
        }
    }

    /// Creates the first account, or gives one that nobody can sign in to its login and password.
    ///
    /// # Errors
    /// There is a first account, or its login is taken.
    pub fn add_first(&self, first: FirstAccount, now: Moment) -> Result<Account, SetupError> {
        let who = Principal::new(FIRST_PRINCIPAL).expect("the first principal is an id, because it is five letters");
        let FirstAccount { login, name, password } = first;
        let new = &NewAccount { who, login, name, admin: true, password: Some(password) };
        let password = self.hashed(new.password.as_ref())?;
        self.change(|memory, batch| {
            if is_set_up(memory) {
                return Err(SetupError::Done);
            }
            match check_free(memory, new) {
                Ok(()) | Err(PeopleError::PrincipalTaken) => {}
                Err(error) => return Err(error.into()),
            }
            let row = AccountRow::new(new, password, now);
            batch.put(row.clone());
            Ok(row.account)
        })
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}
