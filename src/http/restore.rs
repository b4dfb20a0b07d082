//! Brings one list or household back to an earlier state, by new events: nothing that happened since is erased.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::Json,
    caller::Caller,
    checks::{Checked, household_exists, product_exists, store_currency},
    commands::execute,
    diff::{MomentView, prefix},
    error::{Problem, ProblemBody, RETRY_AFTER_SECONDS},
    past::{self, blocking},
    reads::{Id, json},
    timeline::{not_yet, stream_of, unknown},
};
use crate::{
    actors::{CommandKey, Request},
    app::{App, Current},
    domain::{
        HouseholdId, ListId, StreamId,
        household::{HouseholdDiff, HouseholdState, Households},
        list::{ListDiff, ListState, Lists},
        restore::{Restorable, Restored},
        system::{ADMIN, System, SystemEvent},
        undo::Undo,
    },
    events::{At, Position},
    projections::commands::{restore_name, state_of},
};

/// Commands recorded as one append. Only a list of hundreds of items needs more, and an append is limited.
const COMMANDS_PER_APPEND_MAX: usize = 400;
/// Appends of one restore, including those that lost a race.
const APPENDS_MAX: usize = 64;

/// `POST /lists/{id}/restore`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BringBack {
    /// A position or a time.
    #[schema(value_type = String)]
    at: At,
    /// Changes nothing and returns what would happen.
    #[serde(default)]
    preview: bool,
}

/// Where a past state comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The moment of it.
    pub position: Position,
    /// The snapshot it was read from, unless this server's own log.
    pub snapshot: Option<&'a str>,
}

/// The result of bringing an entity back.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroughtBack<D> {
    pub id: String,
    /// Nothing was changed: this is what would happen.
    pub preview: bool,
    /// The entity's version after it.
    pub version: u64,
    /// The position of its last event; the log's head if nothing was to be done.
    #[schema(value_type = String)]
    pub position: Position,
    /// Commands sent; none if nothing differed.
    pub commands: usize,
    /// What it changes.
    pub changes: D,
    /// What stays different, and why.
    pub notes: Vec<String>,
}

/// The answer: the result, and its moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct BroughtBackTo<D> {
    pub to: MomentView,
    #[serde(flatten)]
    pub restored: BroughtBack<D>,
}

/// Brings a list back to what it was at a position or time. Removed items come back under new ids.
#[utoipa::path(post, path = "/api/v1/lists/{id}/restore", tag = "undo", params(("id" = ListId, Path)), request_body = BringBack,
    responses((status = 200, body = BroughtBackTo<ListDiff>), (status = "4XX", body = ProblemBody)))]
pub async fn of_list(app: Current, caller: Caller, Id(id): Id<ListId>, Json(body): Json<BringBack>) -> Result<HttpResponse, Problem> {
    answer::<Lists>(&app, &caller, id.as_str(), body).await
}

/// Brings a household back to what it was at a position or time.
#[utoipa::path(post, path = "/api/v1/households/{id}/restore", tag = "undo", params(("id" = HouseholdId, Path)), request_body = BringBack,
    responses((status = 200, body = BroughtBackTo<HouseholdDiff>), (status = "4XX", body = ProblemBody)))]
pub async fn of_household(
    app: Current,
    caller: Caller,
    Id(id): Id<HouseholdId>,
    Json(body): Json<BringBack>,
) -> Result<HttpResponse, Problem> {
    answer::<Households>(&app, &caller, id.as_str(), body).await
}

async fn answer<E: Referring + Undo>(app: &App, caller: &Caller, id: &str, body: BringBack) -> Result<HttpResponse, Problem> {
    let stream = stream_of::<E>(id)?;
    let history = past::history(app, &stream).await?;
    if history.is_empty() {
        return Err(unknown::<E>(id));
    }
    let point = past::point(app, body.at, "/at").await?;
    let events = prefix(&history, point);
    if events == 0 {
        return Err(not_yet::<E>(id, &body.at));
    }
    let past = blocking(move || state_of::<E>(&history[..events])).await?;
    let origin = Origin { position: point.position, snapshot: None };
    let restored = bring_back::<E>(app, caller, &stream, past, origin, body.preview).await?;
    json(&BroughtBackTo { to: point.into(), restored })
}

