//! An order's lines are price observations too: what one unit cost at the shelf, and what it cost a member.

use super::{OrderLine, OrderPlacement};
use crate::domain::{Money, ProductId, UnitPrice, limits::UNIT_PRICE_TEN_THOUSANDTHS_MAX, product::PriceKind};

/// A price that a line of an order proves, at the order's store and moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePrice<'a> {
    pub product: &'a ProductId,
    pub kind: PriceKind,
    pub price: UnitPrice,
}

/// Returns the prices that an order's lines prove, in the order of the lines.
///
/// Per unit of the line's quantity, rounded half up to ten-thousandths:
/// - shelf: (charged + coupon discount + shop discount + coupon match) / quantity, what a customer without card or coupon pays;
/// - member: (charged + coupon discount + coupon match) / quantity, only where the shop took something off.
///
/// In terms of the complete-journey data, where charged is `sales_value − coupon_disc`, that is
/// (`sales_value` + `retail_disc` + `coupon_match_disc`) / `quantity` and the same without `retail_disc`.
/// Lines without a product, without a quantity and of free things prove no price.
pub fn price_observations(placement: &OrderPlacement) -> impl Iterator<Item = LinePrice<'_>> {
    line_prices(&placement.lines)
}

/// Like [`price_observations`], for lines alone: an order may get more of them later.
pub fn line_prices(lines: &[OrderLine]) -> impl Iterator<Item = LinePrice<'_>> {
    lines.iter().flat_map(|line| {
        let product = line.product.as_ref().filter(|_| line.quantity.is_positive());
        let shelf = product.and_then(|product| line_price(product, PriceKind::Shelf, line, shelf_minor(line)));
        let member = product
            .filter(|_| minor(line.shop_discount) > 0)
            .and_then(|product| line_price(product, PriceKind::Member, line, member_minor(line)));
        shelf.into_iter().chain(member)
    })
}

fn member_minor(line: &OrderLine) -> i128 {
    i128::from(line.charged.minor()) + minor(line.coupon_discount) + minor(line.coupon_match)
}

fn shelf_minor(line: &OrderLine) -> i128 {
    member_minor(line) + minor(line.shop_discount)
}

fn minor(amount: Option<Money>) -> i128 {
    amount.map_or(0, |amount| i128::from(amount.minor()))
}

/// Divides once, in ten-thousandths, half up. `None` for an impossible shelf price, such as zero.
fn line_price<'a>(product: &'a ProductId, kind: PriceKind, line: &OrderLine, minor: i128) -> Option<LinePrice<'a>> {
    let currency = line.charged.currency();
    let ten_thousandths_per_minor = 10_i128.pow(4_u32.checked_sub(currency.decimals())?);
    let quantity = i128::from(line.quantity.millionths());
    let dividend = minor * ten_thousandths_per_minor * 1_000_000;
    let price = (2 * dividend + quantity).div_euclid(2 * quantity);
    let price = i64::try_from(price).ok().filter(|price| (1..=UNIT_PRICE_TEN_THOUSANDTHS_MAX).contains(price))?;
    let price = UnitPrice::from_ten_thousandths(price, currency, line.quantity.unit().clone());
    Some(LinePrice { product, kind, price })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Moment, Quantity, StoreId};

    fn usd(minor: i64) -> Money {
        Money::from_minor(minor, Currency::new("USD").unwrap())
    }

    fn prices(line: OrderLine) -> Vec<(PriceKind, String)> {
        let placement = OrderPlacement {
            household: None,
            store: StoreId::new("s").unwrap(),
            list: None,
            placed_at: Moment(0),
            lines: vec![line],
            extras: vec![],
            printed_total: None,
            source: "receipt".into(),
        };
        price_observations(&placement).map(|seen| (seen.kind, seen.price.amount_text())).collect()
    }

    fn line(quantity: Quantity, charged: i64) -> OrderLine {
        OrderLine {
            line: 1,
            product: Some(ProductId::new("p").unwrap()),
            name: None,
            quantity,
            charged: usd(charged),
            shop_discount: None,
            coupon_discount: None,
            coupon_match: None,
        }
    }

    #[test]
    fn a_plain_line_proves_a_shelf_price_rounded_half_up() {
        assert_eq!(prices(line(Quantity::each(3), 500)), [(PriceKind::Shelf, "1.6667".to_owned())]);
        assert_eq!(prices(line(Quantity::each(8), 1)), [(PriceKind::Shelf, "0.0013".to_owned())]);
    }

    #[test]
    fn a_discounted_line_proves_a_shelf_and_a_member_price() {
        let line = OrderLine {
            shop_discount: Some(usd(60)),
            coupon_discount: Some(usd(100)),
            coupon_match: Some(usd(40)),
            ..line(Quantity::each(2), 300)
        };
        assert_eq!(prices(line), [(PriceKind::Shelf, "2.50".to_owned()), (PriceKind::Member, "2.20".to_owned())]);
    }

    #[test]
    fn free_uncounted_and_unknown_things_prove_nothing() {
        assert_eq!(prices(line(Quantity::each(1), 0)), []);
        assert_eq!(prices(line(Quantity::each(0), 100)), []);
        assert_eq!(prices(OrderLine { product: None, ..line(Quantity::each(1), 100) }), []);
    }
}
