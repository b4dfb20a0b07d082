//! Which other entities a command names. A decider knows its own entity alone, so the rules about the others are here: each must exist, and
//! money at a store is in the store's currency. The caller that executes a command looks the others up and asks [`Reference::check`].

use super::{
    Currency, HouseholdId, ListId, ProductId, Refusal, RefusalKind, StoreId,
    codes::ProductCode,
    household::{HouseholdCommand, HouseholdState},
    list::ListState,
    order::{OrderCommand, OrderPlacement},
    product::{OfferTerms, ProductCommand, ProductState},
    store::{StoreCommand, StoreState},
    system::SystemEvent,
};

/// An entity that a command names, and the field that names it, as a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'a> {
    pub to: Referent<'a>,
    pub pointer: &'static str,
}

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referent<'a> {
    Store(&'a StoreId),
    /// A store, and money that is charged or asked there, with the field of its currency: one look-up answers both.
    Money(&'a StoreId, Currency, &'static str),
    Product(&'a ProductId),
    Household(&'a HouseholdId),
    List(&'a ListId),
}

/// What was found under a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Entity,
    /// A store, and the currency of its prices.
    Store(Currency),
}

impl Found {
    #[must_use]
    pub fn of_store(state: &StoreState) -> Self {
        match state {
            StoreState::Registered(store) => Self::Store(store.details.currency),
            StoreState::Absent => Self::Nothing,
        }
    }

    #[must_use]
    pub fn of_product(state: &ProductState) -> Self {
        match state {
            ProductState::Absent => Self::Nothing,
            ProductState::Active(_) | ProductState::Discontinued(_) | ProductState::Merged { .. } => Self::Entity,
        }
    }

    #[must_use]
    pub fn of_household(state: &HouseholdState) -> Self {
        match state {
            HouseholdState::Absent => Self::Nothing,
            HouseholdState::Active(_) => Self::Entity,
        }
    }

    #[must_use]
    pub fn of_list(state: &ListState) -> Self {
        match state {
            ListState::Absent => Self::Nothing,
            ListState::Active(_) | ListState::Archived(_) => Self::Entity,
        }
    }
}

impl Reference<'_> {
    /// Holds the reference against what was found.
    ///
    /// # Errors
    /// The named entity does not exist, or the money is not in the store's currency.
    pub fn check(&self, found: Found) -> Result<(), Refusal> {
        match (self.to, found) {
            (Referent::Money(store, given, field), Found::Store(expected)) if expected != given => {
                let detail = format!("prices at {store} are in {}, this one is in {}", expected.as_str(), given.as_str());
                Err(Refusal::new(RefusalKind::Invalid, "currency_differs", detail).at(field))
            }
            (_, Found::Entity | Found::Store(_)) => Ok(()),
            (_, Found::Nothing) => Err(self.unknown()),
        }
    }

    /// What is named does not exist, or the sender must not know of it.
    #[must_use]
    pub fn unknown(&self) -> Refusal {
        let (code, what, id) = match self.to {
            Referent::Store(store) | Referent::Money(store, ..) => ("store_not_found", "store", store.as_str()),
            Referent::Product(product) => ("product_not_found", "product", product.as_str()),
            Referent::Household(household) => ("household_not_found", "household", household.as_str()),
            Referent::List(list) => ("list_not_found", "list", list.as_str()),
        };
        Refusal::new(RefusalKind::Invalid, code, format!("there is no {what} {id}: register it first")).at(self.pointer)
    }
}

/// A command that may name other entities.
pub trait Refers {
    /// What it names, in the order in which it is checked.
    fn references(&self) -> Vec<Reference<'_>>;

    /// The product codes that it gives, which no other product may have.
    fn codes(&self) -> &[ProductCode] {
        &[]
    }
}

/// The refusal of a code that another product has.
#[must_use]
pub fn code_taken(code: &ProductCode, holder: &ProductId) -> Refusal {
    let detail = format!("{code} is a code of product {holder}: use that product, or merge this one into it (`merge_into`)");
    Refusal::new(RefusalKind::Conflict, "code_taken", detail).at("/codes")
}

impl Refers for ProductCommand {
    fn codes(&self) -> &[ProductCode] {
        match self {
            Self::Register(details) | Self::Update(details) => &details.codes,
            Self::LinkCode { code } => std::slice::from_ref(code),
            Self::ChangeDetails { .. }
            | Self::ObservePrice(_)
            | Self::WithdrawPrice { .. }
            | Self::AnnounceOffer { .. }
            | Self::EndOffer { .. }
            | Self::ReportStock { .. }
            | Self::Discontinue
            | Self::MergeInto { .. } => &[],
        }
    }

    fn references(&self) -> Vec<Reference<'_>> {
        match self {
            Self::ObservePrice(seen) => vec![money(&seen.store, seen.price.currency(), "/price/currency")],
            Self::AnnounceOffer { store, terms, .. } => vec![of_terms(store, terms)],
            Self::ReportStock { store, .. } | Self::WithdrawPrice { store, .. } => vec![named_store(store)],
            Self::MergeInto { product } => vec![named_product(product)],
            Self::Register(_)
            | Self::Update(_)
            | Self::ChangeDetails { .. }
            | Self::LinkCode { .. }
            | Self::EndOffer { .. }
            | Self::Discontinue => Vec::new(),
        }
    }
}

