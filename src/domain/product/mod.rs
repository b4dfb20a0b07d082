//! The product: what it is, its codes, and what was seen of its price, offers and stock.

mod changes;
mod checks;
mod decide;
mod details;
mod evolve;
mod observations;
mod tidy;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Context, Decision, Entity, Fact, Moment, Money, OfferId, ProductId, Quantity, Refusal, RefusalKind, StoreId, StreamKind, UnitPrice,
    codes::ProductCode, event_table::event_table,
};

/// A command to a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProductCommand {
    Register(ProductDetails),
    /// What its source says of it now: registers it, or changes what the source says otherwise and links its new codes. What the source
    /// does not say stays, and so does what was changed by hand.
    Update(ProductDetails),
    /// `None` leaves a field unchanged, an empty brand, category or text of ingredients clears it.
    ChangeDetails {
        name: Option<String>,
        brand: Option<String>,
        category: Option<String>,
        content: Option<Quantity>,
        sold_by_weight: Option<bool>,
        organic: Option<bool>,
        ingredients: Option<String>,
        /// All nutrients, in place of those before.
        nutrition: Option<BTreeMap<String, i64>>,
    },
    LinkCode {
        code: ProductCode,
    },
    ObservePrice(PriceSeen),
    WithdrawPrice {
        store: StoreId,
        kind: PriceKind,
    },
    AnnounceOffer {
        offer: OfferId,
        store: StoreId,
        terms: OfferTerms,
        valid_from: Moment,
        valid_until: Option<Moment>,
        member_only: bool,
        source: String,
    },
    EndOffer {
        offer: OfferId,
    },
    ReportStock {
        store: StoreId,
        stock: Stock,
    },
    #[serde(deserialize_with = "super::no_fields::deserialize")]
    Discontinue,
    MergeInto {
        product: ProductId,
    },
}

/// What a product is. `content` is what one pack holds: the fact by which packs convert to mass or volume.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductDetails {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Free text of the source; heissepreise uses its category code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Quantity>,
    /// Sold loose: half a pack can be bought.
    #[serde(default)]
    pub sold_by_weight: bool,
    #[serde(default)]
    pub organic: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<ProductCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingredients: Option<String>,
    /// Per 100 g or 100 ml: nutrient name to micrograms. Energy has no mass: names that begin with `energy` hold
    /// millionths of the unit they name (`energy-kj`, `energy-kcal`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nutrition: BTreeMap<String, i64>,
}

impl ProductDetails {
    /// A product of which only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            brand: None,
            category: None,
            content: None,
            sold_by_weight: false,
            organic: false,
            codes: Vec::new(),
            ingredients: None,
            nutrition: BTreeMap::new(),
        }
    }
}

/// One price as it was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceSeen {
    pub store: StoreId,
    #[serde(default)]
    pub kind: PriceKind,
    pub price: UnitPrice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    /// Exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Moment>,
    /// When it was true; the log adds when it was recorded.
    pub observed_at: Moment,
    pub source: String,
    /// A link or note that backs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Which of a store's prices it is. A price holds until the next observation of the same kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    #[default]
    Shelf,
    Promo,
    Member,
    Clearance,
}

/// What an offer gives; later issues price baskets with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OfferTerms {
    /// Several for one total, such as 3 for 5.00.
    CountFor {
        count: u32,
        total: Money,
    },
    PercentOff {
        percent: u8,
    },
    AmountOff {
        amount: Money,
    },
    FixedPrice {
        price: UnitPrice,
    },
}

/// Whether a store has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stock {
    In,
    Low,
    Out,
}

/// What happened to a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductEvent {
    Registered(ProductDetails),
    /// Only what changed; an empty brand, category or text of ingredients was cleared.
    DetailsChanged(DetailsChange),
    CodeLinked {
        code: ProductCode,
    },
    /// `outlier`: under a third or over three times the median so far.
    PriceObserved {
        seen: PriceSeen,
        outlier: bool,
    },
    PriceWithdrawn {
        store: StoreId,
        kind: PriceKind,
    },
    OfferAnnounced {
        offer: OfferId,
        store: StoreId,
        terms: OfferTerms,
        valid_from: Moment,
        valid_until: Option<Moment>,
        member_only: bool,
        source: String,
    },
    OfferEnded {
        offer: OfferId,
    },
    StockReported {
        store: StoreId,
        stock: Stock,
    },
    Discontinued {},
    Merged {
        into: ProductId,
    },
}

