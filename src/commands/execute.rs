//! Executing one command: what it names is checked, the entity decides, and what came of it is counted.

use super::{codes, references};
use crate::{
    actors::{Done, Failure, Hosted, Request},
    app::{App, catch_up},
    domain::{StreamKind, rights::Rights},
    telemetry::{CommandEnd, count_command},
};

/// Checks what a command names, has the entity decide it, and counts the result.
///
/// # Errors
/// A refusal of what it names, or whatever the entity refuses or fails at.
pub async fn execute<E: Hosted>(app: &App, id: &str, request: Request<E::Command>) -> Result<Done<E::View>, Failure> {
    let again = matches!(request.context.rights, Rights::Account(_)).then(|| request.clone());
    let mut done = decide::<E>(app, id, request).await;
    if let Some(again) = again
        && is_for_want_of_rights(&done)
        && let Some(request) = with_newer_roles(app, again).await
    {
        done = decide::<E>(app, id, request).await;
    }
    if let Ok(done) = &done
        && E::KIND == StreamKind::Household
    {
        // A caller who is told that somebody left, or may now do more, can rely on it.
        catch_up(app, done.position).await;
    }
    count_command(E::KIND, end_of(&done));
    done
}

async fn decide<E: Hosted>(app: &App, id: &str, request: Request<E::Command>) -> Result<Done<E::View>, Failure> {
    check_all::<E>(app, &request).await?;
    let claimed = codes::claim::<E>(app, id, &request)?;
    let done = app.registry.execute::<E>(id, request).await;
    if let Some(claimed) = claimed
        && !done.as_ref().is_err_and(Failure::is_refusal)
    {
        claimed.keep_until(done.as_ref().map_or_else(|_| app.log.head(), |done| done.position));
    }
    done
}

/// The refusals that the roles of the sender explain.
fn is_for_want_of_rights<V>(done: &Result<Done<V>, Failure>) -> bool {
    let refused = |failure: &Failure| {
        failure.code() == "not_permitted" || failure.code().ends_with("_not_found") || failure.code().ends_with("_exists")
    };
    done.as_ref().is_err_and(refused)
}

/// The roles follow the log at a short distance: a sender who was just told of a new one has it when this returns.
async fn with_newer_roles<C>(app: &App, mut request: Request<C>) -> Option<Request<C>> {
    let Rights::Account(before) = &request.context.rights else { return None };
    catch_up(app, app.log.head()).await;
    let now = app.authority.roles(&request.context.who);
    if now == *before {
        return None;
    }
    request.context.rights = Rights::Account(now);
    Some(request)
}

/// Checks every command of a request: they are decided as one.
async fn check_all<E: Hosted>(app: &App, request: &Request<E::Command>) -> Result<(), Failure> {
    for command in std::iter::once(&request.command).chain(&request.more) {
        references::check(app, command, &request.context).await?;
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
