//! Refusals that need only a product's command.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Offer, OfferTerms, PriceSeen, ProductDetails};
use crate::domain::{
    Currency, Moment, Money, Quantity, Refusal, RefusalKind, UnitPrice,
    codes::{CodeError, ProductCode},
    limits::{
        CODES_PER_PRODUCT_MAX, FUTURE_MICROS_MAX, INGREDIENTS_CHARS_MAX, MONEY_MINOR_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX,
        NUTRIENT_MICROGRAMS_MAX, NUTRIENTS_PER_PRODUCT_MAX, QUANTITY_MILLIONTHS_MAX, SOURCE_CHARS_MAX, UNIT_PRICE_TEN_THOUSANDTHS_MAX,
    },
    text::check_text,
};

/// 100 g of pure fat hold 3,700 kJ; more energy than this in 100 g is a mistake of units.
const ENERGY_MILLIONTHS_MAX: i64 = 4_000 * 1_000_000;

pub(super) fn check_details(details: &ProductDetails) -> Result<(), Refusal> {
    check_text(&details.name, NAME_CHARS_MAX, "/name")?;
    check_present(details.brand.as_deref(), NAME_CHARS_MAX, "/brand")?;
    check_present(details.category.as_deref(), NAME_CHARS_MAX, "/category")?;
    check_ingredients(details.ingredients.as_deref())?;
    details.content.as_ref().map_or(Ok(()), check_content)?;
    check_codes(details.codes.len())?;
    check_no_code_twice(details)?;
    details.codes.iter().enumerate().try_for_each(|(index, code)| check_code(code, format!("/codes/{index}")))?;
    check_nutrition(&details.nutrition)
}

pub(super) fn check_ingredients(ingredients: Option<&str>) -> Result<(), Refusal> {
    check_present(ingredients, INGREDIENTS_CHARS_MAX, "/ingredients")
}

fn check_present(text: Option<&str>, chars_max: usize, pointer: &'static str) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| check_text(text, chars_max, pointer))
}

