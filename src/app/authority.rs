//! The rights of this moment: the power of a credential, and the roles that households give to its account.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ahash::AHashMap;
use arc_swap::ArcSwapOption;
use parking_lot::RwLock;

use super::App;
use crate::{
    config::{CatalogWriters, Config, Secret},
    domain::{
        Moment, Principal,
        rights::{Action, Power, Reader, Rights, Roles, Verdict},
    },
    events::{
        Position,
        clock::{Clock, SystemClock},
    },
    live::{self, Grant, Rights as _, topic::Topic},
    people::{CredentialError, Identity, People},
    projections::SharedViews,
};

/// Accounts whose roles are kept; more make it start over. An entry takes some hundred bytes.
const KEPT_MAX: usize = 65_536;

/// How long a command waits for the roles to follow the log; then those that are known count.
const ROLES_WAIT: Duration = Duration::from_secs(5);
/// A longer text is no token of ours.
const TOKEN_BYTES_MAX: usize = 512;

/// Answers what somebody may do now. One for the whole life of a server, whatever history it serves.
pub struct Authority {
    views: ArcSwapOption<SharedViewsOf>,
    /// Raised whenever a membership changes; roles kept from before no longer count.
    generation: AtomicU64,
    kept: RwLock<AHashMap<Principal, (u64, Arc<Roles>)>>,
    admins_only: bool,
    /// Accounts and credentials.
    pub people: People,
    /// Of the configured token and of the key for this machine's terminal; hashes are compared in constant time, so that timing reveals
    /// nothing.
    owners: Vec<blake3::Hash>,
    clock: Arc<dyn Clock>,
}

/// The views of the served history.
struct SharedViewsOf(SharedViews);

impl Authority {
    /// Of a configuration; it knows nobody's roles until a history begins. `operator` is the key of this machine's terminal.
    #[must_use]
    pub fn of(config: &Config, people: People, operator: Option<&str>) -> Self {
        let owners = config.admin_token.as_ref().map(Secret::expose).into_iter().chain(operator);
        Self {
            views: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            kept: RwLock::default(),
            admins_only: config.catalog_writers == CatalogWriters::Admins,
            people,
            owners: owners.map(|token| blake3::hash(token.as_bytes())).collect(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// It is wrong, revoked or expired.
    pub fn identify(&self, token: &str) -> Result<Identity, CredentialError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(CredentialError::Unknown);
        }
        // Most tokens are people's: what they know is asked first, so that those are hashed once.
        let credential = match self.people.check(token, self.clock.now()) {
            Err(CredentialError::Unknown) => return self.owner(token).ok_or(CredentialError::Unknown),
            checked => checked?,
        };
        let identity = Identity::of(&credential, |who| self.people.is_admin(who));
        if self.is_lent(&identity) { Ok(identity) } else { Err(CredentialError::Unknown) }
    }

    /// Whether the maker of a link may still share its list; true for every other credential.
    fn is_lent(&self, identity: &Identity) -> bool {
        let (Power::Link(list), Some(by)) = (&identity.power, &identity.lent_by) else { return true };
        let reader = Reader { who: by.clone(), rights: self.rights_of(by) };
        let views = self.views.load();
        views.as_ref().is_some_and(|views| views.0.read().lists.standing(&reader, list).may(Action::ShareList) == Verdict::Allowed)
    }

    fn owner(&self, token: &str) -> Option<Identity> {
        let hash = blake3::hash(token.as_bytes());
        // `blake3::Hash` compares in constant time; which of the two it is tells nothing of either.
        self.owners.contains(&hash).then(Identity::owner)
    }

    /// Looks into the views of another history from now on.
    pub fn begin_history(&self, views: &SharedViews) {
        self.views.store(Some(Arc::new(SharedViewsOf(Arc::clone(views)))));
        self.memberships_changed();
    }

    /// What a live session may use until its credential ends.
    #[must_use]
    pub fn grant(&self, identity: Identity) -> Grant {
        let left = |until: Moment| Duration::from_micros(u64::try_from(until.0.saturating_sub(self.clock.now().0)).unwrap_or(0));
        let until = identity.until.and_then(|until| Instant::now().checked_add(left(until)));
        Grant { identity, until }
    }

    /// The rights of an identity.
    #[must_use]
    pub fn rights(&self, identity: &Identity) -> Rights {
        match &identity.power {
            Power::Admin => Rights::Admin,
            Power::Account => Rights::Account(self.roles(&identity.who)),
            Power::Link(list) => Rights::Link(list.clone()),
            Power::Nobody => Rights::Nobody,
        }
    }

    /// The rights that somebody has now, whatever credential shows it.
    #[must_use]
    pub fn rights_of(&self, who: &Principal) -> Rights {
        if self.is_admin(who) { Rights::Admin } else { Rights::Account(self.roles(who)) }
    }

    /// Whether somebody administers this server.
    #[must_use]
    pub fn is_admin(&self, who: &Principal) -> bool {
        *who == Identity::owner().who || self.people.is_admin(who)
    }

    /// What an identity may read.
    #[must_use]
    pub fn reader(&self, identity: &Identity) -> Reader {
        Reader { who: identity.who.clone(), rights: self.rights(identity) }
    }

    /// The roles of an account.
    #[must_use]
    pub fn roles(&self, who: &Principal) -> Arc<Roles> {
        // Read first: what is looked up after it is at least as new.
        let generation = self.generation.load(Ordering::Acquire);
        if let Some((of, roles)) = self.kept.read().get(who)
            && *of == generation
        {
            return Arc::clone(roles);
        }
        let households = self.views.load().as_ref().map(|views| views.0.read().households.roles_of(who)).unwrap_or_default();
        let roles = Arc::new(Roles::new(households, self.people.is_invited(who), self.admins_only));
        let mut kept = self.kept.write();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(who.clone(), (generation, Arc::clone(&roles)));
        roles
    }
}

/// Waits until the views show a position, so that the roles of everybody do; gives up after some seconds.
pub async fn catch_up(app: &App, position: Position) {
    let mut applied = app.applied.clone();
    let arrived = tokio::time::timeout(ROLES_WAIT, applied.wait_for(|applied| *applied >= position)).await;
    if !matches!(arrived, Ok(Ok(_))) {
        tracing::warn!(%position, "the views are behind: roles are not up to date");
    }
}

impl live::Rights for Authority {
    fn may_follow(&self, identity: &Identity, topic: &Topic) -> bool {
        if !self.is_lent(identity) {
            return false;
        }
        let reader = self.reader(identity);
        let (standing, action) = match topic {
            Topic::List(list) => {
                let views = self.views.load();
                let standing = match (&reader.rights, views.as_ref()) {
                    (Rights::Admin, _) | (_, None) => reader.rights.to_catalog(),
                    (Rights::Account(_) | Rights::Link(_) | Rights::Nobody, Some(views)) => views.0.read().lists.standing(&reader, list),
                };
                (standing, Action::SeeList)
            }
            Topic::Product(_) | Topic::Deals(_) => (reader.rights.to_catalog(), Action::SeeCatalog),
            Topic::Household(household) => (reader.rights.in_household(household), Action::SeeHousehold),
            Topic::Orders(household) => (reader.rights.in_household(household), Action::SeeSpending),
            Topic::System => (reader.rights.to_catalog(), Action::RunServer),
        };
        standing.may(action) == Verdict::Allowed
    }

    fn admit(&self, token: &str) -> Option<Grant> {
        self.identify(token).ok().map(|identity| self.grant(identity))
    }

    fn memberships_changed(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("generation", &self.generation).field("admins_only", &self.admins_only).finish_non_exhaustive()
    }
}
