//! `POST /undo`: undoes a command, or a person's recent commands, by new commands; or shows what that would change.

use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::Json,
    error::{Problem, ProblemBody},
    reads::json,
};
use crate::{
    app::Current,
    commands::{
        Caller,
        undo::{Selection, UndoAnswer},
    },
    domain::{CommandId, Moment, Principal, StreamId},
    events::Position,
};

/// `POST /undo`: exactly one of `position`, `command_id`, or `who` with `since`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The position of any event of the command.
    #[schema(value_type = Option<String>)]
    position: Option<Position>,
    /// The id of the command to undo.
    command_id: Option<CommandId>,
    /// Everything that this person did, newest first, each command on its own.
    who: Option<Principal>,
    /// With `who`: from this time on.
    since: Option<Moment>,
    /// With `who`: until this time; now if not given.
    until: Option<Moment>,
    /// With `command_id` or `who`: only in this stream, such as `list/weekly`.
    #[schema(value_type = Option<String>)]
    stream: Option<StreamId>,
    /// Changes nothing and returns what would happen.
    #[serde(default)]
    preview: bool,
}

/// Undoes a command, or a person's recent commands, by new events. A command that cannot be undone is refused, or, of many,
/// named with the reason.
#[utoipa::path(post, path = "/api/v1/undo", tag = "undo", request_body = Undo,
    responses((status = 200, body = UndoAnswer), (status = "4XX", body = ProblemBody)))]
pub async fn undo(app: Current, caller: Caller, Json(body): Json<Undo>) -> Result<HttpResponse, Problem> {
    let Undo { position, command_id, who, since, until, stream, preview } = body;
    let selection = Selection { position, command_id, who, since, until, stream };
    json(&crate::commands::undo::undo(&app, &caller, selection, preview).await?)
}
