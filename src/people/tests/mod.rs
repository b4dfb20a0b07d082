//! The rules of accounts and credentials, with hashes that cost next to nothing and a clock that the tests move.

mod accounts;
mod backup;
mod cost;
mod credentials;
mod invitations;
mod secrecy;
mod setup;
mod sign_in;
mod store;
mod throttle;

use std::{
    net::IpAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::*;
use crate::domain::{Moment, Principal, moment::DAY_MICROS};

/// A noon in 2026.
const NOW: Moment = Moment(1_780_000_000_000_000);
const PASSWORD: &str = "correct horse";

/// A store with the clock of its throttles.
struct Rig {
    people: People,
    ticks: Arc<AtomicU64>,
}

impl Rig {
    fn new() -> Self {
        Self::with(People::in_memory)
    }

    fn at(folder: &Path) -> Self {
        Self::with(|options| People::open_with(folder, options))
    }

    fn with(open: impl FnOnce(Options) -> Result<People, PeopleError>) -> Self {
        let ticks = Arc::new(AtomicU64::new(0));
        let read = ticks.clone();
        let options = Options { cost: cheap(), ticks: Ticks::new(move || Duration::from_secs(read.load(Relaxed))) };
        Self { people: open(options).expect("the store opens"), ticks }
    }

    fn pass(&self, seconds: u64) {
        self.ticks.fetch_add(seconds, Relaxed);
    }

    fn add(&self, text: &str, admin: bool) -> Principal {
        self.people.add(&new(text, admin), NOW).expect("login and principal are free").who
    }

    fn session(&self, who: &Principal) -> (Secret, Session) {
        self.people.create_session(who, NewSession::default(), None, NOW).expect("a session begins")
    }

    fn try_from(&self, login: &str, password: &str, address: &str) -> Result<(Secret, Session), SignInError> {
        let attempt = Attempt { login, password, address: Some(ip(address)), device: "phone", rotate: None };
        self.people.sign_in(attempt, NOW)
    }

    /// What is told from now on.
    fn told(&self) -> Arc<Mutex<Vec<Ended>>> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        self.people.on_end(move |ended| kept.lock().push(ended.clone()));
        told
    }
}

fn cheap() -> Cost {
    Cost { memory_kib: 8, passes: 1, lanes: 1 }
}

fn new(text: &str, admin: bool) -> NewAccount {
    NewAccount { who: who(text), login: login(text), name: name(text), admin, password: Some(password(PASSWORD)) }
}

fn password(text: &str) -> Password {
    Password::new(text, &login("somebody"), &name("Somebody")).expect("a test's password keeps the rules")
}

fn who(text: &str) -> Principal {
    Principal::new(text).expect("a test's principal is an id")
}

fn login(text: &str) -> Login {
    Login::new(text).expect("a test's login")
}

fn name(text: &str) -> DisplayName {
    DisplayName::new(text).expect("a test's name")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("a test's address")
}

fn after_days(days: i64) -> Moment {
    Moment(NOW.0 + days * DAY_MICROS)
}
