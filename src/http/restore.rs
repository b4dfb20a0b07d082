//! Brings one list or household back to an earlier state, by new events: nothing that happened since is erased.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::Json,
    diff::{MomentView, prefix},
    error::{Problem, ProblemBody},
    past,
    reads::{Id, json},
    timeline::{not_yet, stream_of, unknown},
};
use crate::{
    app::{App, Current},
    commands::{
        BroughtBack, Caller, Origin, Referring, bring_back,
        stream::{blocking, history},
    },
    domain::{
        HouseholdId, ListId,
        household::{HouseholdDiff, Households},
        list::{ListDiff, Lists},
        undo::Undo,
    },
    events::At,
    projections::commands::state_of,
};

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

/// As answered: what came of it, and to which moment.
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
    let history = history(app, &stream).await?;
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