impl Refers for OrderCommand {
    fn references(&self) -> Vec<Reference<'_>> {
        match self {
            Self::Place(placement) | Self::Update(placement) => of_placement(placement),
            Self::SubstituteLine { product, .. } => product.iter().map(named_product).collect(),
            Self::ShortLine { .. } | Self::RefundLine { .. } | Self::Amend { .. } | Self::Fulfil { .. } | Self::Cancel { .. } => Vec::new(),
        }
    }
}

impl Refers for HouseholdCommand {
    fn references(&self) -> Vec<Reference<'_>> {
        match self {
            Self::ChooseStores { stores } => stores.iter().map(|store| reference(Referent::Store(store), "/stores")).collect(),
            Self::Create { .. } | Self::Join { .. } | Self::ChangeRole { .. } | Self::Leave { .. } | Self::SetBudget { .. } => Vec::new(),
        }
    }
}

impl Refers for StoreCommand {
    fn references(&self) -> Vec<Reference<'_>> {
        match self {
            Self::Register(_) | Self::Update(_) | Self::ChangeDetails { .. } | Self::LearnAisleOrder { .. } => Vec::new(),
        }
    }
}

impl Refers for SystemEvent {
    fn references(&self) -> Vec<Reference<'_>> {
        Vec::new()
    }
}

fn of_terms<'a>(store: &'a StoreId, terms: &OfferTerms) -> Reference<'a> {
    match terms {
        OfferTerms::CountFor { total, .. } => money(store, total.currency(), "/terms/total/currency"),
        OfferTerms::AmountOff { amount } => money(store, amount.currency(), "/terms/amount/currency"),
        OfferTerms::FixedPrice { price } => money(store, price.currency(), "/terms/price/currency"),
        OfferTerms::PercentOff { .. } => named_store(store),
    }
}

/// A line may name a product that is not registered: a receipt is evidence, whatever the catalogue knows. All lines of an order are in one
/// currency by the order's own rules, so the first stands for all.
fn of_placement(placement: &OrderPlacement) -> Vec<Reference<'_>> {
    let OrderPlacement { store, household, list, lines, .. } = placement;
    let store = match lines.first() {
        Some(line) => money(store, line.charged.currency(), "/lines/0/charged/currency"),
        None => named_store(store),
    };
    let list = list.iter().map(|list| reference(Referent::List(list), "/list"));
    [store].into_iter().chain(household.iter().map(named_household)).chain(list).collect()
}

fn reference<'a>(to: Referent<'a>, pointer: &'static str) -> Reference<'a> {
    Reference { to, pointer }
}

pub(super) fn named_store(store: &StoreId) -> Reference<'_> {
    reference(Referent::Store(store), "/store")
}

pub(super) fn named_product(product: &ProductId) -> Reference<'_> {
    reference(Referent::Product(product), "/product")
}

pub(super) fn named_household(household: &HouseholdId) -> Reference<'_> {
    reference(Referent::Household(household), "/household")
}

/// Money at the store that `/store` names; `field` is that of the money's currency.
fn money<'a>(store: &'a StoreId, currency: Currency, field: &'static str) -> Reference<'a> {
    reference(Referent::Money(store, currency, field), "/store")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::domain::{Money, OfferId};

    fn store() -> StoreId {
        StoreId::new("markt").expect("the id is valid")
    }

    fn refused(command: &ProductCommand, found: Found) -> Option<(&'static str, Option<String>)> {
        let refused = command.references().iter().find_map(|reference| reference.check(found).err())?;
        Some((refused.code, refused.pointer.map(Cow::into_owned)))
    }

    #[test]
    fn money_of_an_offer_is_in_the_currency_of_its_store() {
        let announce = |terms| ProductCommand::AnnounceOffer {
            offer: OfferId::new("o").expect("the id is valid"),
            store: store(),
            terms,
            valid_from: crate::domain::Moment(0),
            valid_until: None,
            member_only: false,
            source: "leaflet".into(),
        };
        let offer = announce(OfferTerms::AmountOff { amount: Money::from_minor(50, Currency::EUR) });
        assert_eq!(refused(&offer, Found::Store(Currency::EUR)), None);
        let answer = refused(&offer, Found::Store(Currency::USD));
        assert_eq!(answer, Some(("currency_differs", Some("/terms/amount/currency".into()))));
        assert_eq!(refused(&offer, Found::Nothing), Some(("store_not_found", Some("/store".into()))));
        assert_eq!(refused(&announce(OfferTerms::PercentOff { percent: 10 }), Found::Store(Currency::USD)), None);
    }
}
