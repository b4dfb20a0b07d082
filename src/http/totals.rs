//! What a list costs, explained line by line: now, as it was, or by other knowledge.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{
    body::render,
    error::{Problem, ProblemBody},
    lists::{existing, unknown},
    protocol::TotalsAnswer,
    reads::{Id, Query, json, wait_until},
    stores,
    travel::{self, Asked, When},
};
use crate::{
    app::Current,
    domain::{
        ListId, Moment, StoreId,
        list::{ListState, Lists},
    },
    events::{At, Position},
    projections::AsOf,
};

/// Which totals are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TotalsQuery {
    /// The list's own store if not given.
    store: Option<StoreId>,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    at: Option<At>,
    /// A position or time: price knowledge recorded after it does not count, even for earlier dates.
    #[param(value_type = Option<String>)]
    known_at: Option<At>,
}

/// Explains a list's totals at a store: every line names the price observation it used.
#[utoipa::path(get, path = "/api/v1/lists/{id}/totals", tag = "lists", params(("id" = ListId, Path), TotalsQuery),
    responses((status = 200, body = TotalsAnswer), (status = 404, body = ProblemBody)))]
pub async fn totals(
    app: Current,
    request: HttpRequest,
    Id(id): Id<ListId>,
    Query(query): Query<TotalsQuery>,
) -> Result<HttpResponse, Problem> {
    // Earlier knowledge about the current list.
    let at = query.at.or_else(|| query.known_at.map(|_| At::Time(app.clock.now())));
    match travel::when(at, query.after)? {
        When::Now(after) => totals_now(app, id, query.store, after).await,
        When::Then(at) => totals_then(app, request, id, query.store, Asked { at, known_at: query.known_at, by_truth: false }).await,
    }
}

async fn totals_now(app: Current, id: ListId, store: Option<StoreId>, after: Option<Position>) -> Result<HttpResponse, Problem> {
    wait_until(&app, after).await?;
    let loaded = app.registry.load::<Lists>(id.as_str()).await?;
    // Computed again: an explanation is rarely requested, and needs no place in the actor's memory.
    let views = app.views.read();
    let known = Known { prices: views.now(), stores: views.now(), at: app.clock.now() };
    let answer = known.explain(&id, loaded.version, &loaded.state, store.as_ref())?;
    drop(views);
    json(&answer)
}

async fn totals_then(
    app: Current,
    request: HttpRequest,
    id: ListId,
    store: Option<StoreId>,
    asked: Asked,
) -> Result<HttpResponse, Problem> {
    travel::read(app, &request, asked, move |app, found| {
        let then = travel::entity(app, &app.past.lists, id.as_str(), found.point, || unknown(&id))?;
        let views = app.views.read();
        let known = Known { prices: found.of(&views), stores: found.named_in(&views), at: found.point.time };
        let answer = known.explain(&id, then.version, &then.state, store.as_ref())?;
        drop(views);
        render(&answer)
    })
    .await
}

/// What an explanation goes by.
struct Known<'a> {
    prices: AsOf<'a>,
    /// The stores that may be named.
    stores: AsOf<'a>,
    at: Moment,
}

impl Known<'_> {
    fn explain<'a>(&self, id: &'a ListId, version: u64, state: &ListState, store: Option<&StoreId>) -> Result<TotalsAnswer<'a>, Problem> {
        let (list, _) = existing(id, state)?;
        stores::known(self.stores, store)?;
        Ok(TotalsAnswer::reckon(id.as_str(), version, list, store, &self.prices, self.at))
    }
}
