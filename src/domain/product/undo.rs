//! How each event of a product is undone. What was observed was true for its observer: it is withdrawn or corrected, never erased.

use super::{
    DetailsChange, Offer, PriceKind, PriceSeen, Product, ProductCommand, ProductDetails, ProductEvent, Products, changes::product_of,
    observations::standing,
};
use crate::domain::{
    Moment, OfferId, Refusal,
    RefusalKind::Conflict,
    StoreId,
    undo::{Undo, Undoing, changed_since},
};

type Inverse = Result<Vec<ProductCommand>, Refusal>;

/// How far after the withdrawn price the restored one is placed: a withdrawal takes the next microsecond.
const BEHIND_WITHDRAWAL_MICROS: i64 = 2;

impl Undo for Products {
    fn inverse(of: &Undoing<'_, Self>) -> Inverse {
        let stays = |code, detail: &str| Err(Refusal::new(Conflict, code, detail));
        match of.event {
            ProductEvent::Registered(_) => stays("registration_stays", "a product stays registered; discontinue it instead"),
            ProductEvent::Discontinued {} => {
                stays("discontinued_stays", "a discontinued product cannot be reactivated; its prices and offers still work")
            }
            ProductEvent::Merged { .. } => {
                stays("merger_stays", "merged products cannot be separated; register the product under another id")
            }
            ProductEvent::CodeLinked { code: _ } => stays("code_stays", "a code cannot be removed from a product"),
            ProductEvent::DetailsChanged(_)
            | ProductEvent::PriceObserved { .. }
            | ProductEvent::PriceWithdrawn { .. }
            | ProductEvent::OfferAnnounced { .. }
            | ProductEvent::OfferEnded { .. }
            | ProductEvent::StockReported { .. } => match (product_of(of.before), product_of(of.now)) {
                (Some(before), Some(now)) => inverse(of, before, now),
                _ => stays("product_merged", "this product has since been merged into another"),
            },
        }
    }

    fn overwrites(later: &ProductEvent, event: &ProductEvent) -> bool {
        use ProductEvent as E;
        match (later, event) {
            (E::DetailsChanged(_), E::DetailsChanged(_)) => true,
            (E::StockReported { store: later, .. }, E::StockReported { store, .. }) => later == store,
            (E::OfferEnded { offer: later }, E::OfferAnnounced { offer, .. }) => later == offer,
            _ => slot(later).is_some_and(|later| Some(later) == slot(event)),
        }
    }
}

fn slot(event: &ProductEvent) -> Option<(&StoreId, PriceKind)> {
    match event {
        ProductEvent::PriceObserved { seen, .. } => Some((&seen.store, seen.kind)),
        ProductEvent::PriceWithdrawn { store, kind } => Some((store, *kind)),
        ProductEvent::Registered(_)
        | ProductEvent::DetailsChanged(_)
        | ProductEvent::CodeLinked { .. }
        | ProductEvent::OfferAnnounced { .. }
        | ProductEvent::OfferEnded { .. }
        | ProductEvent::StockReported { .. }
        | ProductEvent::Discontinued { .. }
        | ProductEvent::Merged { .. } => None,
    }
}

fn inverse(of: &Undoing<'_, Products>, before: &Product, now: &Product) -> Inverse {
    match of.event {
        ProductEvent::DetailsChanged(change) => details_back(change, &before.details, &now.details),
        ProductEvent::PriceObserved { seen, .. } => unsee(of, seen, now),
        ProductEvent::PriceWithdrawn { store, kind } => see_again(of, store, *kind, before, now),
        ProductEvent::OfferAnnounced { offer, .. } => match now.offers.get(offer) {
            Some(Offer { ended: false, .. }) => Ok(vec![ProductCommand::EndOffer { offer: offer.clone() }]),
            _ => Err(changed_since(format!("offer {offer} has ended"))),
        },
        ProductEvent::OfferEnded { offer } => announce_again(of, offer, before),
        ProductEvent::StockReported { store, stock } => match before.stock.get(store) {
            _ if now.stock.get(store) != Some(stock) => Err(changed_since(format!("the stock at {store} was reported again"))),
            Some(was) => Ok(vec![ProductCommand::ReportStock { store: store.clone(), stock: *was }]),
            None => Err(Refusal::new(
                Conflict,
                "stock_unknown_before",
                "the stock was unknown before, and no command can restore that; report it again",
            )),
        },
        ProductEvent::Registered(_) | ProductEvent::Discontinued {} | ProductEvent::Merged { .. } | ProductEvent::CodeLinked { .. } => {
            Ok(Vec::new())
        }
    }
}

