//! Looks up the entities that a command names. The views answer nearly always; only what they do not know yet is asked of its actor.

use crate::{
    actors::Failure,
    app::App,
    domain::{
        Context, HouseholdId, ListId, ProductId, StoreId,
        household::Households,
        list::Lists,
        product::Products,
        references::{Found, Referent, Refers},
        rights::{Action, Standing, Verdict},
        store::Stores,
    },
    projections::totals::PriceLookup,
};

/// Refuses a command that names what does not exist, or money of another currency than the store's. What the sender must not
/// know of is as if it did not exist.
///
/// # Errors
/// A refusal that points at the field, or why the other entity could not be asked.
pub async fn check(app: &App, command: &impl Refers, context: &Context) -> Result<(), Failure> {
    for reference in command.references() {
        let found = find(app, reference.to).await?;
        reference.check(if is_seen(app, reference.to, context).await? { found } else { Found::Nothing })?;
    }
    Ok(())
}

/// Whether the sender may know of what is named.
async fn is_seen(app: &App, to: Referent<'_>, Context { who, rights, .. }: &Context) -> Result<bool, Failure> {
    let verdict = match to {
        Referent::Store(_) | Referent::Money(..) | Referent::Product(_) => rights.to_catalog().may(Action::SeeCatalog),
        Referent::Household(id) => rights.in_household(id).may(Action::SeeHousehold),
        Referent::List(id) => {
            let loaded = app.registry.load::<Lists>(id.as_str()).await?;
            loaded.state.list().map_or(Standing::Stranger, |list| rights.on_list(who, list)).may(Action::SeeList)
        }
    };
    Ok(verdict == Verdict::Allowed)
}

/// What there is under a reference.
///
/// # Errors
/// When the entity cannot be asked.
pub async fn find(app: &App, to: Referent<'_>) -> Result<Found, Failure> {
    match to {
        Referent::Store(id) | Referent::Money(id, ..) => store(app, id).await,
        Referent::Product(id) => product(app, id).await,
        Referent::Household(id) => household(app, id).await,
        Referent::List(id) => list(app, id).await,
    }
}

async fn store(app: &App, id: &StoreId) -> Result<Found, Failure> {
    if let Some(currency) = app.views.read().currency(id) {
        return Ok(Found::Store(currency));
    }
    Ok(Found::of_store(&app.registry.load::<Stores>(id.as_str()).await?.state))
}

async fn product(app: &App, id: &ProductId) -> Result<Found, Failure> {
    if app.views.read().is_registered(id) {
        return Ok(Found::Entity);
    }
    Ok(Found::of_product(&app.registry.load::<Products>(id.as_str()).await?.state))
}

async fn household(app: &App, id: &HouseholdId) -> Result<Found, Failure> {
    if app.views.read().households.get(id).is_some() {
        return Ok(Found::Entity);
    }
    Ok(Found::of_household(&app.registry.load::<Households>(id.as_str()).await?.state))
}

async fn list(app: &App, id: &ListId) -> Result<Found, Failure> {
    Ok(Found::of_list(&app.registry.load::<Lists>(id.as_str()).await?.state))
}
