//! Single things as they were: folded from the beginning of their streams; the catalogue as it was known.

use actix_web::{HttpRequest, HttpResponse};

use super::{Asked, read};
use crate::{
    app::{App, Current},
    domain::{Entity, HouseholdId, OrderId, ProductId, StoreId, StreamId, codes::Gtin, household::HouseholdState, store::StoreState},
    events::{At, Point},
    http::{
        body::render,
        error::Problem,
        households, orders, products as products_now,
        protocol::{HouseholdView, StoreView},
        reads::Page,
        stores as stores_now,
    },
    past::{PastStates, Then},
};

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

fn not_yet(unknown: &Problem, point: Point, first: crate::events::Position) -> Problem {
    let detail =
        format!("{} at position {}: it did not exist yet; its first event is at position {first}", unknown.detail(), point.position);
    Problem::not_found(unknown.code(), detail)
}

/// A product as it was.
///
/// # Errors
/// See `read`; 404 if there was none.
pub async fn product(app: Current, request: HttpRequest, id: ProductId, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let then = entity(app, &app.past.products, id.as_str(), found.point, || products_now::unknown(&id))?;
        render(&products_now::view(&id, then.version, then.position, &then.state)?)
    })
    .await
}

/// An order as it was.
///
/// # Errors
/// See `read`; 404 if there was none.
pub async fn order(app: Current, request: HttpRequest, id: OrderId, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let then = entity(app, &app.past.orders, id.as_str(), found.point, || orders::unknown(&id))?;
        render(&orders::view(&id, then.version, then.position, &then.state)?)
    })
    .await
}

/// A household as it was.
///
/// # Errors
/// See `read`; 404 if there was none.
pub async fn household(app: Current, request: HttpRequest, id: HouseholdId, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let then = entity(app, &app.past.households, id.as_str(), found.point, || households::unknown(&id))?;
        let HouseholdState::Active(household) = &then.state else { return Err(households::unknown(&id)) };
        render(&HouseholdView::of(id.as_str(), then.version, then.position, household))
    })
    .await
}

/// A store as it was.
///
/// # Errors
/// See `read`; 404 if there was none.
pub async fn store(app: Current, request: HttpRequest, id: StoreId, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let then = entity(app, &app.past.stores, id.as_str(), found.point, || stores_now::unknown(&id))?;
        let StoreState::Registered(store) = &then.state else { return Err(stores_now::unknown(&id)) };
        render(&StoreView::of(id.as_str(), then.version, then.position, store))
    })
    .await
}

/// A page of the products that were registered, or the one that a GTIN belonged to.
///
/// # Errors
/// See `read`.
pub async fn products(
    app: Current,
    request: HttpRequest,
    at: At,
    gtin: Option<Gtin>,
    after: Option<ProductId>,
    limit: usize,
) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let views = app.views.read();
        let known = found.of(&views);
        let page = match gtin {
            Some(gtin) => Page { entries: known.product_by_gtin(gtin).and_then(|id| known.product(&id)).into_iter().collect(), next: None },
            None => Page::cut(known.products(after.as_ref(), limit + 1), limit, |product| product.id.to_string()),
        };
        drop(views);
        render(&page)
    })
    .await
}

/// A page of the stores that were registered.
///
/// # Errors
/// See `read`.
pub async fn stores(app: Current, request: HttpRequest, at: At, after: Option<StoreId>, limit: usize) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let entries = found.of(&app.views.read()).stores(after.as_ref(), limit + 1);
        render(&Page::cut(entries, limit, |store| store.id.to_string()))
    })
    .await
}
