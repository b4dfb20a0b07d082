//! Stores: register, read, change.

use actix_web::{HttpRequest, HttpResponse};

use super::{
    body::{Json, Tagged},
    commands::{CommandAnswer, make, run},
    error::{Problem, ProblemBody},
    protocol::{ChangeStore, NewStore, StoreView},
    reads::{AfterQuery, Id, Page, PageQuery, Query, id_mark, page_limit},
    travel::{self, Shown},
};
use crate::{
    app::Current,
    commands::Caller,
    domain::{
        StoreId,
        store::{StoreCommand, StoreState, Stores},
    },
    events::Position,
    past::{Past, PastStates},
    projections::{AsOf, StoreEntry, totals::TotalsView},
};

/// Registers a store. A repetition with the same id and details changes nothing.
#[utoipa::path(post, path = "/api/v1/stores", tag = "stores", request_body = NewStore,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, caller: Caller, Json(body): Json<NewStore>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let id = caller.id_for(body.id.clone(), "store", StoreId::new)?;
    let command = StoreCommand::Register(body.details());
    make::<Stores>(&app, id.as_str(), caller.request(id.as_str(), command)).await
}

/// Lists the stores, in order of registration.
#[utoipa::path(get, path = "/api/v1/stores", tag = "stores", params(PageQuery), responses((status = 200, body = Page<StoreEntry>)))]
pub async fn index(app: Current, request: HttpRequest, Query(query): Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = id_mark::<StoreId>(query.cursor.as_deref())?;
    travel::catalogue(app, &request, travel::when(query.at, query.after)?, move |known, _| {
        Ok(Page::cut(known.stores(after.as_ref(), limit + 1), limit, |store| store.id.to_string()))
    })
    .await
}

/// Shows a store.
#[utoipa::path(get, path = "/api/v1/stores/{id}", tag = "stores", params(("id" = StoreId, Path), AfterQuery),
    responses((status = 200, body = StoreView), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<StoreId>,
    Query(query): Query<AfterQuery>,
) -> Result<HttpResponse, Problem> {
    travel::show::<Stores>(app, request, id, query).await
}

impl Shown for Stores {
    type Id = StoreId;
    type Seen<'a> = StoreView<'a>;

    fn seen<'a>(id: &'a StoreId, version: u64, position: Position, state: &'a StoreState) -> Result<StoreView<'a>, Problem> {
        let StoreState::Registered(store) = state else { return Err(unknown(id)) };
        Ok(StoreView::of(id.as_str(), version, position, store))
    }

    fn unknown(id: &StoreId) -> Problem {
        unknown(id)
    }

    fn histories(past: &Past) -> &PastStates<Self> {
        &past.stores
    }
}

/// Changes a store's details, or the order of its aisles.
#[utoipa::path(patch, path = "/api/v1/stores/{id}", tag = "stores", params(("id" = StoreId, Path)), request_body = ChangeStore,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn change(app: Current, caller: Caller, Id(id): Id<StoreId>, Json(body): Json<ChangeStore>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let command = intent(body)?;
    let answer = run::<Stores>(&app, id.as_str(), caller.request(id.as_str(), command)).await;
    answer.map_err(|problem| problem.renamed("/categories", "/aisle_order"))
}

/// Any command of the store, as over the socket.
#[utoipa::path(post, path = "/api/v1/stores/{id}/commands", tag = "stores", params(("id" = StoreId, Path)), request_body = StoreCommand,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn command(
    app: Current,
    caller: Caller,
    Id(id): Id<StoreId>,
    Json(body): Json<Tagged<StoreCommand>>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run::<Stores>(&app, id.as_str(), caller.request(id.as_str(), body.command)).await
}

fn intent(body: ChangeStore) -> Result<StoreCommand, Problem> {
    let ChangeStore { command_id: _, name, chain, country, time_zone, aisle_order } = body;
    let details = name.is_some() || chain.is_some() || country.is_some() || time_zone.is_some();
    match (details, aisle_order) {
        (true, None) => Ok(StoreCommand::ChangeDetails { name, chain, country, time_zone }),
        (false, Some(categories)) => Ok(StoreCommand::LearnAisleOrder { categories }),
        (true, Some(_)) => {
            Err(Problem::invalid("one_intent_only", "/aisle_order", "change the details and the aisle order in two requests"))
        }
        (false, None) => Err(Problem::invalid("nothing_to_change", "", "give at least one field to change")),
    }
}

/// Refuses a store that is not known.
///
/// # Errors
/// 404.
pub fn known(views: AsOf<'_>, store: Option<&StoreId>) -> Result<(), Problem> {
    match store.filter(|store| views.store(store).is_none()) {
        Some(store) => Err(unknown(store)),
        None => Ok(()),
    }
}

/// There is no such store (404).
#[must_use]
pub fn unknown(id: &StoreId) -> Problem {
    Problem::not_found("store_not_found", format!("there is no store {id}"))
}
