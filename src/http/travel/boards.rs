//! Whole boards as they were, from the second set of views.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Bytes};

use super::{Asked, read};
use crate::{
    app::Current,
    domain::{HouseholdId, Moment, OrderId},
    events::{At, Point},
    http::{
        body::render,
        error::Problem,
        households::{self, HouseholdRow},
        reads::Page,
        stores,
    },
    past::{BoardsError, sweep},
    projections::{DealQuery, ListQuery, Views},
};

/// Seconds after which the board may be free.
const BUSY_RETRY_SECONDS: u32 = 5;

/// The lists of then.
///
/// # Errors
/// See `ask`; 404 for an unknown household.
pub async fn lists(app: Current, request: HttpRequest, at: At, query: ListQuery, limit: usize) -> Result<HttpResponse, Problem> {
    ask(app, &request, at, move |views, _| {
        known_household(views, query.household.as_ref())?;
        render(&Page::cut(views.lists.page(&query), limit, |list| list.id.to_string()))
    })
    .await
}

/// The orders of then.
///
/// # Errors
/// See `ask`; 404 for an unknown household.
pub async fn orders(
    app: Current,
    request: HttpRequest,
    at: At,
    household: Option<HouseholdId>,
    after: Option<OrderId>,
    limit: usize,
) -> Result<HttpResponse, Problem> {
    ask(app, &request, at, move |views, _| {
        known_household(views, household.as_ref())?;
        let entries = match &household {
            Some(household) => views.orders_of(household, after.as_ref(), limit + 1),
            None => views.newest_orders(after.as_ref(), limit + 1),
        };
        render(&Page::cut(entries, limit, |order| order.id.to_string()))
    })
    .await
}

/// The households of then.
///
/// # Errors
/// See `ask`.
pub async fn households(
    app: Current,
    request: HttpRequest,
    at: At,
    after: Option<HouseholdId>,
    limit: usize,
) -> Result<HttpResponse, Problem> {
    ask(app, &request, at, move |views, _| {
        let entries = views.households.page(after.as_ref(), limit + 1).map(HouseholdRow::of).collect();
        render(&Page::cut(entries, limit, |row: &HouseholdRow| row.id.to_string()))
    })
    .await
}

/// What a household had spent.
///
/// # Errors
/// See `ask`; 404 for an unknown household.
pub async fn spend(
    app: Current,
    request: HttpRequest,
    at: At,
    household: HouseholdId,
    from: Option<Moment>,
    to: Option<Moment>,
) -> Result<HttpResponse, Problem> {
    ask(app, &request, at, move |views, _| {
        known_household(views, Some(&household))?;
        render(&views.spend(&household, from, to))
    })
    .await
}

/// The deals of then.
///
/// # Errors
/// See `ask`; 404 for a store that was not registered.
pub async fn deals(app: Current, request: HttpRequest, at: At, query: DealQuery) -> Result<HttpResponse, Problem> {
    ask(app, &request, at, move |views, point| {
        if let Some(store) = query.store.as_ref().filter(|store| views.store(store).is_none()) {
            return Err(stores::unknown(store));
        }
        render(&views.deals(&DealQuery { at: point.time, ..query }))
    })
    .await
}

/// Queries the views as they were, and schedules their release when unused.
///
/// # Errors
/// See `read`; 503 while too many wait for another moment of the past.
async fn ask(
    app: Current,
    request: &HttpRequest,
    at: At,
    question: impl FnOnce(&Views, Point) -> Result<Bytes, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let past = Arc::downgrade(&app.past);
    let answer = read(app, request, Asked::of(at), move |app, found| {
        let answer = app.past.boards.ask(&*app.log, found.point.position, |views| question(views, found.point));
        answer.unwrap_or_else(|error| Err(refusal(&error)))
    })
    .await;
    actix_rt::spawn(sweep(past));
    answer
}

fn refusal(error: &BoardsError) -> Problem {
    match error {
        BoardsError::Busy => Problem::unavailable("past_busy", format!("{error}: try again"), BUSY_RETRY_SECONDS),
        BoardsError::Log(error) => Problem::unreadable(error.clone()),
    }
}

fn known_household(views: &Views, household: Option<&HouseholdId>) -> Result<(), Problem> {
    match household.filter(|household| !views.knows_household(household)) {
        Some(household) => Err(households::unknown(household)),
        None => Ok(()),
    }
}
