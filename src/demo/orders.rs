//! The demo's orders: what was bought where and when; each line is charged at the price of that time.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    files::{Priced, contents, id, parsed, quantity, rows},
    household_id,
};
use crate::{
    domain::{
        Content, Moment, Money, OrderId, ProductId, Quantity, StoreId, line_total,
        order::{OrderCommand, OrderLine, OrderPlacement},
    },
    import::Intent,
};

/// People shop at half past five.
const EVENING_MICROS: i64 = (17 * 60 + 30) * 60 * 1_000_000;

#[derive(Deserialize)]
struct OrderRow {
    key: String,
    store: String,
    days_ago: i64,
    /// `product*quantity`, where the quantity may have a unit: `milk-1l*2 bananas*0.85kg`.
    lines: String,
}

pub(super) fn orders(today: Moment, prices: &[Priced]) -> impl Iterator<Item = Intent> {
    let contents = contents();
    rows::<OrderRow>(include_str!("orders.csv")).map(move |row| {
        let store = id(&row.store, StoreId::new);
        let placed_at = Moment(today.days_before(row.days_ago).0 + EVENING_MICROS);
        let lines = row.lines.split(' ').zip(1..).map(|(text, number)| line(number, text, &store, placed_at, prices, &contents)).collect();
        let placement = OrderPlacement {
            household: Some(household_id()),
            store,
            list: None,
            placed_at,
            lines,
            extras: Vec::new(),
            printed_total: None,
            source: "demo".into(),
        };
        Intent::Order(id(&format!("order-{}", row.key), OrderId::new), OrderCommand::Place(placement))
    })
}

fn line(number: u32, text: &str, store: &StoreId, at: Moment, prices: &[Priced], contents: &BTreeMap<ProductId, Quantity>) -> OrderLine {
    let (product, amount) = text.split_once('*').expect("this holds because a test reads every line");
    let product = id(product, ProductId::new);
    let quantity = amount.strip_suffix("kg").map_or_else(|| Quantity::each(parsed(amount)), |amount| quantity(amount, "kg"));
    OrderLine {
        line: number,
        charged: charged(&product, store, at, &quantity, prices, contents),
        product: Some(product),
        name: None,
        quantity,
        shop_discount: None,
        coupon_discount: None,
        coupon_match: None,
    }
}

/// Prices are in the order of time, so the last one before the order was in force.
fn charged(
    product: &ProductId,
    store: &StoreId,
    at: Moment,
    quantity: &Quantity,
    prices: &[Priced],
    contents: &BTreeMap<ProductId, Quantity>,
) -> Money {
    let held = |priced: &&Priced| priced.product == *product && priced.store == *store && priced.from <= at;
    let price = &prices.iter().rev().find(held).expect("this holds because a test reads every order").price;
    let content = contents.get(product).map(|quantity| Content { quantity, sold_by_weight: false });
    line_total(price, quantity, content).expect("this holds because a test reads every order")
}
