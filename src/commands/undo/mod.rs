//! Takes back a command, or what one person did lately, by new commands; or shows what that would change.

mod report;
mod run;
mod targets;

pub use report::{UndoAnswer, UndoOutcome, UndoTotals, UndoneCommand};

use super::Caller;
use crate::{
    actors::Failure,
    app::{App, catch_up},
    domain::{
        CommandId, Moment, Principal, StreamId,
        rights::{Reader, Rights},
    },
    events::Position,
};

/// What to undo: exactly one of `position`, `command_id`, or `who` with `since`.
#[derive(Debug)]
pub struct Selection {
    /// Of any event of the command.
    pub position: Option<Position>,
    pub command_id: Option<CommandId>,
    /// Everything that this person did, newest first, each command on its own.
    pub who: Option<Principal>,
    /// Goes with `who`: from then on.
    pub since: Option<Moment>,
    /// Goes with `who`: until then; now if not given.
    pub until: Option<Moment>,
    /// Goes with `command_id` or `who`: only in this stream.
    pub stream: Option<StreamId>,
}

/// Undoes what is selected by new events; a preview changes nothing and answers what would happen.
///
/// # Errors
/// A selection of nothing, of several things or of too much; why the one command that is selected cannot be undone.
pub async fn undo(app: &App, caller: &Caller, selection: Selection, preview: bool) -> Result<UndoAnswer, Failure> {
    let targets = targets::find(app, reader(app, caller).await, selection).await?;
    let mut run = run::Run::new(app, caller, preview, targets.behind);
    for target in &targets.found {
        run.undo(target).await?;
    }
    Ok(UndoAnswer::of(preview, run.finish()))
}

/// What the sender may know of is asked of the views, so they first show everything that the sender may have been told.
async fn reader(app: &App, caller: &Caller) -> Reader {
    let reader = caller.reader();
    match reader.rights {
        Rights::Account(_) => {
            catch_up(app, app.log.head()).await;
            Reader { rights: Rights::Account(app.authority.roles(&reader.who)), ..reader }
        }
        Rights::Admin | Rights::Link(_) | Rights::Nobody => reader,
    }
}