/// Brings an entity back to a past state, wherever it was read, and records that. A missing one is
/// created. A preview decides everything and records nothing.
///
/// # Errors
/// The entity's failure. What was recorded before stays; a repetition does the rest.
pub async fn bring_back<E: Referring>(
    app: &App,
    caller: &Caller,
    stream: &StreamId,
    mut past: E::State,
    origin: Origin<'_>,
    preview: bool,
) -> Result<BroughtBack<E::Diff>, Problem> {
    let left_out = E::leave_unknown(app, &mut past).await?;
    let mut begun = None;
    // Planned again each time from the current state: after a lost race, and for the rest of a long change.
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
    let detail = format!("{stream} changed again and again while it was brought back: try again");
    Err(Problem::unavailable("overloaded", detail, RETRY_AFTER_SECONDS))
}

async fn plan<E: Referring>(
    caller: &Caller,
    stream: &StreamId,
    now: E::State,
    past: E::State,
    version: u64,
) -> Result<Restored<E>, Problem> {
    let (stream, context) = (stream.clone(), caller.context());
    blocking(move || E::restore(&now, &past, &stream, version, &context)).await
}

/// Lets commands be decided as one, at exactly this version. `None` after a lost race.
async fn append<E: Referring>(
    app: &App,
    caller: &Caller,
    stream: &StreamId,
    to: Position,
    commands: Vec<E::Command>,
    version: u64,
) -> Result<Option<(u64, Position)>, Problem> {
    let (id, digest) = restore_name(stream, to, version);
    let Some(request) = caller.own_request(commands, CommandKey { id, digest }, version) else {
        return Ok(Some((version, app.log.head())));
    };
    match execute::<E>(app, stream.id(), request).await {
        Ok(done) => Ok(Some((done.version, done.position))),
        Err(problem) if problem.code() == "version_mismatch" => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Records it among the admin actions. The entity's own events are already recorded, so a failure is only noted.
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
pub trait Referring: Restorable + Checked {
    /// Leaves out what is unknown here, and notes it.
    ///
    /// # Errors
    /// When the others cannot be looked up.
    #[expect(async_fn_in_trait, reason = "handlers run on one thread each, so nobody needs the future to be Send")]
    async fn leave_unknown(app: &App, past: &mut Self::State) -> Result<Vec<String>, Problem>;
}

impl Referring for Lists {
    async fn leave_unknown(app: &App, past: &mut ListState) -> Result<Vec<String>, Problem> {
        let (ListState::Active(list) | ListState::Archived(list)) = past else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        if let Some(store) = &list.store
            && is_unknown(store_currency(app, store, "/store").await)?
        {
            notes.push(format!("store {store} is unknown here: no store is chosen"));
            list.store = None;
        }
        if let Some(household) = &list.household
            && is_unknown(household_exists(app, household, "/household").await)?
        {
            notes.push(format!("household {household} is unknown here: the list belongs to no household"));
            list.household = None;
        }
        for item in list.items.values_mut() {
            if let Some(product) = &item.product
                && is_unknown(product_exists(app, product, "/product").await)?
            {
                notes.push(format!("product {product} is unknown here: “{}” is not matched to a product", item.name));
                item.product = None;
            }
        }
        Ok(notes)
    }
}

impl Referring for Households {
    async fn leave_unknown(app: &App, past: &mut HouseholdState) -> Result<Vec<String>, Problem> {
        let HouseholdState::Active(household) = past else { return Ok(Vec::new()) };
        let mut notes = Vec::new();
        for store in household.stores.clone() {
            if is_unknown(store_currency(app, &store, "/stores").await)? {
                notes.push(format!("store {store} is unknown here: it is left out"));
                household.stores.remove(&store);
            }
        }
        Ok(notes)
    }
}

/// Whether a look-up found nothing.
fn is_unknown<T>(found: Result<T, Problem>) -> Result<bool, Problem> {
    match found {
        Ok(_) => Ok(false),
        Err(problem) if problem.status().is_client_error() => Ok(true),
        Err(problem) => Err(problem),
    }
}
