//! Prices any basket at any stores, at any moment, by what was known then or later. Nothing is recorded.

use actix_web::HttpResponse;

use super::{
    body::Json,
    error::{Problem, ProblemBody},
    protocol::{BasketAnswer, PriceBasket},
    reads::json,
    travel,
};
use crate::app::Current;

/// Prices a basket: per store the total and every line with the observation it used. Records nothing.
/// With a time as `at`, the prices that were true then, by today's knowledge or by that of `known_at`;
/// with a position, as known there.
#[utoipa::path(post, path = "/api/v1/baskets/price", tag = "prices", request_body = PriceBasket,
    responses((status = 200, body = BasketAnswer), (status = "4XX", body = ProblemBody)))]
pub async fn price(app: Current, Json(body): Json<PriceBasket>) -> Result<HttpResponse, Problem> {
    json(&travel::basket(app, body).await?)
}
