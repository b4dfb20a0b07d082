//! Lists: create, read with totals, change, share, check out. Their items have their own file.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Deserialize;

use super::{
    body::{Json, OptionalJson, Tagged, render},
    commands::{CommandAnswer, answer, exactly_one, made, status_of_making},
    error::{Problem, ProblemBody},
    households,
    protocol::{ChangeList, CheckOut, CommandOnly, ListView, NewList, NewMember},
    reads::{AfterQuery, Id, Page, Query, id_mark, page_limit, tagged, version_tag, wait_until},
    travel::{self, Asked, When},
};
use crate::{
    actors::{Rendered, Request},
    app::{App, Current},
    commands::{Caller, execute},
    domain::{
        HouseholdId, ListId, OrderId, StreamId, StreamKind,
        list::{List, ListCommand, ListState, Lists},
        rights::Reader,
    },
    events::{At, Position},
    projections::{
        ListEntry, ListQuery,
        totals::{ListTotals, TotalsView},
    },
};

/// Enough of a hash to distinguish two answers of one list's version.
const TAG_HEX_DIGITS: usize = 16;

/// Shows a list with its items and totals. The tag changes with its version and its totals.
#[utoipa::path(get, path = "/api/v1/lists/{id}", tag = "lists", params(("id" = ListId, Path), AfterQuery),
    responses((status = 200, body = ListView), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<ListId>,
    Query(query): Query<AfterQuery>,
) -> Result<HttpResponse, Problem> {
    let after = match travel::when(query.at, query.after)? {
        When::Now(after) => after,
        When::Then(at) => return show_past(app, request, id, at).await,
    };
    wait_until(&app, after).await?;
    let loaded = app.registry.load::<Lists>(id.as_str()).await?;
    let (list, archived) = existing(&id, &loaded.state)?;
    let rendered = if let Some(rendered) = loaded.rendered.get() {
        rendered.clone()
    } else {
        let json = render(&ListView::of(id.as_str(), loaded.version, loaded.position, list, archived, &loaded.view))?;
        // Rendered once for every reader of this state. The totals change with prices and by time alone, without a version or
        // a position of their own, so the tag is of the content.
        let version = version_tag(&app, loaded.version, newest_of(&app, &id));
        let tag = format!("\"{version}.{}\"", &blake3::hash(&json).to_hex()[..TAG_HEX_DIGITS]);
        loaded.rendered.get_or_init(|| Rendered { json, tag }).clone()
    };
    tagged(&request, &rendered.tag, || Ok(rendered.json.clone()))
}

/// The position of a list's own newest event; that of its view may be later, because prices count there.
fn newest_of(app: &App, id: &ListId) -> Position {
    let stream = StreamId::new(StreamKind::List, id.as_str()).ok();
    stream.and_then(|stream| app.log.stream_head(&stream)).map_or(Position::START, |head| head.position)
}

/// A list as it was. Its totals are computed by what was known; those of now are kept by its actor.
async fn show_past(app: Current, request: HttpRequest, id: ListId, at: At) -> Result<HttpResponse, Problem> {
    travel::read(app, &request, Asked::of(at), move |app, found| {
        let then = travel::entity(app, &app.past.lists, id.as_str(), found.point, || unknown(&id))?;
        let (list, archived) = existing(&id, &then.state)?;
        let totals = ListTotals::build(list, &found.of(&app.views.read()), found.point.time).view(list.store.as_ref());
        render(&ListView::of(id.as_str(), then.version, found.point.position, list, archived, &totals))
    })
    .await
}

/// The list, and whether it is archived.
///
/// # Errors
/// 404 if there is none.
pub fn existing<'a>(id: &ListId, state: &'a ListState) -> Result<(&'a List, bool), Problem> {
    match state {
        ListState::Absent => Err(unknown(id)),
        ListState::Active(list) => Ok((list, false)),
        ListState::Archived(list) => Ok((list, true)),
    }
}

/// There is no such list (404).
#[must_use]
pub fn unknown(id: &ListId) -> Problem {
    Problem::not_found("list_not_found", format!("there is no list {id}"))
}

/// Creates a list.
#[utoipa::path(post, path = "/api/v1/lists", tag = "lists", request_body = NewList,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, caller: Caller, Json(body): Json<NewList>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    let id = caller.id_for(body.id, "list", ListId::new)?;
    let command = ListCommand::Create { name: body.name, household: body.household, store: body.store };
    let done = execute::<Lists>(&app, id.as_str(), caller.request(id.as_str(), command)).await?;
    let answer = answer::<Lists, _>(&app, status_of_making(&done), id.as_str(), &done, Some(&*done.view))?;
    made(answer, &format!("/api/v1/lists/{id}"))
}

