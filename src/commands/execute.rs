//! Executing one command: what it names is checked, the entity decides, and what came of it is counted.

use super::references;
use crate::{
    actors::{Done, Failure, Hosted, Request},
    app::App,
    telemetry::{CommandEnd, count_command},
};

/// Checks what a command names, has the entity decide it, and counts the result.
///
/// # Errors
/// A refusal of what it names, or whatever the entity refuses or fails at.
pub async fn execute<E: Hosted>(app: &App, id: &str, request: Request<E::Command>) -> Result<Done<E::View>, Failure> {
    let done = match check_all::<E>(app, &request).await {
        Ok(()) => app.registry.execute::<E>(id, request).await,
        Err(failure) => Err(failure),
    };
    count_command(E::KIND, end_of(&done));
    done
}

/// Checks every command of a request: they are decided as one.
async fn check_all<E: Hosted>(app: &App, request: &Request<E::Command>) -> Result<(), Failure> {
    for command in std::iter::once(&request.command).chain(&request.more) {
        references::check(app, command).await?;
    }
    Ok(())
}

fn end_of<V>(done: &Result<Done<V>, Failure>) -> CommandEnd {
    match done {
        Ok(done) if done.repeated => CommandEnd::Repeated,
        Ok(done) => CommandEnd::Done(done.outcome),
        Err(failure) if failure.is_refusal() => CommandEnd::Refused,
        Err(_) => CommandEnd::Failed,
    }
}
