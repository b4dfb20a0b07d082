//! People: setting up, signing in and out, their devices, tokens and invitations, and the accounts that an admin manages.

pub mod accounts;
pub mod errors;
pub mod invitations;
pub mod links;
pub mod oidc;
pub mod pages;
pub mod session;
pub mod setup;
pub mod tokens;

use actix_web::HttpRequest;

use super::{error::Problem, reads::segment};
use crate::{
    app::{Current, blocking},
    people::{CredentialId, People},
};

/// Runs work on the accounts, which writes to disk or hashes, on a thread that may wait.
///
/// # Errors
/// Its own, as a problem.
pub async fn on_accounts<T, E>(app: &Current, work: impl FnOnce(&People) -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    let people = app.authority.people.clone();
    Ok(blocking(move || work(&people)).await.map_err(|error| Problem::internal(&error))??)
}

/// The public name of a credential in the path.
///
/// # Errors
/// 404: no credential is named so.
pub fn credential(request: &HttpRequest, name: &str) -> Result<CredentialId, Problem> {
    request.match_info().get(name).unwrap_or_default().parse().map_err(|_| errors::no_credential())
}

/// The account in the path.
///
/// # Errors
/// 400 if it is not an id.
pub fn person(request: &HttpRequest) -> Result<crate::domain::Principal, Problem> {
    segment(request, "who", "/who")
}
