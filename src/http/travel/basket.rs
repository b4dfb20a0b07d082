//! A basket at any moment.

use super::{Asked, find_and_ask};
use crate::{
    app::Current,
    domain::StoreId,
    events::At,
    http::{
        error::Problem,
        protocol::{BasketAnswer, PriceBasket, StoreBasket},
        stores as stores_now,
    },
    projections::{Basket, BasketItem},
};

/// Lines of a basket.
const ITEMS_MAX: usize = 500;
/// Stores that one basket is priced at side by side.
const STORES_MAX: usize = 32;

/// Prices a basket.
///
/// # Errors
/// 400 for an invalid moment, 404 for a store that was not registered, 422 for no or too many items or stores.
pub async fn answer(app: Current, body: PriceBasket) -> Result<BasketAnswer, Problem> {
    let stores = stores(body.store, body.stores)?;
    let items: Vec<BasketItem> = body.items.into_iter().map(BasketItem::from).collect();
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        return Err(Problem::invalid("items_out_of_range", "/items", format!("a basket has 1 to {ITEMS_MAX} items")));
    }
    let by_truth = body.at.is_some() || body.known_at.is_some();
    let asked = Asked { at: body.at.unwrap_or_else(|| At::Time(app.clock.now())), known_at: body.known_at, by_truth };
    let (found, baskets) = find_and_ask(app, asked, move |app, found| {
        let views = app.views.read();
        if let Some(store) = stores.iter().find(|store| found.named_in(&views).store(store).is_none()) {
            return Err(stores_now::unknown(store).at("/stores"));
        }
        let (prices, at) = (found.of(&views), found.point.time);
        let too_much = |error: crate::domain::MoneyError| Problem::invalid("total_too_large", "/items", error.to_string());
        let basket = |store: &StoreId| Basket::reckon(&items, store, &prices, at).map(StoreBasket::from).map_err(too_much);
        stores.iter().map(basket).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    Ok(BasketAnswer { at: found.point.time, known_position: found.known.unwrap_or(found.point).position, stores: baskets })
}

fn stores(one: Option<StoreId>, several: Vec<StoreId>) -> Result<Vec<StoreId>, Problem> {
    match (one, several) {
        (Some(store), several) if several.is_empty() => Ok(vec![store]),
        (None, several) if (1..=STORES_MAX).contains(&several.len()) => Ok(several),
        _ => {
            let detail = format!("give one store, or 1 to {STORES_MAX} stores");
            Err(Problem::invalid("stores_out_of_range", "/stores", detail))
        }
    }
}
