//! Checks that need another entity than the one commanded: does it exist, and is the money the store's?
//! The views nearly always answer; only what they do not know yet is looked up through its actor.

use super::{commands::unknown, error::Problem};
use crate::{
    actors::Hosted,
    app::App,
    domain::{
        Currency, HouseholdId, ListId, ProductId, StoreId,
        household::{HouseholdCommand, HouseholdState, Households},
        list::{ListCommand, ListState, Lists},
        order::{OrderCommand, OrderPlacement, Orders},
        product::{ProductCommand, ProductState, Products},
        store::{StoreCommand, StoreState, Stores},
        system::{System, SystemEvent},
    },
    projections::totals::PriceLookup,
};

/// The currency of a registered store.
///
/// # Errors
/// 422 `store_not_found`.
pub async fn store_currency(app: &App, store: &StoreId, pointer: &'static str) -> Result<Currency, Problem> {
    if let Some(currency) = app.views.read().currency(store) {
        return Ok(currency);
    }
    match &app.registry.load::<Stores>(store.as_str()).await?.state {
        StoreState::Registered(store) => Ok(store.details.currency),
        StoreState::Absent => Err(unknown("store_not_found", pointer, "store", store.as_str())),
    }
}

/// Whether a product is registered, and not merged away.
///
/// # Errors
/// 422 `product_not_found`.
pub async fn product_exists(app: &App, product: &ProductId, pointer: &'static str) -> Result<(), Problem> {
    if app.views.read().is_registered(product) {
        return Ok(());
    }
    match &app.registry.load::<Products>(product.as_str()).await?.state {
        ProductState::Absent => Err(unknown("product_not_found", pointer, "product", product.as_str())),
        ProductState::Active(_) | ProductState::Discontinued(_) | ProductState::Merged { .. } => Ok(()),
    }
}

/// Whether a household exists.
///
/// # Errors
/// 422 `household_not_found`.
pub async fn household_exists(app: &App, household: &HouseholdId, pointer: &'static str) -> Result<(), Problem> {
    if app.views.read().households.get(household).is_some() {
        return Ok(());
    }
    match &app.registry.load::<Households>(household.as_str()).await?.state {
        HouseholdState::Absent => Err(unknown("household_not_found", pointer, "household", household.as_str())),
        HouseholdState::Active(_) => Ok(()),
    }
}

/// Whether a list exists.
///
/// # Errors
/// 422 `list_not_found`.
pub async fn list_exists(app: &App, list: &ListId, pointer: &'static str) -> Result<(), Problem> {
    match &app.registry.load::<Lists>(list.as_str()).await?.state {
        ListState::Absent => Err(unknown("list_not_found", pointer, "list", list.as_str())),
        ListState::Active(_) | ListState::Archived(_) => Ok(()),
    }
}

fn same_currency(expected: Currency, given: Currency, store: &StoreId, pointer: impl Fn() -> String) -> Result<(), Problem> {
    if expected == given {
        return Ok(());
    }
    let detail = format!("prices at {store} are in {}, this one is in {}", expected.as_str(), given.as_str());
    Err(Problem::invalid("currency_differs", pointer(), detail))
}

/// An entity whose commands may name others.
pub trait Checked: Hosted {
    /// Refuses a command that names something missing, or money of the wrong currency.
    ///
    /// # Errors
    /// 422, pointing at the field.
    #[expect(async_fn_in_trait, reason = "handlers run on one thread each, so nobody needs the future to be Send")]
    async fn check(app: &App, command: &Self::Command) -> Result<(), Problem>;
}

impl Checked for Lists {
    async fn check(app: &App, command: &ListCommand) -> Result<(), Problem> {
        match command {
            ListCommand::AddItem { product: Some(product), .. } | ListCommand::Match { product: Some(product), .. } => {
                product_exists(app, product, "/product").await
            }
            ListCommand::ChooseStore { store: Some(store) } => store_currency(app, store, "/store").await.map(drop),
            ListCommand::Create { household, store, .. } => {
                if let Some(household) = household {
                    household_exists(app, household, "/household").await?;
                }
                match store {
                    Some(store) => store_currency(app, store, "/store").await.map(drop),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Checked for Products {
    async fn check(app: &App, command: &ProductCommand) -> Result<(), Problem> {
        match command {
            ProductCommand::ObservePrice(seen) => {
                let expected = store_currency(app, &seen.store, "/store").await?;
                same_currency(expected, seen.price.currency(), &seen.store, || "/price/currency".into())
            }
            ProductCommand::AnnounceOffer { store, .. }
            | ProductCommand::ReportStock { store, .. }
            | ProductCommand::WithdrawPrice { store, .. } => store_currency(app, store, "/store").await.map(drop),
            ProductCommand::MergeInto { product } => product_exists(app, product, "/product").await,
            _ => Ok(()),
        }
    }
}

impl Checked for Orders {
    async fn check(app: &App, command: &OrderCommand) -> Result<(), Problem> {
        match command {
            OrderCommand::Place(placement) => check_placement(app, placement).await,
            OrderCommand::SubstituteLine { product: Some(product), .. } => product_exists(app, product, "/product").await,
            _ => Ok(()),
        }
    }
}

impl Checked for Households {
    async fn check(app: &App, command: &HouseholdCommand) -> Result<(), Problem> {
        if let HouseholdCommand::ChooseStores { stores } = command {
            for store in stores {
                store_currency(app, store, "/stores").await?;
            }
        }
        Ok(())
    }
}

impl Checked for Stores {
    async fn check(_: &App, _: &StoreCommand) -> Result<(), Problem> {
        Ok(())
    }
}

impl Checked for System {
    async fn check(_: &App, _: &SystemEvent) -> Result<(), Problem> {
        Ok(())
    }
}

async fn check_placement(app: &App, placement: &OrderPlacement) -> Result<(), Problem> {
    let currency = store_currency(app, &placement.store, "/store").await?;
    if let Some(household) = &placement.household {
        household_exists(app, household, "/household").await?;
    }
    if let Some(list) = &placement.list {
        list_exists(app, list, "/list").await?;
    }
    for (index, line) in placement.lines.iter().enumerate() {
        same_currency(currency, line.charged.currency(), &placement.store, || format!("/lines/{index}/charged/currency"))?;
    }
    Ok(())
}