fn details_back(change: &DetailsChange, before: &ProductDetails, now: &ProductDetails) -> Inverse {
    if !change.still_holds(now) {
        return Err(changed_since("the product's details were changed again"));
    }
    if change.content.is_some() && before.content.is_none() {
        return Err(Refusal::new(
            Conflict,
            "content_stays",
            "the pack content was unknown before, and no command can restore that; correct it instead",
        ));
    }
    let text = |made: &Option<String>, was: Option<&String>| made.is_some().then(|| was.cloned().unwrap_or_default());
    Ok(vec![ProductCommand::ChangeDetails {
        name: text(&change.name, Some(&before.name)),
        brand: text(&change.brand, before.brand.as_ref()),
        category: text(&change.category, before.category.as_ref()),
        content: change.content.as_ref().and(before.content.clone()),
        sold_by_weight: change.sold_by_weight.map(|_| before.sold_by_weight),
        organic: change.organic.map(|_| before.organic),
        ingredients: text(&change.ingredients, before.ingredients.as_ref()),
        nutrition: change.nutrition.as_ref().map(|_| before.nutrition.clone()),
    }])
}

/// A price is withdrawn while it is the newest; one that corrected another is corrected back.
fn unsee(of: &Undoing<'_, Products>, seen: &PriceSeen, now: &Product) -> Inverse {
    let newest = standing(&now.observations, &seen.store, seen.kind);
    if !newest.is_some_and(|newest| newest.observed_at == seen.observed_at && newest.price == seen.price && !newest.withdrawn) {
        return Err(changed_since(format!("{} is no longer the newest price at {}", seen.price, seen.store)));
    }
    let corrected =
        seen_before(of, |earlier| (&earlier.store, earlier.kind, earlier.observed_at) == (&seen.store, seen.kind, seen.observed_at));
    Ok(vec![match corrected {
        Some(corrected) => ProductCommand::ObservePrice(corrected),
        None => ProductCommand::WithdrawPrice { store: seen.store.clone(), kind: seen.kind },
    }])
}

/// The price is observed again directly after the withdrawn one's moment, with its evidence of then.
fn see_again(of: &Undoing<'_, Products>, store: &StoreId, kind: PriceKind, before: &Product, now: &Product) -> Inverse {
    let Some(withdrawn) = standing(&before.observations, store, kind) else { return Ok(Vec::new()) };
    let newest = standing(&now.observations, store, kind);
    if !newest.is_some_and(|newest| newest.observed_at == withdrawn.observed_at && newest.withdrawn) {
        return Err(changed_since(format!("another price was seen at {store}")));
    }
    let same = |seen: &PriceSeen| (&seen.store, seen.kind, seen.observed_at) == (store, kind, withdrawn.observed_at);
    let Some(seen) = seen_before(of, same) else { return Ok(Vec::new()) };
    let observed_at = Moment(seen.observed_at.0.saturating_add(BEHIND_WITHDRAWAL_MICROS));
    Ok(vec![ProductCommand::ObservePrice(PriceSeen { observed_at, ..seen })])
}

/// The last observation of a price before the event: the state remembers less of it than the log.
fn seen_before(of: &Undoing<'_, Products>, is_it: impl Fn(&PriceSeen) -> bool) -> Option<PriceSeen> {
    let seen = of.earlier.iter().rev().filter_map(|happened| match happened.event {
        ProductEvent::PriceObserved { seen, .. } => Some(seen),
        ProductEvent::Registered(_)
        | ProductEvent::DetailsChanged(_)
        | ProductEvent::CodeLinked { .. }
        | ProductEvent::PriceWithdrawn { .. }
        | ProductEvent::OfferAnnounced { .. }
        | ProductEvent::OfferEnded { .. }
        | ProductEvent::StockReported { .. }
        | ProductEvent::Discontinued { .. }
        | ProductEvent::Merged { .. } => None,
    });
    seen.clone().find(|seen| is_it(seen)).cloned()
}

/// The same offer under another id, because an offer's id is permanent.
fn announce_again(of: &Undoing<'_, Products>, ended: &OfferId, before: &Product) -> Inverse {
    let Some(Offer { store, terms, valid_from, valid_until, member_only, source, .. }) = before.offers.get(ended).cloned() else {
        return Ok(Vec::new());
    };
    if valid_until.is_some_and(|until| until <= of.at) {
        return Err(Refusal::new(Conflict, "offer_over", format!("offer {ended} would have ended by now anyway")));
    }
    let mark = blake3::hash(format!("{}/{ended}/{}", of.stream, of.position).as_bytes()).to_hex();
    let offer = OfferId::new(&format!("again-{}", &mark[..32])).expect("it is an id because it has 38 letters, digits and hyphens");
    Ok(vec![ProductCommand::AnnounceOffer { offer, store, terms, valid_from, valid_until, member_only, source }])
}
