//! Brings one list or household back to a past state, by new events: nothing that happened since is erased.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Caller, execute, references, stream::blocking};
use crate::{
    actors::{CommandKey, Failure, Hosted, Request},
    app::App,
    domain::{
        StreamId,
        household::{HouseholdState, Households},
        list::{ListState, Lists},
        references::{Found, Referent},
        restore::{Restorable, Restored},
        system::{ADMIN, System, SystemEvent},
    },
    events::Position,
    projections::commands::restore_name,
};

/// Commands recorded as one append. Only a list of hundreds of items needs more, and what one append may hold is limited.
const COMMANDS_PER_APPEND_MAX: usize = 400;
/// Appends of one restore, those included that somebody was quicker than.
const APPENDS_MAX: usize = 64;

/// Where a past state comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The moment of it.
    pub position: Position,
    /// The snapshot it was read from, if not this server's own log.
    pub snapshot: Option<&'a str>,
}

/// What came of bringing an entity back.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroughtBack<D> {
    pub id: String,
    /// Nothing was changed: this is what would happen.
    pub preview: bool,
    /// The entity's version after it.
    pub version: u64,
    /// Where its last event is; the log's head if nothing was to be done.
    #[schema(value_type = String)]
    pub position: Position,
    /// Commands given; none if it was so already.
    pub commands: usize,
    /// What is changed by it.
    pub changes: D,
    /// What stays different, and why.
    pub notes: Vec<String>,
}

/// Brings an entity back to a past state, wherever that was read, and records that it was done. One that does not exist is
/// made. A preview decides everything and records nothing.
///
/// # Errors
/// Whatever the entity fails at. What was recorded before stays; to repeat it does the rest.
pub async fn bring_back<E: Referring>(
    app: &App,
    caller: &Caller,
    stream: &StreamId,
    mut past: E::State,
    origin: Origin<'_>,
    preview: bool,
) -> Result<BroughtBack<E::Diff>, Failure> {
    let left_out = E::leave_unknown(app, &mut past).await?;
    let mut begun = None;
    // Planned again each time from what it is by then: after somebody was quicker, and for the rest of a long way.
    for _ in 0..APPENDS_MAX {
        let loaded = app.registry.load::<E>(stream.id()).await?;
        let planned = plan::<E>(caller, stream, loaded.state.clone(), past.clone(), loaded.version).await?;
        let (changes, mut commands) = (E::diff(&loaded.state, &planned.plan.after), planned.plan.commands);
        let is_begun = begun.is_some();
        let mut answer = begun.take().unwrap_or_else(|| BroughtBack {
            id: stream.id().to_owned(),
            preview,
            version: loaded.version,
            position: app.log.head(),
            commands: commands.len(),
            changes,
            notes: [left_out.clone(), planned.notes].concat(),
        });
        if preview || (commands.is_empty() && !is_begun) {
            return Ok(answer);
        }
        let is_all = commands.len() <= COMMANDS_PER_APPEND_MAX;
        commands.truncate(COMMANDS_PER_APPEND_MAX);
        let appended = append::<E>(app, caller, stream, origin.position, commands, loaded.version).await?;
        if let Some((version, position)) = appended {
            (answer.version, answer.position) = (version, position);
        }
        if is_all && appended.is_some() {
            answer.notes.extend(record(app, caller, stream, origin).await);
            return Ok(answer);
        }
        begun = (is_begun || appended.is_some()).then_some(answer);
    }
    Err(Failure::Contended(stream.clone()))
}

async fn plan<E: Referring>(
    caller: &Caller,
    stream: &StreamId,
    now: E::State,
    past: E::State,
    version: u64,
) -> Result<Restored<E>, Failure> {
    let (stream, context) = (stream.clone(), caller.context());
    blocking(move || E::restore(&now, &past, &stream, version, &context)).await
}

/// Has commands decided as one, on this very version. `None` if somebody was quicker.
async fn append<E: Referring>(
    app: &App,
    caller: &Caller,
    stream: &StreamId,
    to: Position,
    commands: Vec<E::Command>,
    version: u64,
) -> Result<Option<(u64, Position)>, Failure> {
    let (id, digest) = restore_name(stream, to, version);
    let Some(request) = caller.own_request(commands, CommandKey { id, digest }, version) else {
        return Ok(Some((version, app.log.head())));
    };
    match execute::<E>(app, stream.id(), request).await {
        Ok(done) => Ok(Some((done.version, done.position))),
        Err(Failure::VersionMismatch { .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Records among the admin actions that it was done. The entity's own events are there already, so a failure is only noted.
async fn record(app: &App, caller: &Caller, stream: &StreamId, origin: Origin<'_>) -> Option<String> {
    let snapshot = origin.snapshot.map(str::to_owned);
    let command = SystemEvent::StreamRestored { stream: stream.to_string(), position: origin.position.0, snapshot };
    let (context, client) = (caller.context(), caller.client.clone());
    let request = Request { command, more: Vec::new(), context, key: None, client, if_version: None };
    let failure = app.registry.execute::<System>(ADMIN, request).await.err()?;
    tracing::warn!(%stream, %failure, "a restore could not be recorded among the admin actions");
    Some("it was restored, but this could not be recorded among the admin actions".into())
}

/// An entity that refers to others, which may be unknown here when its past comes from a snapshot.
pub trait Referring: Restorable + Hosted {
    /// Leaves out what nobody knows here, and says so.
    ///
    /// # Errors
    /// When the others cannot be asked.
    #[expect(async_fn_in_trait, reason = "handlers run on one thread each, so nobody needs the future to be Send")]
    async fn leave_unknown(app: &App, past: &mut Self::State) -> Result<Vec<String>, Failure>;
}

impl Referring for Lists {
    async fn leave_unknown(app: &App, past: &mut ListState) -> Result<Vec<String>, Failure> {
        let (ListState::Active(list) | ListState::Archived(list)) = past else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        if let Some(store) = &list.store
            && is_unknown(app, Referent::Store(store)).await?
        {
            notes.push(format!("store {store} is unknown here: no store is chosen"));
            list.store = None;
        }
        if let Some(household) = &list.household
            && is_unknown(app, Referent::Household(household)).await?
        {
            notes.push(format!("household {household} is unknown here: the list belongs to no household"));
            list.household = None;
        }
        let mut unmatched = Vec::new();
        for (id, item) in &list.items {
            if let Some(product) = &item.product
                && is_unknown(app, Referent::Product(product)).await?
            {
                notes.push(format!("product {product} is unknown here: “{}” is not matched to a product", item.name));
                unmatched.push(id.clone());
            }
        }
        unmatched.iter().for_each(|id| list.items.change(id, |item| item.product = None));
        Ok(notes)
    }
}

impl Referring for Households {
    async fn leave_unknown(app: &App, past: &mut HouseholdState) -> Result<Vec<String>, Failure> {
        let HouseholdState::Active(household) = past else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        for store in household.stores.clone() {
            if is_unknown(app, Referent::Store(&store)).await? {
                notes.push(format!("store {store} is unknown here: it is left out"));
                household.stores.remove(&store);
            }
        }
        Ok(notes)
    }
}

async fn is_unknown(app: &App, to: Referent<'_>) -> Result<bool, Failure> {
    Ok(references::find(app, to).await? == Found::Nothing)
}
