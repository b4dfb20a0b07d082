//! Every rule of a product: from its state and a command to events or a refusal. Nothing here is recorded yet.

use super::{
    Offer, PriceSeen, Product, ProductCommand, ProductDetails, ProductEvent, ProductState,
    checks::{check_code, check_codes, check_details, check_offer, check_price_seen},
    details::{change_by_hand, update},
    observations::{Known, currency_at, is_outlier, recall, standing},
};
use crate::domain::{Context, Decision, Moment, ProductId, Refusal, RefusalKind, StoreId, limits::OFFERS_PER_PRODUCT_MAX, rights::Action};

type Answer = Result<Decision<ProductEvent>, Refusal>;

/// Decides a command by the phase the product is in.
pub(super) fn decide(state: &ProductState, command: &ProductCommand, context: &Context) -> Answer {
    check_right(context)?;
    match (state, command) {
        (ProductState::Absent, _) => decide_absent(command),
        (ProductState::Discontinued(_), ProductCommand::Discontinue) => Ok(Decision::unchanged()),
        // The history of a discontinued product continues: shops sell off what they no longer order.
        (ProductState::Active(product) | ProductState::Discontinued(product), _) => decide_known(product, command, context),
        (ProductState::Merged { into }, _) => decide_merged(into, command),
    }
}

pub(super) fn check_right(context: &Context) -> Result<(), Refusal> {
    context.rights.to_catalog().check(Action::EditCatalog, not_found)
}

fn not_found() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "product_not_found", "there is no such product: register it first")
}

fn decide_absent(command: &ProductCommand) -> Answer {
    let (ProductCommand::Register(details) | ProductCommand::Update(details)) = command else { return Err(not_found()) };
    let details = details.tidied();
    check_details(&details)?;
    Ok(Decision::applied(ProductEvent::Registered(details.into_owned())))
}

fn decide_merged(into: &ProductId, command: &ProductCommand) -> Answer {
    if matches!(command, ProductCommand::MergeInto { product } if product == into) {
        return Ok(Decision::unchanged());
    }
    let detail = format!("this product was merged into {into}: send the command there");
    Err(Refusal::new(RefusalKind::Conflict, "product_merged", detail))
}

fn decide_known(product: &Product, command: &ProductCommand, context: &Context) -> Answer {
    match command {
        ProductCommand::Register(details) => register_again(product, details),
        ProductCommand::Update(details) => update(product, details),
        ProductCommand::ChangeDetails { .. } => change_by_hand(&product.details, command),
        ProductCommand::LinkCode { code } => link_code(&product.details, code),
        ProductCommand::ObservePrice(seen) => observe_price(product, seen, context.at),
        ProductCommand::WithdrawPrice { store, kind } => match standing(&product.observations, store, *kind) {
            Some(observation) if !observation.withdrawn => {
                Ok(Decision::applied(ProductEvent::PriceWithdrawn { store: store.clone(), kind: *kind }))
            }
            _ => Ok(Decision::unchanged()),
        },
        ProductCommand::AnnounceOffer { .. } => announce_offer(product, command, context.at),
        ProductCommand::EndOffer { offer } => match product.offers.get(offer) {
            None => Err(Refusal::new(RefusalKind::NotFound, "offer_not_found", format!("this product has no offer {offer}")).at("/offer")),
            Some(Offer { ended: true, .. }) => Ok(Decision::unchanged()),
            Some(_) => Ok(Decision::applied(ProductEvent::OfferEnded { offer: offer.clone() })),
        },
        ProductCommand::ReportStock { store, stock } if product.stock.get(store) == Some(stock) => Ok(Decision::unchanged()),
        ProductCommand::ReportStock { store, stock } => {
            Ok(Decision::applied(ProductEvent::StockReported { store: store.clone(), stock: *stock }))
        }
        ProductCommand::Discontinue => Ok(Decision::applied(ProductEvent::Discontinued {})),
        ProductCommand::MergeInto { product: into } => Ok(Decision::applied(ProductEvent::Merged { into: into.clone() })),
    }
}

