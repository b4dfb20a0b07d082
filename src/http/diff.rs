//! How a list or household differs between two moments, and who changed it.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::{Problem, ProblemBody},
    past,
    reads::{Id, Query, json},
    timeline::{not_yet, stream_of, unknown},
};
use crate::{
    app::{App, Current},
    commands::stream::{StreamEvents, blocking, history},
    domain::{
        HouseholdId, ItemId, ListId, Moment,
        household::Households,
        list::{ItemDiff, ListDiff, Lists},
        restore::Restorable,
        undo::Undo,
    },
    events::{At, Point, Position},
    projections::{
        commands::state_of,
        last_changes::{Difference, LastChanges},
    },
};

/// The two moments to compare.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MomentsQuery {
    /// A position or a time.
    #[param(value_type = String)]
    from: At,
    /// A position or a time; now if not given.
    #[param(value_type = Option<String>)]
    to: Option<At>,
}

/// A moment that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct MomentView {
    #[schema(value_type = String)]
    pub position: Position,
    pub time: Moment,
}

impl From<Point> for MomentView {
    fn from(Point { position, time }: Point) -> Self {
        Self { position, time }
    }
}

/// How a list differs between two moments.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListDiffAnswer {
    pub id: String,
    pub from: MomentView,
    pub to: MomentView,
    /// Fields of the list itself.
    pub changes: Vec<Difference>,
    pub added: Vec<ItemDifference>,
    pub removed: Vec<ItemDifference>,
    /// A moved one names the item in front of it as `after`.
    pub changed: Vec<ItemDifference>,
}

/// One item that differs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemDifference {
    pub item: ItemId,
    pub name: String,
    pub changes: Vec<Difference>,
}

/// How a household differs between two moments.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdDiffAnswer {
    pub id: String,
    pub from: MomentView,
    pub to: MomentView,
    pub changes: Vec<Difference>,
}

/// Compares a list at two moments: what differs, before and after, and who changed it last. Totals are not compared.
#[utoipa::path(get, path = "/api/v1/lists/{id}/diff", tag = "undo", params(("id" = ListId, Path), MomentsQuery),
    responses((status = 200, body = ListDiffAnswer), (status = "4XX", body = ProblemBody)))]
pub async fn of_list(app: Current, Id(id): Id<ListId>, Query(query): Query<MomentsQuery>) -> Result<HttpResponse, Problem> {
    let Compared { from, to, diff, last } = compare::<Lists>(&app, id.as_str(), query).await?;
    let ListDiff { changes, added, removed, changed } = diff;
    let items = |items: Vec<ItemDiff>| {
        let item = |ItemDiff { item, name, changes }: ItemDiff| {
            let changes = last.name(Some(item.as_str()), changes);
            ItemDifference { item, name, changes }
        };
        items.into_iter().map(item).collect()
    };
    json(&ListDiffAnswer {
        id: id.to_string(),
        from,
        to,
        changes: last.name(None, changes),
        added: items(added),
        removed: items(removed),
        changed: items(changed),
    })
}

/// Compares a household at two moments.
#[utoipa::path(get, path = "/api/v1/households/{id}/diff", tag = "undo", params(("id" = HouseholdId, Path), MomentsQuery),
    responses((status = 200, body = HouseholdDiffAnswer), (status = "4XX", body = ProblemBody)))]
pub async fn of_household(app: Current, Id(id): Id<HouseholdId>, Query(query): Query<MomentsQuery>) -> Result<HttpResponse, Problem> {
    let Compared { from, to, diff, last } = compare::<Households>(&app, id.as_str(), query).await?;
    json(&HouseholdDiffAnswer { id: id.to_string(), from, to, changes: last.name(None, diff.changes) })
}

struct Compared<D> {
    from: MomentView,
    to: MomentView,
    diff: D,
    last: LastChanges,
}

async fn compare<E: Restorable + Undo>(app: &App, id: &str, query: MomentsQuery) -> Result<Compared<E::Diff>, Problem> {
    let stream = stream_of::<E>(id)?;
    let to = query.to.unwrap_or(At::Position(app.log.head()));
    let history = history(app, &stream).await?;
    if history.is_empty() {
        return Err(unknown::<E>(id));
    }
    let (from_point, to_point) = (past::point(app, query.from, "/from").await?, past::point(app, to, "/to").await?);
    if from_point.position > to_point.position {
        return Err(Problem::malformed("time_reversed", "from must not be later than to").at("/from"));
    }
    let (from, to) = (prefix(&history, from_point), prefix(&history, to_point));
    if from == 0 {
        return Err(not_yet::<E>(id, &query.from));
    }
    let compared = blocking(move || {
        let diff = E::diff(&state_of::<E>(&history[..from]), &state_of::<E>(&history[..to]));
        (diff, LastChanges::of::<E>(&history[..to], from))
    });
    let (diff, last) = compared.await?;
    Ok(Compared { from: from_point.into(), to: to_point.into(), diff, last })
}

/// How many events of a history there were at a point of the log.
#[must_use]
pub fn prefix(history: &StreamEvents, point: Point) -> usize {
    history.partition_point(|recorded| recorded.position <= point.position)
}
