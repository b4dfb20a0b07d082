//! Single things as they are or as they were: of the actor, or folded from the beginning of their streams.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{Asked, When, read, when};
use crate::{
    actors::Hosted,
    app::{App, Current},
    domain::{Entity, StreamId},
    events::{Point, Position},
    http::{
        body::render,
        error::Problem,
        reads::{AfterQuery, tagged, version_tag},
    },
    past::{Past, PastStates, Then},
};

/// An entity that clients read by its id.
pub trait Shown: Hosted {
    /// Its id, as the path has it.
    type Id: AsRef<str> + Send + 'static;
    /// What clients see of it.
    type Seen<'a>: Serialize;

    /// What clients see of it.
    ///
    /// # Errors
    /// 404 if there is none.
    fn seen<'a>(id: &'a Self::Id, version: u64, position: Position, state: &'a Self::State) -> Result<Self::Seen<'a>, Problem>;

    /// There is none (404).
    fn unknown(id: &Self::Id) -> Problem;

    /// Where its past is kept.
    fn histories(past: &Past) -> &PastStates<Self>;
}

/// Shows an entity, as it is or as it was.
///
/// # Errors
/// See `read`; 404 if there is or was none.
pub async fn show<E: Shown>(app: Current, request: HttpRequest, id: E::Id, query: AfterQuery) -> Result<HttpResponse, Problem> {
    if let When::Then(at) = when(query.at, query.after)? {
        return read(app, &request, Asked::of(at), move |app, found| {
            let then = entity(app, E::histories(&app.past), id.as_ref(), found.point, || E::unknown(&id))?;
            render(&E::seen(&id, then.version, then.position, &then.state)?)
        })
        .await;
    }
    // The entity itself is always current, so nobody waits for a position.
    let loaded = app.registry.load::<E>(id.as_ref()).await?;
    let seen = E::seen(&id, loaded.version, loaded.position, &loaded.state)?;
    tagged(&request, &format!("\"{}\"", version_tag(&app, loaded.version, loaded.position)), || render(&seen))
}

/// An entity as it was at a point.
///
/// # Errors
/// 404 with the code of `unknown`; if it exists now, states since when.
pub fn entity<E: Entity>(
    app: &App,
    histories: &PastStates<E>,
    id: &str,
    point: Point,
    unknown: impl FnOnce() -> Problem,
) -> Result<Then<E>, Problem> {
    let stream = StreamId::new(E::KIND, id).map_err(|error| Problem::internal(&error))?;
    let history = histories.read(&*app.log, &stream, point.position).map_err(Problem::unreadable)?;
    let Some(history) = history else { return Err(unknown()) };
    history.at(point.position).ok_or_else(|| not_yet(&unknown(), point, history.first()))
}

fn not_yet(unknown: &Problem, point: Point, first: Position) -> Problem {
    let detail =
        format!("{} at position {}: it did not exist yet; its first event is at position {first}", unknown.detail(), point.position);
    Problem::not_found(unknown.code(), detail)
}
