//! A list as it was, and what it cost: explained down to the observations that were known.

use actix_web::{HttpRequest, HttpResponse};

use super::{Asked, entities::entity, read};
use crate::{
    app::Current,
    domain::{ListId, StoreId},
    events::At,
    http::{
        body::render,
        error::Problem,
        lists::{existing, unknown},
        protocol::{ListView, TotalsAnswer},
        stores,
    },
    projections::totals::ListTotals,
};

/// A list with its items and totals as they were.
///
/// # Errors
/// See `read`; 404 if there was none.
pub async fn show(app: Current, request: HttpRequest, id: ListId, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let then = entity(app, &app.past.lists, id.as_str(), found.point, || unknown(&id))?;
        let (list, archived) = existing(&id, &then.state)?;
        let totals = ListTotals::build(list, &found.of(&app.views.read()), found.point.time).view(list.store.as_ref());
        render(&ListView::of(id.as_str(), then.version, found.point.position, list, archived, &totals))
    })
    .await
}

/// The totals of a list as it was, line by line.
///
/// # Errors
/// See `read`; 404 if there was no such list or store.
pub async fn totals(app: Current, request: HttpRequest, id: ListId, store: Option<StoreId>, asked: Asked) -> Result<HttpResponse, Problem> {
    read(app, &request, asked, move |app, found| {
        let then = entity(app, &app.past.lists, id.as_str(), found.point, || unknown(&id))?;
        let (list, _) = existing(&id, &then.state)?;
        let views = app.views.read();
        if let Some(store) = store.as_ref().filter(|store| found.named_in(&views).store(store).is_none()) {
            return Err(stores::unknown(store));
        }
        let answer = TotalsAnswer::reckon(id.as_str(), then.version, list, store.as_ref(), &found.of(&views), found.point.time);
        drop(views);
        render(&answer)
    })
    .await
}
