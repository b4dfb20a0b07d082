//! The prices of a product as they were, and as they were known.

use actix_web::{HttpRequest, HttpResponse};

use super::{Asked, read};
use crate::{
    app::Current,
    domain::{ProductId, StoreId, product::PriceKind},
    events::At,
    http::{
        body::render,
        error::Problem,
        prices::{BestPrices, PricesQuery, held, history},
        products, stores,
    },
};

/// The best prices of then.
///
/// # Errors
/// See `read`; 404 if there was no such product.
pub async fn best(app: Current, request: HttpRequest, id: ProductId, member: bool, at: At) -> Result<HttpResponse, Problem> {
    read(app, &request, Asked::of(at), move |app, found| {
        let views = app.views.read();
        let known = found.of(&views);
        let stores = known.best_prices(&id, found.point.time, member);
        if stores.is_empty() && !known.is_registered(&id) {
            return Err(products::unknown(&id));
        }
        drop(views);
        render(&BestPrices { product: id.as_str(), at: found.point.time, stores })
    })
    .await
}

/// The price that held at a moment, or the history, by what was known at a position.
///
/// # Errors
/// See `read`; 404 if there was no such product, store or price.
pub async fn prices(
    app: Current,
    request: HttpRequest,
    id: ProductId,
    asked: Asked,
    of: Option<(StoreId, PriceKind)>,
    query: PricesQuery,
) -> Result<HttpResponse, Problem> {
    read(app, &request, asked, move |app, found| {
        let views = app.views.read();
        let known = views.as_of(found.known.unwrap_or(found.point).position);
        let store = of.as_ref().map(|(store, _)| store).or(query.store.as_ref());
        if !known.is_registered(&id) {
            return Err(products::unknown(&id));
        }
        if let Some(store) = store.filter(|store| known.store(store).is_none()) {
            return Err(stores::unknown(store));
        }
        match &of {
            Some((store, kind)) => render(&held(known, &id, store, *kind, found.point.time)?),
            None => render(&history(known, &id, query)?),
        }
    })
    .await
}
