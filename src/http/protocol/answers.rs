//! The answers to reads of single entities. They borrow from the state, so that rendering copies nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::basket::{Evidenced, evidence};
use crate::{
    domain::{
        Currency, HouseholdId, ItemId, Moment, Money, OfferId, OrderId, Principal, ProductId, Quantity, StoreId,
        household::Household,
        list::{Item, List, Role},
        product::{OfferTerms, Product, ProductDetails, Stock},
        rights::HouseholdRole,
        store::Store,
    },
    events::Position,
    projections::totals::{ExplainedLine, ListTotals, PriceLookup, TotalsView},
};

/// A list with its items in their order and its totals.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListView<'a> {
    pub id: &'a str,
    /// Send it as `If-Match` to write only if nobody else did.
    pub version: u64,
    /// The position up to which prices are taken into account.
    #[schema(value_type = String)]
    pub position: Position,
    pub name: &'a str,
    pub archived: bool,
    #[schema(required, value_type = Option<HouseholdId>)]
    pub household: Option<&'a HouseholdId>,
    #[schema(required, value_type = Option<StoreId>)]
    pub store: Option<&'a StoreId>,
    #[schema(required)]
    pub budget: Option<Money>,
    pub members: Vec<MemberView<'a>>,
    pub items: Vec<ItemView<'a>>,
    #[schema(required, value_type = Option<OrderId>)]
    pub last_order: Option<&'a OrderId>,
    pub created_at: Moment,
    pub totals: &'a TotalsView,
}

/// With whom a list is shared by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView<'a> {
    #[schema(value_type = Principal)]
    pub member: &'a Principal,
    pub role: Role,
}

/// A member of a household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdMemberView<'a> {
    #[schema(value_type = Principal)]
    pub member: &'a Principal,
    pub role: HouseholdRole,
}

/// One item of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemView<'a> {
    #[schema(value_type = ItemId)]
    pub id: &'a ItemId,
    pub name: &'a str,
    #[schema(required, value_type = Option<ProductId>)]
    pub product: Option<&'a ProductId>,
    #[schema(required)]
    pub specification: Option<&'a str>,
    #[schema(value_type = Quantity)]
    pub quantity: &'a Quantity,
    #[schema(required)]
    pub note: Option<&'a str>,
    pub checked: bool,
    /// Its place: items are in the order of their ranks, those of one rank by id. A move changes only the moved item's rank.
    pub rank: i64,
    #[schema(value_type = Principal)]
    pub added_by: &'a Principal,
    pub added_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Principal>)]
    pub checked_by: Option<&'a Principal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Moment>,
}

impl<'a> ListView<'a> {
    /// The list as clients see it.
    #[must_use]
    pub fn of(id: &'a str, version: u64, position: Position, list: &'a List, archived: bool, totals: &'a TotalsView) -> Self {
        let mut items: Vec<(&ItemId, &Item)> = list.items.iter().collect();
        items.sort_by_key(|(id, item)| (item.rank, *id));
        Self {
            id,
            version,
            position,
            name: &list.name,
            archived,
            household: list.household.as_ref(),
            store: list.store.as_ref(),
            budget: list.budget,
            members: members(&list.members),
            items: items.into_iter().map(|(id, item)| ItemView::of(id, item)).collect(),
            last_order: list.last_order.as_ref(),
            created_at: list.created_at,
            totals,
        }
    }
}

impl<'a> ItemView<'a> {
    fn of(id: &'a ItemId, item: &'a Item) -> Self {
        Self {
            id,
            name: &item.name,
            product: item.product.as_ref(),
            specification: item.specification.as_deref(),
            quantity: &item.quantity,
            note: item.note.as_deref(),
            checked: item.checked.is_some(),
            rank: item.rank,
            added_by: &item.added.who,
            added_at: item.added.at,
            checked_by: item.checked.as_ref().map(|mark| &mark.who),
            checked_at: item.checked.as_ref().map(|mark| mark.at),
        }
    }
}

fn members(members: &BTreeMap<Principal, Role>) -> Vec<MemberView<'_>> {
    members.iter().map(|(member, role)| MemberView { member, role: *role }).collect()
}

/// `GET /lists/{id}/totals`: the totals at one store, line by line; the lines add up to them exactly.
#[derive(Debug, Serialize, ToSchema)]
pub struct TotalsAnswer<'a> {
    pub id: &'a str,
    pub version: u64,
    pub totals: TotalsView,
    pub lines: Vec<Evidenced<ExplainedLine>>,
}

