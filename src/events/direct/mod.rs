//! The events that fill a log – products, prices and orders – read straight from their bytes: faster than through serde,
//! and the same events. A replay spends most of its time reading.

use std::collections::BTreeMap;

use super::pack::{self, Fields, Rest, boolean, int, list, money, or_nil, quantity, string, text, unit_price};
use crate::domain::{
    Event, HouseholdId, ListId, Moment, ProductId, StoreId,
    codes::{Gtin, ProductCode},
    order::{Extra, OrderEvent, OrderLine, OrderPlacement},
    product::{PriceKind, PriceSeen, ProductDetails, ProductEvent},
};

/// Reads the fields of an event in its present shape; `None` for other events and for bytes unlike those this program writes.
#[must_use]
pub fn read(name: &str, bytes: &[u8]) -> Option<Event> {
    let mut rest = bytes;
    match name {
        "product.price_observed" => price_observed(&mut rest).map(Event::Product),
        "product.registered" => details(&mut rest).map(|details| Event::Product(ProductEvent::Registered(details))),
        "order.placed" => placed(&mut rest).map(Event::Order),
        _ => None,
    }
}

fn price_observed(rest: Rest<'_, '_>) -> Option<ProductEvent> {
    let mut fields = Fields::of(rest)?;
    let seen = fields.one(rest, "seen", price_seen)?;
    let outlier = fields.one(rest, "outlier", boolean)?;
    fields.end()?;
    Some(ProductEvent::PriceObserved { seen, outlier })
}

fn price_seen(rest: Rest<'_, '_>) -> Option<PriceSeen> {
    let mut fields = Fields::of(rest)?;
    let seen = PriceSeen {
        store: fields.one(rest, "store", store)?,
        kind: fields.one(rest, "kind", kind)?,
        price: fields.one(rest, "price", unit_price)?,
        valid_from: fields.optional(rest, "valid_from", moment)?,
        valid_until: fields.optional(rest, "valid_until", moment)?,
        observed_at: fields.one(rest, "observed_at", moment)?,
        source: fields.one(rest, "source", string)?,
        evidence: fields.optional(rest, "evidence", string)?,
    };
    fields.end()?;
    Some(seen)
}

fn details(rest: Rest<'_, '_>) -> Option<ProductDetails> {
    let mut fields = Fields::of(rest)?;
    let details = ProductDetails {
        name: fields.one(rest, "name", string)?,
        brand: fields.optional(rest, "brand", string)?,
        category: fields.optional(rest, "category", string)?,
        content: fields.optional(rest, "content", quantity)?,
        sold_by_weight: fields.one(rest, "sold_by_weight", boolean)?,
        organic: fields.one(rest, "organic", boolean)?,
        codes: fields.optional(rest, "codes", |rest| list(rest, code))?.unwrap_or_default(),
        ingredients: fields.optional(rest, "ingredients", string)?,
        nutrition: fields.optional(rest, "nutrition", nutrition)?.unwrap_or_default(),
    };
    fields.end()?;
    Some(details)
}

fn code(rest: Rest<'_, '_>) -> Option<ProductCode> {
    let mut variant = Fields::of(rest)?;
    if let Some(gtin) = variant.optional(rest, "gtin", |rest| Gtin::read(text(rest)?).ok())? {
        variant.end()?;
        return Some(ProductCode::Gtin(gtin));
    }
    let code = variant.one(rest, "source", source_code)?;
    variant.end()?;
    Some(code)
}

fn source_code(rest: Rest<'_, '_>) -> Option<ProductCode> {
    let mut fields = Fields::of(rest)?;
    let source = fields.one(rest, "source", text)?;
    let id = fields.one(rest, "id", text)?;
    fields.end()?;
    ProductCode::source(source, id).ok()
}

fn nutrition(rest: Rest<'_, '_>) -> Option<BTreeMap<String, i64>> {
    let mut nutrients = BTreeMap::new();
    for _ in 0..pack::map(rest)? {
        let name = string(rest)?;
        nutrients.insert(name, int(rest)?);
    }
    Some(nutrients)
}

fn placed(rest: Rest<'_, '_>) -> Option<OrderEvent> {
    let mut fields = Fields::of(rest)?;
    let placement = fields.one(rest, "placement", placement)?;
    let total = fields.one(rest, "total", money)?;
    let variance = fields.one(rest, "variance", or_nil(money))?;
    fields.end()?;
    Some(OrderEvent::Placed { placement, total, variance })
}

fn placement(rest: Rest<'_, '_>) -> Option<OrderPlacement> {
    let mut fields = Fields::of(rest)?;
    let placement = OrderPlacement {
        household: fields.optional(rest, "household", |rest| HouseholdId::new(text(rest)?).ok())?,
        store: fields.one(rest, "store", store)?,
        list: fields.optional(rest, "list", |rest| ListId::new(text(rest)?).ok())?,
        placed_at: fields.one(rest, "placed_at", moment)?,
        lines: fields.one(rest, "lines", |rest| list(rest, line))?,
        extras: fields.optional(rest, "extras", |rest| list(rest, extra))?.unwrap_or_default(),
        printed_total: fields.optional(rest, "printed_total", money)?,
        source: fields.one(rest, "source", string)?,
    };
    fields.end()?;
    Some(placement)
}

fn line(rest: Rest<'_, '_>) -> Option<OrderLine> {
    let mut fields = Fields::of(rest)?;
    let line = OrderLine {
        line: fields.one(rest, "line", |rest| u32::try_from(int(rest)?).ok())?,
        product: fields.optional(rest, "product", |rest| ProductId::new(text(rest)?).ok())?,
        name: fields.optional(rest, "name", string)?,
        quantity: fields.one(rest, "quantity", quantity)?,
        charged: fields.one(rest, "charged", money)?,
        shop_discount: fields.optional(rest, "shop_discount", money)?,
        coupon_discount: fields.optional(rest, "coupon_discount", money)?,
        coupon_match: fields.optional(rest, "coupon_match", money)?,
    };
    fields.end()?;
    Some(line)
}

fn extra(rest: Rest<'_, '_>) -> Option<Extra> {
    let mut fields = Fields::of(rest)?;
    let extra = Extra { kind: fields.one(rest, "kind", string)?, amount: fields.one(rest, "amount", money)? };
    fields.end()?;
    Some(extra)
}

fn store(rest: Rest<'_, '_>) -> Option<StoreId> {
    StoreId::new(text(rest)?).ok()
}

fn moment(rest: Rest<'_, '_>) -> Option<Moment> {
    int(rest).map(Moment)
}

fn kind(rest: Rest<'_, '_>) -> Option<PriceKind> {
    match text(rest)? {
        "shelf" => Some(PriceKind::Shelf),
        "promo" => Some(PriceKind::Promo),
        "member" => Some(PriceKind::Member),
        "clearance" => Some(PriceKind::Clearance),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