fn register_again(product: &Product, details: &ProductDetails) -> Answer {
    // What was recorded before texts were tidied is a repetition too.
    let as_given = details;
    let details = details.tidied();
    if product.details == *details || product.details == *as_given {
        return Ok(Decision::unchanged());
    }
    check_details(&details)?;
    let detail = "this product is already registered with different details: change its details instead";
    Err(Refusal::new(RefusalKind::Conflict, "product_exists", detail))
}

fn link_code(details: &ProductDetails, code: &crate::domain::codes::ProductCode) -> Answer {
    if details.codes.iter().any(|known| known.identity() == code.identity()) {
        return Ok(Decision::unchanged());
    }
    check_code(code, "/codes")?;
    check_codes(details.codes.len() + 1)?;
    Ok(Decision::applied(ProductEvent::CodeLinked { code: code.clone() }))
}

/// A price that is already known is not recorded again; the same place and moment with another price is a correction;
/// the same price seen at a later moment is recorded: it proves that the price still holds.
fn observe_price(product: &Product, seen: &PriceSeen, now: Moment) -> Answer {
    let seen = seen.tidied();
    check_price_seen(&seen, now)?;
    check_currency(product, &seen.store, seen.price.currency(), "/price/currency")?;
    if matches!(recall(&product.observations, &seen), Known::Same) {
        return Ok(Decision::unchanged());
    }
    let outlier = is_outlier(&product.observations, &seen);
    Ok(Decision::applied(ProductEvent::PriceObserved { seen: seen.into_owned(), outlier }))
}

/// One store has one currency; the store itself is checked where it is known, this catches a product's own contradiction.
fn check_currency(product: &Product, store: &StoreId, given: crate::domain::Currency, pointer: &'static str) -> Result<(), Refusal> {
    match currency_at(&product.observations, store) {
        Some(known) if known != given => {
            let detail = format!("prices of this product at {store} are in {}, not {}", known.as_str(), given.as_str());
            Err(Refusal::new(RefusalKind::Invalid, "currency_differs", detail).at(pointer))
        }
        _ => Ok(()),
    }
}

/// An offer's id is permanent: announcing it again identically changes nothing, even after it ended.
fn announce_offer(product: &Product, command: &ProductCommand, now: Moment) -> Answer {
    let ProductCommand::AnnounceOffer { offer: id, store, terms, valid_from, valid_until, member_only, source } = command.clone() else {
        return Ok(Decision::unchanged());
    };
    let (valid_until, source) = (valid_until.and_then(Moment::as_end), source.trim().to_owned());
    let offer = Offer { store, terms, valid_from, valid_until, member_only, source, ended: false };
    check_offer(&offer)?;
    if let Some(known) = product.offers.get(&id) {
        return if known.same_announcement(&offer) { Ok(Decision::unchanged()) } else { Err(offer_exists(&id)) };
    }
    if let Some(currency) = offer.terms.currency() {
        check_currency(product, &offer.store, currency, "/terms")?;
    }
    if product.offers.values().filter(|offer| offer.runs_on(now)).count() >= OFFERS_PER_PRODUCT_MAX {
        let detail = format!("this product already has {OFFERS_PER_PRODUCT_MAX} offers: end one first");
        return Err(Refusal::new(RefusalKind::Conflict, "too_many_offers", detail));
    }
    let Offer { store, terms, valid_from, valid_until, member_only, source, .. } = offer;
    Ok(Decision::applied(ProductEvent::OfferAnnounced { offer: id, store, terms, valid_from, valid_until, member_only, source }))
}

fn offer_exists(id: &crate::domain::OfferId) -> Refusal {
    let detail = format!("offer {id} is already announced with different terms: announce the new ones under another id");
    Refusal::new(RefusalKind::Conflict, "offer_exists", detail).at("/offer")
}
