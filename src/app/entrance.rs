//! The way in: the keys that a start prints, the provider that people may sign in by, and invitations whose acceptance a crash cut in two.

use std::sync::{Arc, OnceLock};

use super::{App, Current};
use crate::{
    actors::{CommandKey, Failure, Hosted, Request},
    config::{Config, Secret},
    domain::{
        CommandId, Context, Refusal, RefusalKind,
        household::{HouseholdCommand, HouseholdState, Households},
        list::{ListCommand, Lists, Role},
        rights::{Action, HouseholdRole, Rights},
    },
    oidc::{Limits, Provider, Settings},
    people::{Accepting, Setup, SetupKeys},
};

/// What opens the server to people, for one start.
#[derive(Debug)]
pub struct Entrance {
    /// The keys of the start.
    pub setup: Setup,
    /// Where others reach this server, without a slash at the end; unset where only this machine does.
    pub reached_at: OnceLock<String>,
    /// The `OpenID` provider, where one is configured.
    pub provider: Option<Arc<Provider>>,
}

impl Entrance {
    /// New keys, to be shown once, and the provider of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> (Arc<Self>, SetupKeys) {
        let (setup, keys) = Setup::new();
        (Arc::new(Self { setup, reached_at: OnceLock::new(), provider: provider(config).map(Arc::new) }), keys)
    }
}

fn provider(config: &Config) -> Option<Provider> {
    let issuer = config.oidc_issuer.as_ref()?.as_str().to_owned();
    let client_secret = config.oidc_client_secret.as_ref().map(Secret::expose).map(str::to_owned);
    Some(Provider::new(Settings { issuer, client_id: config.oidc_client_id.clone(), client_secret, limits: Limits::default() }))
}

/// What came of an acceptance.
#[derive(Debug)]
pub enum Joined {
    /// The person is a member, and the account may be used.
    Done,
    /// The inviter may not invite any more, or the household has no room: nothing was changed.
    Refused(Failure),
}

/// Completes an acceptance that has begun: in the name of the inviter the person joins the household and gets the lists, then the account
/// may be used. Each step may be repeated, so after a crash it is simply done again.
///
/// # Errors
/// When a step could not be done now; the acceptance stays begun.
pub async fn complete(app: &Current, accepting: &Accepting) -> Result<Joined, Failure> {
    let Accepting { invitation, who } = accepting;
    let role: HouseholdRole = invitation.role.parse().map_err(Failure::Internal)?;
    let join = HouseholdCommand::Join { member: who.clone(), role };
    let joined = match has_joined(app, accepting, role).await {
        Ok(true) => Ok(()),
        Ok(false) => in_the_name_of::<Households>(app, accepting, invitation.household.as_str(), join, Rights::Admin).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = joined {
        if !failure.is_refusal() {
            return Err(failure);
        }
        let (people, id) = (app.authority.people.clone(), invitation.id);
        blocking(move || people.cancel_accept(id)).await?.map_err(internal)?;
        return Ok(Joined::Refused(failure));
    }
    for list in &invitation.lists {
        let share = ListCommand::Share { member: who.clone(), role: Role::Editor };
        // A list that was archived or is no longer the inviter's to share is left out.
        match in_the_name_of::<Lists>(app, accepting, list.as_str(), share, app.authority.rights_of(&invitation.by)).await {
            Err(failure) if !failure.is_refusal() => return Err(failure),
            Ok(()) | Err(_) => {}
        }
    }
    let (people, id) = (app.authority.people.clone(), invitation.id);
    blocking(move || people.finish_accept(id)).await?.map_err(internal)?;
    super::catch_up(app, app.log.head()).await;
    Ok(Joined::Done)
}

/// Completes what a crash, or a disk that was full, left.
pub async fn recover(app: &Current) {
    let unfinished = match app.authority.people.unfinished() {
        Ok(unfinished) => unfinished,
        Err(error) => return tracing::error!(%error, "the invitations under way cannot be read"),
    };
    for accepting in unfinished {
        match complete(app, &accepting).await {
            Ok(Joined::Done) => tracing::info!(invitation = %accepting.invitation.id, "an acceptance that was cut off is complete"),
            Ok(Joined::Refused(failure)) => tracing::warn!(%failure, "an acceptance that was cut off is taken back"),
            Err(failure) => tracing::error!(%failure, "an acceptance that was cut off will be tried again"),
        }
    }
}

/// Whether the person has joined already: then a crash came after the join, and nothing is taken back. Until then the inviter must be one
/// who may invite. A new account has a name that no member had, so a member of that name is this person.
async fn has_joined(app: &App, accepting: &Accepting, role: HouseholdRole) -> Result<bool, Failure> {
    let invitation = &accepting.invitation;
    let unknown = || Refusal::new(RefusalKind::NotFound, "household_not_found", "there is no such household any more");
    let loaded = app.registry.load::<Households>(invitation.household.as_str()).await?;
    let HouseholdState::Active(household) = &loaded.state else { return Err(unknown().into()) };
    if household.members.get(&accepting.who) == Some(&role.current()) {
        return Ok(true);
    }
    // The inviter's rights of now: who lost the right to invite has lost it for open invitations too.
    let standing = household.standing(&invitation.by, &app.authority.rights_of(&invitation.by));
    standing.check(Action::ManageHousehold, unknown)?;
    Ok(false)
}

async fn in_the_name_of<E: Hosted>(app: &App, accepting: &Accepting, id: &str, command: E::Command, rights: Rights) -> Result<(), Failure> {
    let by = &accepting.invitation.by;
    let context = Context { who: by.clone(), by: None, at: app.clock.now(), rights };
    let name = format!("invitation:{}", accepting.invitation.id);
    let key = CommandId::new(&name).ok().map(|id| CommandKey { id, digest: 0 });
    let request = Request { command, more: Vec::new(), context, key, client: None, if_version: None };
    app.registry.execute::<E>(id, request).await.map(drop)
}

/// Runs work that blocks.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> Failure {
    Failure::Internal(error.to_string())
}