impl<'a> TotalsAnswer<'a> {
    /// The totals of a list at a store, else at its own, recomputed.
    #[must_use]
    pub fn reckon(id: &'a str, version: u64, list: &List, store: Option<&StoreId>, prices: &dyn PriceLookup, at: Moment) -> Self {
        let reckoned = ListTotals::build_for(list, store, prices, at);
        let totals = reckoned.view(store);
        let lines = totals.store.as_ref().map(|store| reckoned.explain(list, store, prices, at)).unwrap_or_default();
        let lines = lines.into_iter().map(|line| Evidenced { evidence: evidence(line.used.as_ref()), line }).collect();
        Self { id, version, totals, lines }
    }
}

/// A product as the entity knows it; its prices have their own route.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView<'a> {
    pub id: &'a str,
    pub version: u64,
    #[schema(value_type = String)]
    pub position: Position,
    /// `active`, `discontinued` or `merged`.
    pub phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProductId>)]
    pub merged_into: Option<&'a ProductId>,
    /// Absent once merged into another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProductDetails>)]
    pub details: Option<&'a ProductDetails>,
    pub offers: Vec<OfferView<'a>>,
    #[schema(value_type = BTreeMap<String, Stock>)]
    pub stock: BTreeMap<&'a StoreId, Stock>,
}

/// An offer announced for a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfferView<'a> {
    #[schema(value_type = OfferId)]
    pub id: &'a OfferId,
    #[schema(value_type = StoreId)]
    pub store: &'a StoreId,
    #[schema(value_type = OfferTerms)]
    pub terms: &'a OfferTerms,
    pub valid_from: Moment,
    pub valid_until: Option<Moment>,
    pub member_only: bool,
    pub source: &'a str,
}

impl<'a> ProductView<'a> {
    /// A known product, in a phase.
    #[must_use]
    pub fn of(id: &'a str, version: u64, position: Position, phase: &'static str, product: Option<&'a Product>) -> Self {
        Self {
            id,
            version,
            position,
            phase,
            merged_into: None,
            details: product.map(|product| &product.details),
            offers: product.map(offers).unwrap_or_default(),
            stock: product.map(|product| product.stock.iter().map(|(store, stock)| (store, *stock)).collect()).unwrap_or_default(),
        }
    }
}

fn offers(product: &Product) -> Vec<OfferView<'_>> {
    let running = product.offers.iter().filter(|(_, offer)| !offer.ended);
    running
        .map(|(id, offer)| OfferView {
            id,
            store: &offer.store,
            terms: &offer.terms,
            valid_from: offer.valid_from,
            valid_until: offer.valid_until,
            member_only: offer.member_only,
            source: &offer.source,
        })
        .collect()
}

/// A store.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreView<'a> {
    pub id: &'a str,
    pub version: u64,
    #[schema(value_type = String)]
    pub position: Position,
    pub name: &'a str,
    pub currency: Currency,
    pub chain: Option<&'a str>,
    pub country: Option<&'a str>,
    pub time_zone: Option<&'a str>,
    /// Categories in walking order; empty until known.
    pub aisle_order: &'a [String],
}

impl<'a> StoreView<'a> {
    /// A known store.
    #[must_use]
    pub fn of(id: &'a str, version: u64, position: Position, store: &'a Store) -> Self {
        let details = &store.details;
        Self {
            id,
            version,
            position,
            name: &details.name,
            currency: details.currency,
            chain: details.chain.as_deref(),
            country: details.country.as_deref(),
            time_zone: details.time_zone.as_deref(),
            aisle_order: &store.aisle_order,
        }
    }
}

/// A household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdView<'a> {
    pub id: &'a str,
    pub version: u64,
    #[schema(value_type = String)]
    pub position: Position,
    pub name: &'a str,
    pub members: Vec<HouseholdMemberView<'a>>,
    pub monthly_budget: Option<Money>,
    #[schema(value_type = Vec<StoreId>)]
    pub stores: Vec<&'a StoreId>,
}

impl<'a> HouseholdView<'a> {
    /// An existing household.
    #[must_use]
    pub fn of(id: &'a str, version: u64, position: Position, household: &'a Household) -> Self {
        Self {
            id,
            version,
            position,
            name: &household.name,
            members: household.members.iter().map(|(member, role)| HouseholdMemberView { member, role: *role }).collect(),
            monthly_budget: household.monthly_budget,
            stores: household.stores.iter().collect(),
        }
    }
}