/// Which lists are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListsQuery {
    household: Option<HouseholdId>,
    /// Archived lists too.
    #[serde(default)]
    archived: bool,
    /// Where the previous page ended: its `next`.
    cursor: Option<String>,
    /// Entries of the page, 1 to 500; 50 if not given.
    limit: Option<usize>,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    at: Option<At>,
}

/// Lists the lists, in order of creation.
#[utoipa::path(get, path = "/api/v1/lists", tag = "lists", params(ListsQuery),
    responses((status = 200, body = Page<ListEntry>), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, reader: Reader, request: HttpRequest, Query(query): Query<ListsQuery>) -> Result<HttpResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = id_mark::<ListId>(query.cursor.as_deref())?;
    let when = travel::when(query.at, query.after)?;
    let query = ListQuery { household: query.household, archived: query.archived, after, limit: limit + 1 };
    travel::board(app, &request, when, move |views, _| {
        households::known(views, &reader, query.household.as_ref())?;
        Ok(Page::cut(views.lists.page(&reader, &query), limit, |list| list.id.to_string()))
    })
    .await
}

/// Changes one thing of a list: its name, store, budget, or whether it is archived.
#[utoipa::path(patch, path = "/api/v1/lists/{id}", tag = "lists", params(("id" = ListId, Path)), request_body = ChangeList,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn change(app: Current, caller: Caller, Id(id): Id<ListId>, Json(body): Json<ChangeList>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    run(&app, &id, caller.request(id.as_str(), intent(body)?)).await
}

fn intent(body: ChangeList) -> Result<ListCommand, Problem> {
    let archived = body.archived.map(|archived| if archived { ListCommand::Archive } else { ListCommand::Revive });
    let intents = [
        ("/name", body.name.map(|name| ListCommand::Rename { name })),
        ("/store", body.store.map(|store| ListCommand::ChooseStore { store })),
        ("/budget", body.budget.map(|budget| ListCommand::SetBudget { budget })),
        ("/archived", archived),
    ];
    exactly_one(intents)
}

/// Any command of the list, as over the socket.
#[utoipa::path(post, path = "/api/v1/lists/{id}/commands", tag = "lists", params(("id" = ListId, Path)), request_body = ListCommand,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn command(
    app: Current,
    caller: Caller,
    Id(id): Id<ListId>,
    Json(body): Json<Tagged<ListCommand>>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run(&app, &id, caller.request(id.as_str(), body.command)).await
}

/// Takes the ticked items off the list.
#[utoipa::path(post, path = "/api/v1/lists/{id}/clear-checked", tag = "lists", params(("id" = ListId, Path)), request_body = Option<CommandOnly>,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn clear_checked(
    app: Current,
    caller: Caller,
    Id(id): Id<ListId>,
    OptionalJson(body): OptionalJson<CommandOnly>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run(&app, &id, caller.request(id.as_str(), ListCommand::ClearChecked)).await
}

/// Turns the ticked items into an order and takes them off the list.
#[utoipa::path(post, path = "/api/v1/lists/{id}/check-out", tag = "lists", params(("id" = ListId, Path)), request_body = Option<CheckOut>,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn check_out(
    app: Current,
    caller: Caller,
    Id(id): Id<ListId>,
    OptionalJson(body): OptionalJson<CheckOut>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    let order = caller.id_for(body.order, "order", OrderId::new)?;
    run(&app, &id, caller.request(id.as_str(), ListCommand::CheckOut { order })).await
}

/// Shares the list with a member, or changes what the member may do.
#[utoipa::path(post, path = "/api/v1/lists/{id}/members", tag = "lists", params(("id" = ListId, Path)), request_body = NewMember,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn share(app: Current, caller: Caller, Id(id): Id<ListId>, Json(body): Json<NewMember>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    let command = ListCommand::Share { member: body.member, role: body.role };
    run(&app, &id, caller.request(id.as_str(), command)).await
}

/// Executes a command of a list and answers with its new totals.
///
/// # Errors
/// When the list refuses or fails.
pub async fn run(app: &App, id: &ListId, request: Request<ListCommand>) -> Result<HttpResponse, Problem> {
    let done = execute::<Lists>(app, id.as_str(), request).await?;
    answer::<Lists, _>(app, StatusCode::OK, id.as_str(), &done, Some(&*done.view))
}
