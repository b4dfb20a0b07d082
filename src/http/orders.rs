//! Orders: place, read with the four numbers of each line, and follow to receipt and refund.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{
    body::{Json, Tagged},
    commands::{CommandAnswer, make_done, run},
    error::{Problem, ProblemBody},
    households,
    protocol::{NewOrder, OrderView},
    reads::{AfterQuery, Id, Page, Query, id_mark, page_limit},
    travel::{self, Shown},
};
use crate::{
    app::Current,
    commands::{Caller, execute},
    domain::{
        HouseholdId, OrderId,
        order::{OrderCommand, OrderState, Orders},
        rights::{Action, Reader, Verdict},
    },
    events::{At, Position},
    past::{Past, PastStates},
    projections::{OrderSummary, totals::TotalsView},
};

/// Places an order, or records one that was placed elsewhere. A repetition with the same id changes nothing.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, caller: Caller, Json(body): Json<NewOrder>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let id = caller.id_for(body.id.clone(), "order", OrderId::new)?;
    let given = body.placement(crate::domain::Moment(0));
    let mut placement = given.clone();
    if placement.placed_at == crate::domain::Moment(0) {
        placement.placed_at = caller.at;
    }
    let request = caller.request_as_given(id.as_str(), OrderCommand::Place(placement), &OrderCommand::Place(given));
    let done = execute::<Orders>(&app, id.as_str(), request).await?;
    make_done::<Orders>(&app, id.as_str(), &done)
}

/// Which orders are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    household: Option<HouseholdId>,
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

/// Lists orders, the last placed first, whenever they were recorded.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrdersQuery),
    responses((status = 200, body = Page<OrderSummary>), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, reader: Reader, request: HttpRequest, Query(query): Query<OrdersQuery>) -> Result<HttpResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = id_mark::<OrderId>(query.cursor.as_deref())?;
    travel::board(app, &request, travel::when(query.at, query.after)?, move |views, _| {
        households::known(views, &reader, query.household.as_ref())?;
        let entries = match &query.household {
            Some(household) if !may_see_orders(&reader, household) => Vec::new(),
            Some(household) => views.orders_of(household, after.as_ref(), limit + 1),
            None => views.newest_orders(&reader, after.as_ref(), limit + 1),
        };
        Ok(Page::cut(entries, limit, |order| order.id.to_string()))
    })
    .await
}

fn may_see_orders(reader: &Reader, household: &HouseholdId) -> bool {
    reader.rights.through(household).may(Action::SeeOrder) == Verdict::Allowed
}

/// Shows an order with all its lines.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = OrderId, Path), AfterQuery),
    responses((status = 200, body = OrderView), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<OrderId>,
    Query(query): Query<AfterQuery>,
) -> Result<HttpResponse, Problem> {
    travel::show::<Orders>(app, request, id, query).await
}

impl Shown for Orders {
    type Id = OrderId;
    type Seen<'a> = OrderView<'a>;

    fn seen<'a>(id: &'a OrderId, version: u64, position: Position, state: &'a OrderState) -> Result<OrderView<'a>, Problem> {
        let (phase, order) = match state {
            OrderState::Absent => return Err(Self::unknown(id)),
            OrderState::Placed(order) => ("placed", order),
            OrderState::Fulfilled(order) => ("fulfilled", order),
            OrderState::Cancelled(order) => ("cancelled", order),
        };
        Ok(OrderView::of(id.as_str(), version, position, phase, order))
    }

    fn unknown(id: &OrderId) -> Problem {
        Problem::not_found("order_not_found", format!("there is no order {id}"))
    }

    fn histories(past: &Past) -> &PastStates<Self> {
        &past.orders
    }
}

/// Any command of the order: substitute, short, refund, amend, fulfil, cancel.
#[utoipa::path(post, path = "/api/v1/orders/{id}/commands", tag = "orders", params(("id" = OrderId, Path)), request_body = OrderCommand,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn command(
    app: Current,
    caller: Caller,
    Id(id): Id<OrderId>,
    Json(body): Json<Tagged<OrderCommand>>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run::<Orders>(&app, id.as_str(), caller.request(id.as_str(), body.command)).await
}
