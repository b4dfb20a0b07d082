//! The rights of this moment: the power of a credential, and the roles that households give to its account.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use parking_lot::RwLock;

use crate::{
    config::{CatalogWriters, Config},
    domain::{
        Moment, Principal,
        rights::{Action, Power, Reader, Rights, Roles, Verdict},
    },
    events::clock::{Clock, SystemClock},
    live::{self, Grant, Rights as _, topic::Topic},
    people::{CredentialError, Identity},
    projections::SharedViews,
};

/// Accounts whose roles are kept; more make it start over. An entry takes some hundred bytes.
const KEPT_MAX: usize = 65_536;

/// Answers what somebody may do now. One for the whole life of a server, whatever history it serves.
pub struct Authority {
    views: ArcSwapOption<SharedViewsOf>,
    /// Raised whenever a membership changes; roles kept from before no longer count.
    generation: AtomicU64,
    kept: RwLock<HashMap<Principal, (u64, Arc<Roles>)>>,
    admins_only: bool,
    /// Of the configured token; hashes are compared in constant time, so that timing reveals nothing.
    token: Option<blake3::Hash>,
    clock: Arc<dyn Clock>,
}

/// The views of the served history.
struct SharedViewsOf(SharedViews);

impl Authority {
    /// Of a configuration; it knows nobody's roles until a history begins.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let token = config.admin_token.as_ref().map(|token| blake3::hash(token.expose().as_bytes()));
        Self {
            views: ArcSwapOption::empty(),
            generation: AtomicU64::new(0),
            kept: RwLock::default(),
            admins_only: config.catalog_writers == CatalogWriters::Admins,
            token,
            clock: Arc::new(SystemClock),
        }
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// It is wrong, revoked or expired.
    pub fn identify(&self, token: &str) -> Result<Identity, CredentialError> {
        // `blake3::Hash` compares in constant time.
        if self.token.is_some_and(|expected| blake3::hash(token.as_bytes()) == expected) {
            return Ok(Identity::owner());
        }
        Err(CredentialError::Unknown)
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
        let roles = Arc::new(Roles::new(households, self.admins_only));
        let mut kept = self.kept.write();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(who.clone(), (generation, Arc::clone(&roles)));
        roles
    }
}

impl live::Rights for Authority {
    fn may_follow(&self, identity: &Identity, topic: &Topic) -> bool {
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
