//! The prices of one product: seen, withdrawn, as they were, and the best ones now.

use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::{
    body::{Json, NoBody, render},
    commands::{CommandAnswer, run},
    error::{Problem, ProblemBody},
    products,
    protocol::NewPrice,
    reads::{Id, Page, Query, json, mark_of, page_limit, wait_until},
    stores,
    travel::{self, Asked},
};
use crate::{
    actors::Request,
    app::Current,
    commands::Caller,
    domain::{
        Moment, ProductId, StoreId,
        product::{PriceKind, ProductCommand, Products},
    },
    events::{At, Position},
    projections::{AsOf, BestPrice, HeldPrice, HistoryQuery, PriceEntry, totals::TotalsView},
};

/// The query for the best prices.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BestQuery {
    /// Members' prices count too.
    #[serde(default)]
    member: bool,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    at: Option<At>,
}

/// The best price of each store.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BestPrices {
    pub product: String,
    /// The moment that ages are counted to.
    pub at: Moment,
    /// The lowest first; prices in other currencies or units are grouped separately.
    pub stores: Vec<BestPrice>,
}

/// Shows the best price at every store that has one, the lowest first, each with its age and source.
#[utoipa::path(get, path = "/api/v1/products/{id}/best", tag = "prices", params(("id" = ProductId, Path), BestQuery),
    responses((status = 200, body = BestPrices), (status = 404, body = ProblemBody)))]
pub async fn best(
    app: Current,
    request: HttpRequest,
    Id(id): Id<ProductId>,
    Query(query): Query<BestQuery>,
) -> Result<HttpResponse, Problem> {
    travel::catalogue(app, &request, travel::when(query.at, query.after)?, move |known, at| {
        let stores = known.best_prices(&id, at, query.member);
        if !known.is_registered(&id) {
            return Err(products::unknown(&id));
        }
        Ok(BestPrices { product: id.to_string(), at, stores })
    })
    .await
}

/// Which prices are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PricesQuery {
    /// Required with `at`.
    store: Option<StoreId>,
    /// The shelf price with `at`, all kinds in the history, if not given.
    kind: Option<PriceKind>,
    /// The time of the price, by today's knowledge; or a position, for the price known there.
    /// Without it the answer is the history.
    #[param(value_type = Option<String>)]
    at: Option<At>,
    /// A position or time: what was recorded after it does not count.
    #[param(value_type = Option<String>)]
    known_at: Option<At>,
    /// The history from this moment.
    from: Option<Moment>,
    /// The history before this moment.
    to: Option<Moment>,
    /// Where the previous page ended: its `next`.
    cursor: Option<String>,
    /// Entries of a page of history, 1 to 500; 50 if not given.
    limit: Option<usize>,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
}

/// With `at`, the price in force then, and since when. Without it the history, the newest observation first.
#[utoipa::path(get, path = "/api/v1/products/{id}/prices", tag = "prices", params(("id" = ProductId, Path), PricesQuery),
    responses((status = 200, body = Page<PriceEntry>, description = "with `at`: a HeldPrice"), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<ProductId>,
    Query(query): Query<PricesQuery>,
) -> Result<HttpResponse, Problem> {
    if query.at.is_some() && query.store.is_none() {
        return Err(Problem::malformed("missing_parameter", "give the store whose price you want").at("/store"));
    }
    let known_then = match (query.at, query.known_at) {
        (at, Some(known_at)) => Some(at.unwrap_or(known_at)),
        (Some(at @ At::Position(_)), None) => Some(at),
        // By today's knowledge, whatever the time.
        (Some(At::Time(_)) | None, None) => None,
    };
    if let Some(at) = known_then {
        return show_past(app, request, id, at, query).await;
    }
    wait_until(&app, query.after).await?;
    let at = query.at.and_then(|at| if let At::Time(moment) = at { Some(moment) } else { None });
    let answer = prices(app.views.read().now(), &id, at, query)?;
    json(&answer)
}

/// What was known at some position.
async fn show_past(app: Current, request: HttpRequest, id: ProductId, at: At, query: PricesQuery) -> Result<HttpResponse, Problem> {
    travel::when(Some(at), query.after)?;
    let asked = Asked { at, known_at: query.known_at, by_truth: true };
    travel::read(app, &request, asked, move |app, found| {
        let views = app.views.read();
        let known = views.as_of(found.known.unwrap_or(found.point).position);
        render(&prices(known, &id, query.at.map(|_| found.point.time), query)?)
    })
    .await
}

