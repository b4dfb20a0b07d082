//! Prices any basket at any stores, at any moment, by what was known then or later. Nothing is recorded.

use actix_web::HttpResponse;

use super::{
    body::Json,
    error::{Problem, ProblemBody},
    protocol::{BasketAnswer, PriceBasket, StoreBasket},
    reads::json,
    stores,
    travel::{self, Asked},
};
use crate::{
    app::Current,
    domain::{Moment, MoneyError, StoreId},
    events::At,
    projections::{AsOf, Basket, BasketItem},
};

/// Lines of a basket.
const ITEMS_MAX: usize = 500;
/// Stores that one basket is priced at side by side.
const STORES_MAX: usize = 32;

/// Prices a basket: per store the total and every line with the observation it used. Records nothing.
/// With a time as `at`, the prices that were true then, by today's knowledge or by that of `known_at`;
/// with a position, as known there.
#[utoipa::path(post, path = "/api/v1/baskets/price", tag = "prices", request_body = PriceBasket,
    responses((status = 200, body = BasketAnswer), (status = "4XX", body = ProblemBody)))]
pub async fn price(app: Current, Json(body): Json<PriceBasket>) -> Result<HttpResponse, Problem> {
    let wanted = stores_of(body.store, body.stores)?;
    let items: Vec<BasketItem> = body.items.into_iter().map(BasketItem::from).collect();
    if !(1..=ITEMS_MAX).contains(&items.len()) {
        return Err(Problem::invalid("items_out_of_range", "/items", format!("a basket has 1 to {ITEMS_MAX} items")));
    }
    let by_truth = body.at.is_some() || body.known_at.is_some();
    let asked = Asked { at: body.at.unwrap_or_else(|| At::Time(app.clock.now())), known_at: body.known_at, by_truth };
    let (found, stores) = travel::find_and_ask(app, asked, move |app, found| {
        let (views, named) = (app.views.read(), wanted.iter());
        named.clone().try_for_each(|store| stores::known(found.named_in(&views), Some(store)).map_err(|unknown| unknown.at("/stores")))?;
        let known = found.of(&views);
        named.map(|store| basket(&items, store, &known, found.point.time)).collect::<Result<Vec<_>, _>>()
    })
    .await?;
    json(&BasketAnswer { at: found.point.time, known_position: found.known.unwrap_or(found.point).position, stores })
}

fn basket(items: &[BasketItem], store: &StoreId, known: &AsOf<'_>, at: Moment) -> Result<StoreBasket, Problem> {
    let too_much = |error: MoneyError| Problem::invalid("total_too_large", "/items", error.to_string());
    Basket::reckon(items, store, known, at).map(StoreBasket::from).map_err(too_much)
}

fn stores_of(one: Option<StoreId>, several: Vec<StoreId>) -> Result<Vec<StoreId>, Problem> {
    match (one, several) {
        (Some(store), several) if several.is_empty() => Ok(vec![store]),
        (None, several) if (1..=STORES_MAX).contains(&several.len()) => Ok(several),
        _ => {
            let detail = format!("give one store, or 1 to {STORES_MAX} stores");
            Err(Problem::invalid("stores_out_of_range", "/stores", detail))
        }
    }
}
