//! Households: create, read, change, and their spending.

use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::{
    body::{Json, Tagged},
    commands::{CommandAnswer, make, run},
    error::{Problem, ProblemBody},
    protocol::{HouseholdView, NewHousehold},
    reads::{AfterQuery, Id, Page, PageQuery, Query, id_mark, page_limit},
    travel::{self, Shown},
};
use crate::{
    app::Current,
    commands::Caller,
    domain::{
        HouseholdId, Moment,
        household::{HouseholdCommand, HouseholdState, Households},
        rights::{Action, Reader, Verdict},
    },
    events::{At, Position},
    past::{Past, PastStates},
    projections::{HouseholdEntry, Spend, Views, totals::TotalsView},
};

/// Creates a household; its creator becomes its owner.
#[utoipa::path(post, path = "/api/v1/households", tag = "households", request_body = NewHousehold,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, caller: Caller, Json(body): Json<NewHousehold>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    let id = caller.id_for(body.id, "household", HouseholdId::new)?;
    let command = HouseholdCommand::Create { name: body.name };
    make::<Households>(&app, id.as_str(), caller.request(id.as_str(), command)).await
}

/// A household in a list of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HouseholdRow {
    pub id: HouseholdId,
    pub household: HouseholdEntry,
}

impl HouseholdRow {
    /// A row of the view.
    #[must_use]
    pub fn of((id, household): (&HouseholdId, &HouseholdEntry)) -> Self {
        Self { id: id.clone(), household: household.clone() }
    }
}

/// Lists the households, by id.
#[utoipa::path(get, path = "/api/v1/households", tag = "households", params(PageQuery), responses((status = 200, body = Page<HouseholdRow>)))]
pub async fn index(app: Current, reader: Reader, request: HttpRequest, Query(query): Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = id_mark::<HouseholdId>(query.cursor.as_deref())?;
    travel::board(app, &request, travel::when(query.at, query.after)?, move |views, _| {
        let entries: Vec<_> = views.households.page(&reader, after.as_ref(), limit + 1).into_iter().map(HouseholdRow::of).collect();
        Ok(Page::cut(entries, limit, |row| row.id.to_string()))
    })
    .await
}

/// Shows a household.
#[utoipa::path(get, path = "/api/v1/households/{id}", tag = "households", params(("id" = HouseholdId, Path), AfterQuery),
    responses((status = 200, body = HouseholdView), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<HouseholdId>,
    Query(query): Query<AfterQuery>,
) -> Result<HttpResponse, Problem> {
    travel::show::<Households>(app, request, id, query).await
}

impl Shown for Households {
    type Id = HouseholdId;
    type Seen<'a> = HouseholdView<'a>;

    fn seen<'a>(id: &'a HouseholdId, version: u64, position: Position, state: &'a HouseholdState) -> Result<HouseholdView<'a>, Problem> {
        let HouseholdState::Active(household) = state else { return Err(unknown(id)) };
        Ok(HouseholdView::of(id.as_str(), version, position, household))
    }

    fn unknown(id: &HouseholdId) -> Problem {
        unknown(id)
    }

    fn histories(past: &Past) -> &PastStates<Self> {
        &past.households
    }
}

/// Any command of the household: join, change a role, leave, set the budget, choose stores.
#[utoipa::path(post, path = "/api/v1/households/{id}/commands", tag = "households", params(("id" = HouseholdId, Path)), request_body = HouseholdCommand,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn command(
    app: Current,
    caller: Caller,
    Id(id): Id<HouseholdId>,
    Json(body): Json<Tagged<HouseholdCommand>>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run::<Households>(&app, id.as_str(), caller.request(id.as_str(), body.command)).await
}

/// The period of the spending.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpendQuery {
    from: Option<Moment>,
    /// Exclusive.
    to: Option<Moment>,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    at: Option<At>,
}

/// Shows what a household spent: in total, by month and by store, per currency. An imported one need not be created first.
#[utoipa::path(get, path = "/api/v1/households/{id}/spend", tag = "households", params(("id" = HouseholdId, Path), SpendQuery),
    responses((status = 200, body = Spend), (status = 404, body = ProblemBody)))]
pub async fn spend(
    app: Current,
    request: HttpRequest,
    Id(id): Id<HouseholdId>,
    Query(query): Query<SpendQuery>,
) -> Result<HttpResponse, Problem> {
    if let (Some(from), Some(to)) = (query.from, query.to)
        && from > to
    {
        return Err(Problem::malformed("invalid_parameter", "from must not be later than to").at("/from"));
    }
    travel::board(app, &request, travel::when(query.at, query.after)?, move |views, _| {
        if !views.knows_household(&id) {
            return Err(unknown(&id));
        }
        Ok(views.spend(&id, query.from, query.to))
    })
    .await
}

/// Refuses a household that is not known, or that the reader must not know of.
///
/// # Errors
/// 404.
pub fn known(views: &Views, reader: &Reader, household: Option<&HouseholdId>) -> Result<(), Problem> {
    let seen = |household: &HouseholdId| reader.rights.in_household(household).may(Action::SeeHousehold) == Verdict::Allowed;
    match household.filter(|household| !seen(household) || !views.knows_household(household)) {
        Some(household) => Err(unknown(household)),
        None => Ok(()),
    }
}

/// There is no such household (404).
#[must_use]
pub fn unknown(id: &HouseholdId) -> Problem {
    Problem::not_found("household_not_found", format!("there is no household {id}"))
}
