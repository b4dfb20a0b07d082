//! Timelines: what happened to a list, one of its items or a household, newest first.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::{
    error::{Problem, ProblemBody},
    reads::{Id, Item, Page, Query, id_mark, json, page_limit},
};
use crate::{
    app::{App, Current},
    commands::stream::{blocking, history},
    domain::{Entity, HouseholdId, ItemId, ListId, StreamId, household::Households, list::Lists},
    events::{At, Position},
    projections::timeline::{TimelineEntry, TimelineQuery, Told, timeline},
};

/// The part of a timeline to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SpanQuery {
    /// The oldest that is shown: a position or a time.
    #[param(value_type = Option<String>)]
    from: Option<At>,
    /// The newest that is shown: a position or a time.
    #[param(value_type = Option<String>)]
    to: Option<At>,
    /// Where the previous page ended: its `next`.
    cursor: Option<String>,
    /// Entries of the page, 1 to 500; 50 if not given.
    limit: Option<usize>,
}

/// The part of a list's timeline to show.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListSpanQuery {
    /// Only what touched this item, on the list or removed.
    item: Option<ItemId>,
    /// The oldest that is shown: a position or a time.
    #[param(value_type = Option<String>)]
    from: Option<At>,
    /// The newest that is shown: a position or a time.
    #[param(value_type = Option<String>)]
    to: Option<At>,
    /// Where the previous page ended: its `next`.
    cursor: Option<String>,
    /// Entries of the page, 1 to 500; 50 if not given.
    limit: Option<usize>,
}

/// What happened to a list, newest first: who, sent by whom, when, from which device, before and after, and why.
#[utoipa::path(get, path = "/api/v1/lists/{id}/timeline", tag = "undo", params(("id" = ListId, Path), ListSpanQuery),
    responses((status = 200, body = Page<TimelineEntry>), (status = "4XX", body = ProblemBody)))]
pub async fn of_list(app: Current, Id(id): Id<ListId>, Query(query): Query<ListSpanQuery>) -> Result<HttpResponse, Problem> {
    let ListSpanQuery { item, from, to, cursor, limit } = query;
    let query = read(SpanQuery { from, to, cursor, limit }, item)?;
    answer::<Lists>(&app, id.as_str(), query).await
}

/// What happened to one item, also after it was removed.
#[utoipa::path(get, path = "/api/v1/lists/{id}/items/{item}/timeline", tag = "undo",
    params(("id" = ListId, Path), ("item" = ItemId, Path), SpanQuery),
    responses((status = 200, body = Page<TimelineEntry>), (status = "4XX", body = ProblemBody)))]
pub async fn of_item(
    app: Current,
    Id(id): Id<ListId>,
    Item(item): Item<ItemId>,
    Query(query): Query<SpanQuery>,
) -> Result<HttpResponse, Problem> {
    answer::<Lists>(&app, id.as_str(), read(query, Some(item))?).await
}

/// What happened to a household, newest first.
#[utoipa::path(get, path = "/api/v1/households/{id}/timeline", tag = "undo", params(("id" = HouseholdId, Path), SpanQuery),
    responses((status = 200, body = Page<TimelineEntry>), (status = "4XX", body = ProblemBody)))]
pub async fn of_household(app: Current, Id(id): Id<HouseholdId>, Query(query): Query<SpanQuery>) -> Result<HttpResponse, Problem> {
    answer::<Households>(&app, id.as_str(), read(query, None)?).await
}

fn read(query: SpanQuery, item: Option<ItemId>) -> Result<TimelineQuery, Problem> {
    let SpanQuery { from, to, cursor, limit } = query;
    // One more than is shown reveals whether there is a next page.
    let limit = page_limit(limit)? + 1;
    Ok(TimelineQuery { item, from, to, before: id_mark::<Position>(cursor.as_deref())?, limit })
}

async fn answer<E: Told>(app: &App, id: &str, query: TimelineQuery) -> Result<HttpResponse, Problem> {
    let stream = stream_of::<E>(id)?;
    let history = history(app, &stream).await?;
    if history.is_empty() {
        return Err(unknown::<E>(id));
    }
    let (limit, item) = (query.limit - 1, query.item.clone());
    let is_first_page = query.before.is_none() && query.from.is_none() && query.to.is_none();
    let entries = blocking(move || timeline::<E>(&history, &query)).await?;
    if let (true, true, Some(item)) = (entries.is_empty(), is_first_page, item) {
        return Err(Problem::not_found("item_not_found", format!("list {id} never had an item {item}")));
    }
    json(&Page::cut(entries, limit, |entry| entry.position.to_string()))
}

/// The stream of an entity.
///
/// # Errors
/// Never for an id of the path; it was checked.
pub fn stream_of<E: Entity>(id: &str) -> Result<StreamId, Problem> {
    StreamId::new(E::KIND, id).map_err(|error| Problem::internal(&error))
}

/// There is no such list or household (404).
#[must_use]
pub fn unknown<E: Entity>(id: &str) -> Problem {
    Problem::not_found(not_found_code::<E>(), format!("there is no {} {id}", E::KIND.as_str()))
}

/// It did not exist at a moment (404).
#[must_use]
pub fn not_yet<E: Entity>(id: &str, moment: &At) -> Problem {
    let detail = format!("{} {id} exists now, but did not exist yet at {moment}", E::KIND.as_str());
    Problem::not_found(not_found_code::<E>(), detail)
}

fn not_found_code<E: Entity>() -> &'static str {
    if E::KIND == crate::domain::StreamKind::Household { "household_not_found" } else { "list_not_found" }
}