/// A price, or a page of the history.
#[derive(Serialize)]
#[serde(untagged)]
enum Prices {
    Held(HeldPrice),
    History(Page<PriceEntry>),
}

/// The price that held at a moment, or the history, by what was known.
///
/// # Errors
/// 404 if there was no such product, store or price.
fn prices(known: AsOf<'_>, id: &ProductId, at: Option<Moment>, query: PricesQuery) -> Result<Prices, Problem> {
    if !known.is_registered(id) {
        return Err(products::unknown(id));
    }
    stores::known(known, query.store.as_ref())?;
    match (at, &query.store) {
        (Some(at), Some(store)) => held(known, id, store, query.kind.unwrap_or_default(), at).map(Prices::Held),
        (_, _) => history(known, id, query).map(Prices::History),
    }
}

/// The price in force at a moment.
///
/// # Errors
/// 404 if none had been observed.
fn held(views: AsOf<'_>, id: &ProductId, store: &StoreId, kind: PriceKind, at: Moment) -> Result<HeldPrice, Problem> {
    let missing = || Problem::not_found("price_unknown", format!("no known price of {id} at {store} was valid at {at}"));
    views.price_at(id, store, kind, at).ok_or_else(missing)
}

/// One product's observations are few, so a page is cut from all of them.
///
/// # Errors
/// 400 for an invalid cursor or limit.
fn history(views: AsOf<'_>, id: &ProductId, query: PricesQuery) -> Result<Page<PriceEntry>, Problem> {
    let limit = page_limit(query.limit)?;
    let last = mark_of(query.cursor.as_deref())?;
    let wanted = HistoryQuery { store: query.store, kind: query.kind, from: query.from, to: query.to, limit: usize::MAX };
    let mut entries = views.price_history(id, &wanted);
    // Those of one moment stay by store and kind.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.observed_at));
    if let Some(last) = last {
        let behind = entries.iter().position(|entry| mark(entry) == last);
        let gone = || Problem::malformed("invalid_cursor", "this page no longer exists: start again without a cursor").at("/cursor");
        entries.drain(..=behind.ok_or_else(gone)?);
    }
    entries.truncate(limit + 1);
    Ok(Page::cut(entries, limit, mark))
}

/// An order may record several prices at one position, so the cursor includes the store and kind.
fn mark(entry: &PriceEntry) -> String {
    format!("{}/{}/{:?}", entry.position, entry.store, entry.kind)
}

/// Records an observed price. Its currency must be the store's.
#[utoipa::path(post, path = "/api/v1/products/{id}/prices", tag = "prices", params(("id" = ProductId, Path)), request_body = NewPrice,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn observe(app: Current, caller: Caller, Id(id): Id<ProductId>, Json(body): Json<NewPrice>) -> Result<HttpResponse, Problem> {
    let request = observation(caller, &id, body)?;
    run::<Products>(&app, id.as_str(), request).await
}

/// The command that records a price; values that the client left out are not part of its digest.
///
/// # Errors
/// 400 if two command ids are given.
pub fn observation(caller: Caller, id: &ProductId, body: NewPrice) -> Result<Request<ProductCommand>, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let command = ProductCommand::ObservePrice(body.seen(caller.at));
    if body.observed_at.is_some() {
        return Ok(caller.request(id.as_str(), command));
    }
    let given = NewPrice { command_id: None, ..body };
    Ok(caller.request_as_given(id.as_str(), command, &given))
}

/// Which price is withdrawn.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WithdrawQuery {
    store: StoreId,
    /// The shelf price if not given.
    #[serde(default)]
    kind: PriceKind,
}

/// Withdraws a store's price because it was wrong or ended. The history keeps it, marked.
#[utoipa::path(delete, path = "/api/v1/products/{id}/prices", tag = "prices", params(("id" = ProductId, Path), WithdrawQuery),
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn withdraw(
    app: Current,
    caller: Caller,
    Id(id): Id<ProductId>,
    Query(query): Query<WithdrawQuery>,
    _: NoBody,
) -> Result<HttpResponse, Problem> {
    let command = ProductCommand::WithdrawPrice { store: query.store, kind: query.kind };
    run::<Products>(&app, id.as_str(), caller.request(id.as_str(), command)).await
}
