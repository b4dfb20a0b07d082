//! What each event of a store changed, and how it is undone.

use super::{StoreCommand, StoreDetails, StoreEvent, StoreState, Stores};
use crate::domain::{
    Refusal,
    RefusalKind::Conflict,
    changes::{Fields, Touched, Traced, fields_of, of_itself, shown},
    undo::{Undo, Undoing, changed_since},
};

impl Traced for Stores {
    fn touched(_: &StoreEvent, state: &StoreState) -> Touched {
        of_itself(header(state))
    }
}

fn header(state: &StoreState) -> Fields {
    let StoreState::Registered(store) = state else { return Fields::new() };
    let mut header = fields_of(&store.details);
    header.extend((!store.aisle_order.is_empty()).then(|| ("aisle_order".to_owned(), shown(&store.aisle_order))));
    header
}

impl Undo for Stores {
    fn inverse(of: &Undoing<'_, Self>) -> Result<Vec<StoreCommand>, Refusal> {
        match (of.event, of.before, of.now) {
            (StoreEvent::DetailsChanged { .. }, StoreState::Registered(before), StoreState::Registered(now)) => {
                details_back(of.event, &before.details, &now.details)
            }
            (StoreEvent::AisleOrderLearned { categories }, StoreState::Registered(before), StoreState::Registered(now)) => {
                if now.aisle_order != *categories {
                    return Err(changed_since("the aisle order was changed again"));
                }
                Ok(vec![StoreCommand::LearnAisleOrder { categories: before.aisle_order.clone() }])
            }
            (StoreEvent::Registered(_), ..) | (_, StoreState::Absent, _) | (.., StoreState::Absent) => Err(Refusal::new(
                Conflict,
                "registration_stays",
                "a store stays registered, because prices may be recorded there; change its details instead",
            )),
        }
    }

    fn overwrites(later: &StoreEvent, event: &StoreEvent) -> bool {
        std::mem::discriminant(later) == std::mem::discriminant(event)
    }
}

fn details_back(event: &StoreEvent, before: &StoreDetails, now: &StoreDetails) -> Result<Vec<StoreCommand>, Refusal> {
    let StoreEvent::DetailsChanged { name, chain, country, time_zone, .. } = event else { return Ok(Vec::new()) };
    let is = [Some(&now.name), now.chain.as_ref(), now.country.as_ref(), now.time_zone.as_ref()];
    let made = [name, chain, country, time_zone];
    let still = made.iter().zip(is).all(|(made, is)| made.as_deref().is_none_or(|made| made == is.map(String::as_str).unwrap_or_default()));
    if !still {
        return Err(changed_since("the store's details were changed again"));
    }
    let text = |made: &Option<String>, was: Option<&String>| made.is_some().then(|| was.cloned().unwrap_or_default());
    Ok(vec![StoreCommand::ChangeDetails {
        name: text(name, Some(&before.name)),
        chain: text(chain, before.chain.as_ref()),
        country: text(country, before.country.as_ref()),
        time_zone: text(time_zone, before.time_zone.as_ref()),
    }])
}