event_table! { ProductEvent {
    Registered "product.registered" [
        "name" Text, "brand" Text, "category" Text, "ingredients" Text,
        "codes.*.store_made.store" Id(Store), "codes.*.store_made.code" Code, "codes.*.source.source" Keep, "codes.*.source.id" Code,
    ];
    DetailsChanged "product.details_changed" ["name" Text, "brand" Text, "category" Text, "ingredients" Text];
    CodeLinked "product.code_linked" [
        "code.store_made.store" Id(Store), "code.store_made.code" Code, "code.source.source" Keep, "code.source.id" Code,
    ];
    PriceObserved "product.price_observed" ["seen.store" Id(Store), "seen.source" Text, "seen.evidence" Text];
    PriceWithdrawn "product.price_withdrawn" ["store" Id(Store)];
    OfferAnnounced "product.offer_announced" ["offer" PartId, "store" Id(Store), "source" Text];
    OfferEnded "product.offer_ended" ["offer" PartId];
    StockReported "product.stock_reported" ["store" Id(Store)];
    Discontinued "product.discontinued" [];
    Merged "product.merged" ["into" Id(Product)];
} }

/// What changed of a product's details.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DetailsChange {
    pub name: Option<String>,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub content: Option<Quantity>,
    pub sold_by_weight: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organic: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingredients: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nutrition: Option<BTreeMap<String, i64>>,
    /// The source says so now; else somebody changed it by hand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_source: bool,
}

/// The phases of a product's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum ProductState {
    #[default]
    Absent,
    Active(Product),
    Discontinued(Product),
    Merged {
        into: ProductId,
    },
}

/// A known product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    pub details: ProductDetails,
    /// What was observed, sorted by (store, kind, observed at): enough to recognise a repetition and an outlier.
    pub observations: Vec<Observation>,
    /// Running offers, and enough ended ones to recognise a repetition.
    pub offers: BTreeMap<OfferId, Offer>,
    pub stock: BTreeMap<StoreId, Stock>,
    /// The fields of its details that were changed by hand: its source does not change them back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<String>,
}

/// An offer as it was announced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    pub store: StoreId,
    pub terms: OfferTerms,
    pub valid_from: Moment,
    /// Exclusive.
    pub valid_until: Option<Moment>,
    pub member_only: bool,
    pub source: String,
    /// It was ended early.
    pub ended: bool,
}

/// What the decider remembers of one observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub store: StoreId,
    pub kind: PriceKind,
    pub observed_at: Moment,
    pub price: UnitPrice,
    pub withdrawn: bool,
}

/// The product as an entity.
#[derive(Debug)]
pub struct Products;

impl Entity for Products {
    const KIND: StreamKind = StreamKind::Product;
    type State = ProductState;
    type Command = ProductCommand;
    type Event = ProductEvent;

    fn check_right(_: &ProductState, _: &ProductCommand, context: &Context) -> Result<(), Refusal> {
        decide::check_right(context)
    }

    fn decide(state: &ProductState, command: &ProductCommand, context: &Context) -> Result<Decision<ProductEvent>, Refusal> {
        decide::decide(state, command, context)
    }

    /// No product merges into itself.
    fn check_own(own: &str, command: &ProductCommand) -> Result<(), Refusal> {
        match command {
            ProductCommand::MergeInto { product } if product.as_str() == own => {
                let detail = format!("product {own} cannot be merged into itself");
                Err(Refusal::new(RefusalKind::Invalid, "merge_into_itself", detail).at("/product"))
            }
            ProductCommand::Register(_)
            | ProductCommand::Update(_)
            | ProductCommand::ChangeDetails { .. }
            | ProductCommand::LinkCode { .. }
            | ProductCommand::ObservePrice(_)
            | ProductCommand::WithdrawPrice { .. }
            | ProductCommand::AnnounceOffer { .. }
            | ProductCommand::EndOffer { .. }
            | ProductCommand::ReportStock { .. }
            | ProductCommand::Discontinue
            | ProductCommand::MergeInto { .. } => Ok(()),
        }
    }

    fn evolve(state: &mut ProductState, event: &ProductEvent, fact: &Fact<'_>) {
        evolve::evolve(state, event, fact);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
