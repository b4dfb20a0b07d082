//! Brings one list or household back from a snapshot, into the running system, by new events: also one that a full restore left out.

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};

use super::snapshots::folder;
use crate::{
    app::{Current, Running},
    commands::{BroughtBack, Caller, Origin, Referring, bring_back, stream::blocking},
    domain::{StreamId, StreamKind, household::Households, list::Lists, undo::Undo},
    events::{At, Position, SeenAt},
    http::{
        body::Json,
        error::{Problem, ProblemBody},
        reads::json,
    },
    projections::commands::state_of,
    snapshots::SnapshotError,
};

/// What to bring back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BringBackFrom {
    /// A list or household, such as `list/weekly`.
    #[schema(value_type = String)]
    pub stream: StreamId,
    pub snapshot: String,
    /// Its state at this position or time; the snapshot's newest if not given.
    #[schema(value_type = Option<String>)]
    pub at: Option<SeenAt>,
    /// Changes nothing and returns what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// The result, and its source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BroughtBackFrom<D> {
    pub snapshot: String,
    #[schema(value_type = String)]
    pub to: Position,
    #[serde(flatten)]
    pub restored: BroughtBack<D>,
}

/// Brings a list or household back from a snapshot by new events. Nothing is erased, and a missing one is created.
#[utoipa::path(post, path = "/api/v1/admin/restore/stream", tag = "admin", request_body = BringBackFrom,
    responses((status = 200, body = Object, description = "as the restore of a list or household, with the snapshot"), (status = "4XX", body = ProblemBody)))]
pub async fn bring_back_from(
    running: Data<Running>,
    app: Current,
    caller: Caller,
    Json(body): Json<BringBackFrom>,
) -> Result<HttpResponse, Problem> {
    match body.stream.kind() {
        StreamKind::List => of_kind::<Lists>(&running, &app, &caller, body).await,
        StreamKind::Household => of_kind::<Households>(&running, &app, &caller, body).await,
        other @ (StreamKind::Product | StreamKind::Order | StreamKind::Store | StreamKind::System) => {
            let detail = format!("a {} cannot be restored on its own: restore the whole server, or undo its commands", other.as_str());
            Err(Problem::invalid("stream_not_restorable", "/stream", detail))
        }
    }
}

async fn of_kind<E: Referring + Undo>(
    running: &Running,
    app: &Current,
    caller: &Caller,
    body: BringBackFrom,
) -> Result<HttpResponse, Problem> {
    let (folder, name, stream, at) = (folder(running), body.snapshot.clone(), body.stream.clone(), body.at.map(SeenAt::of_any));
    let read = move || {
        let _hold = folder.hold()?;
        let snapshot = folder.open(&name)?;
        let end = snapshot.manifest.position;
        let position = match at {
            None => end,
            Some(At::Position(position)) if position > end => return Err(SnapshotError::BeyondSnapshot { asked: position, end }),
            Some(At::Position(position)) => position,
            Some(At::Time(time)) => snapshot.last_until(time)?,
        };
        let events = snapshot.stream(&stream, position)?;
        Ok((position, (!events.is_empty()).then(|| state_of::<E>(&events))))
    };
    let (position, past) = blocking(read).await??;
    let missing =
        || Problem::not_found("stream_not_in_snapshot", format!("{} did not exist at position {position} of the snapshot", body.stream));
    let origin = Origin { position, snapshot: Some(&body.snapshot) };
    let restored = bring_back::<E>(app, caller, &body.stream, past.ok_or_else(missing)?, origin, body.preview).await?;
    json(&BroughtBackFrom { snapshot: body.snapshot.clone(), to: position, restored })
}
