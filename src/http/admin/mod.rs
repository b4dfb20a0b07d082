//! For admins: snapshots, restores, rebuilds. Long work is answered with 202 and followed as an operation; one runs at a time.

pub mod bring_back;
pub mod operations;
pub mod restore;
pub mod snapshots;
pub mod views;

use std::{future::Future, sync::Arc};

use actix_web::{HttpResponse, http::header};
use serde::Serialize;

use super::{body::render, error::Problem};
use crate::{
    app::{Admin, Running},
    snapshots::{Operation, SnapshotError, WorkError},
};

/// Begins long work and answers 202 with its operation.
///
/// # Errors
/// 409 while other work is under way.
pub fn begin<W, F, T>(running: &Arc<Running>, kind: &'static str, admin: &Admin, work: W) -> Result<HttpResponse, Problem>
where
    W: FnOnce(Arc<Running>, Arc<Operation>) -> F,
    F: Future<Output = Result<T, SnapshotError>> + 'static,
    T: Serialize + 'static,
{
    let operation = start(running, kind, admin, work)?;
    let place = format!("/api/v1/admin/operations/{}", operation.id);
    let mut answer = HttpResponse::Accepted();
    answer.insert_header((header::LOCATION, place)).content_type("application/json");
    Ok(answer.body(render(&operation.view())?))
}

/// Begins long work in the background.
///
/// # Errors
/// 409 while other work is under way.
fn start<W, F, T>(running: &Arc<Running>, kind: &'static str, admin: &Admin, work: W) -> Result<Arc<Operation>, Problem>
where
    W: FnOnce(Arc<Running>, Arc<Operation>) -> F,
    F: Future<Output = Result<T, SnapshotError>> + 'static,
    T: Serialize + 'static,
{
    let clock = Arc::clone(&running.current().clock);
    let operation = running.operations().begin(kind, admin.who.as_str(), clock.now())?;
    let working = actix_web::rt::spawn(work(Arc::clone(running), Arc::clone(&operation)));
    let (own, running) = (Arc::clone(&operation), Arc::clone(running));
    actix_web::rt::spawn(async move {
        // It is ended in every case, or no other could ever begin.
        let result = working.await.unwrap_or_else(|error| Err(WorkError::CutShort(error.to_string()).into()));
        running.operations().end(&own, clock.now(), &result);
    });
    Ok(operation)
}
