//! Deals: prices lower than usual, with an honest reference.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{
    error::{Problem, ProblemBody},
    reads::{Query, cursor_of, invalid_cursor, mark_of, page_limit},
    stores, travel,
};
use crate::{
    app::Current,
    domain::{Moment, StoreId},
    events::{At, Position},
    projections::{DealMark, DealPage, DealQuery},
};

/// Which deals are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DealsQuery {
    store: Option<StoreId>,
    category: Option<String>,
    /// Only deals that save at least this many percent, 0 to 100.
    min_saving_percent: Option<u32>,
    /// Only deals below the lowest price of the last 30 days.
    #[serde(default)]
    honest: bool,
    /// Outliers too: prices under a third of their reference, which are more often mistakes than deals.
    #[serde(default)]
    outliers: bool,
    /// Only deals that began at or after this.
    since: Option<Moment>,
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

/// Lists the current deals, the greatest saving in percent first. Without a stated end a deal is over 30 days after its price was last seen.
#[utoipa::path(get, path = "/api/v1/deals", tag = "prices", params(DealsQuery),
    responses((status = 200, body = DealPage), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, request: HttpRequest, Query(query): Query<DealsQuery>) -> Result<HttpResponse, Problem> {
    let percent = query.min_saving_percent.unwrap_or(0);
    if percent > 100 {
        return Err(Problem::malformed("invalid_parameter", "min_saving_percent must be from 0 to 100").at("/min_saving_percent"));
    }
    let wanted = DealQuery {
        store: query.store,
        category: query.category,
        saving_basis_points_min: percent * 100,
        honest_only: query.honest,
        outliers: query.outliers,
        since: query.since,
        at: app.clock.now(),
        after: mark_of(query.cursor.as_deref())?.map(|mark| DealMark::parse(&mark).ok_or_else(invalid_cursor)).transpose()?,
        limit: page_limit(query.limit)?,
    };
    travel::board(app, &request, travel::when(query.at, query.after)?, move |views, now| {
        stores::known(views.now(), wanted.store.as_ref())?;
        let page = views.deals(&DealQuery { at: now, ..wanted });
        Ok(DealPage { next: page.next.as_deref().map(cursor_of), ..page })
    })
    .await
}