pub(super) fn check_content(content: &Quantity) -> Result<(), Refusal> {
    match content.millionths() {
        ..=0 => Err(invalid("quantity_not_positive", "the pack content must be greater than zero", "/content/amount")),
        amount if amount > QUANTITY_MILLIONTHS_MAX => {
            Err(invalid("quantity_too_large", "a pack may hold at most a million of its unit", "/content/amount"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_codes(count: usize) -> Result<(), Refusal> {
    if count > CODES_PER_PRODUCT_MAX {
        let detail = format!("a product may have at most {CODES_PER_PRODUCT_MAX} codes");
        return Err(Refusal::new(RefusalKind::Invalid, "too_many_codes", detail).at("/codes"));
    }
    Ok(())
}

/// A number that stores make themselves names another product in another store.
pub(super) fn check_code(code: &ProductCode, pointer: impl Into<Cow<'static, str>>) -> Result<(), Refusal> {
    match code {
        ProductCode::Gtin(gtin) if gtin.is_store_made() => {
            let error = CodeError::GtinStoreMade;
            Err(Refusal::new(RefusalKind::Invalid, error.code(), error.to_string()).at(pointer))
        }
        ProductCode::Gtin(_) | ProductCode::Plu(_) | ProductCode::StoreMade { .. } | ProductCode::Source { .. } => Ok(()),
    }
}

fn check_no_code_twice(details: &ProductDetails) -> Result<(), Refusal> {
    let twice = (1..details.codes.len())
        .find(|&index| details.codes[..index].iter().any(|code| code.identity() == details.codes[index].identity()));
    match twice {
        Some(index) => Err(Refusal::new(RefusalKind::Invalid, "code_repeated", "this code is given twice").at(format!("/codes/{index}"))),
        None => Ok(()),
    }
}

pub(super) fn check_nutrition(nutrition: &BTreeMap<String, i64>) -> Result<(), Refusal> {
    if nutrition.len() > NUTRIENTS_PER_PRODUCT_MAX {
        let detail = format!("at most {NUTRIENTS_PER_PRODUCT_MAX} nutrients can be stated");
        return Err(Refusal::new(RefusalKind::Invalid, "too_many_nutrients", detail).at("/nutrition"));
    }
    for (nutrient, &amount) in nutrition {
        check_text(nutrient, NAME_CHARS_MAX, "/nutrition")?;
        let amount_max = if nutrient.starts_with("energy") { ENERGY_MILLIONTHS_MAX } else { NUTRIENT_MICROGRAMS_MAX };
        if !(0..=amount_max).contains(&amount) {
            let detail = format!("100 g cannot hold {amount} millionths of {nutrient}: 0 to {amount_max} are possible");
            let pointer = format!("/nutrition/{}", nutrient.replace('~', "~0").replace('/', "~1"));
            return Err(Refusal::new(RefusalKind::Invalid, "nutrition_impossible", detail).at(pointer));
        }
    }
    Ok(())
}

pub(super) fn check_price_seen(seen: &PriceSeen, now: Moment) -> Result<(), Refusal> {
    check_price(&seen.price, "/price/amount")?;
    if seen.observed_at.0 < 0 {
        return Err(invalid("observed_too_early", "an observation cannot be dated before 1970", "/observed_at"));
    }
    if seen.observed_at.0 > now.0.saturating_add(FUTURE_MICROS_MAX) {
        let detail = format!("{} is more than a day in the future (now {now}): a price is observed when it is seen", seen.observed_at);
        return Err(Refusal::new(RefusalKind::Invalid, "observed_in_future", detail).at("/observed_at"));
    }
    check_validity(seen.valid_from, seen.valid_until)?;
    check_text(&seen.source, SOURCE_CHARS_MAX, "/source")?;
    check_present(seen.evidence.as_deref(), NOTE_CHARS_MAX, "/evidence")
}

fn check_price(price: &UnitPrice, pointer: &'static str) -> Result<(), Refusal> {
    match price.ten_thousandths() {
        ..=0 => Err(invalid("price_not_positive", "a price must be greater than zero: a failed lookup is not a price", pointer)),
        amount if amount > UNIT_PRICE_TEN_THOUSANDTHS_MAX => {
            Err(invalid("price_too_large", "a price of more than a million is a mistake", pointer))
        }
        _ => Ok(()),
    }
}

fn check_validity(from: Option<Moment>, until: Option<Moment>) -> Result<(), Refusal> {
    match (from, until) {
        (Some(from), Some(until)) if from >= until => {
            Err(invalid("validity_reversed", "the validity must begin before it ends", "/valid_until"))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_offer(offer: &Offer) -> Result<(), Refusal> {
    check_validity(Some(offer.valid_from), offer.valid_until)?;
    check_text(&offer.source, SOURCE_CHARS_MAX, "/source")?;
    match &offer.terms {
        OfferTerms::CountFor { count: 0 | 1, .. } => {
            Err(invalid("count_too_small", "an offer of several for one total needs at least two", "/terms/count_for/count"))
        }
        OfferTerms::CountFor { total, .. } => check_amount(*total, "/terms/count_for/total/amount"),
        OfferTerms::PercentOff { percent: 1..=100 } => Ok(()),
        OfferTerms::PercentOff { .. } => {
            Err(invalid("percent_out_of_range", "an offer takes off 1 to 100 percent", "/terms/percent_off/percent"))
        }
        OfferTerms::AmountOff { amount } => check_amount(*amount, "/terms/amount_off/amount/amount"),
        OfferTerms::FixedPrice { price } => check_price(price, "/terms/fixed_price/price/amount"),
    }
}

fn check_amount(amount: Money, pointer: &'static str) -> Result<(), Refusal> {
    match amount.minor() {
        ..=0 => Err(invalid("amount_not_positive", "this amount must be greater than zero", pointer)),
        minor if minor > MONEY_MINOR_MAX => Err(invalid("amount_too_large", "this amount is too large", pointer)),
        _ => Ok(()),
    }
}

fn invalid(code: &'static str, detail: &'static str, pointer: &'static str) -> Refusal {
    Refusal::new(RefusalKind::Invalid, code, detail).at(pointer)
}

impl Offer {
    /// Not ended, and not past its time.
    pub(super) fn runs_on(&self, now: Moment) -> bool {
        !self.ended && self.valid_until.is_none_or(|until| now < until)
    }

    /// Whether it has the same content, ended since or not.
    pub(super) fn same_announcement(&self, other: &Self) -> bool {
        self.store == other.store
            && self.terms == other.terms
            && self.valid_from == other.valid_from
            && self.valid_until == other.valid_until
            && self.member_only == other.member_only
            && self.source == other.source
    }
}

impl OfferTerms {
    /// The currency of its amounts, `None` for a percentage.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Self::CountFor { total: amount, .. } | Self::AmountOff { amount } => Some(amount.currency()),
            Self::FixedPrice { price } => Some(price.currency()),
            Self::PercentOff { .. } => None,
        }
    }
}
