//! The store: a shop or one of its sales channels, with its currency and, once learnt, the order of its aisles.

#[cfg(test)]
mod tests;
mod undo;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Context, Currency, Decision, Entity, Fact, Refusal,
    RefusalKind::{Conflict, Invalid, NotFound},
    StreamKind,
    event_table::event_table,
    limits::{AISLES_PER_STORE_MAX, NAME_CHARS_MAX},
    rights::Action,
    text::{check_optional_text, check_text},
};

/// The fields of the details that can change.
const FIELDS: [&str; 4] = ["name", "chain", "country", "time_zone"];

/// A command to a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreCommand {
    Register(StoreDetails),
    /// What its source says of it now: registers it, or changes what the source says otherwise. What the source does not say stays, and
    /// so does what was changed by hand.
    Update(StoreDetails),
    /// `None` leaves a field unchanged, an empty text clears it. The currency can never change: its prices are recorded in it.
    ChangeDetails {
        name: Option<String>,
        chain: Option<String>,
        country: Option<String>,
        time_zone: Option<String>,
    },
    /// Categories in walking order.
    LearnAisleOrder {
        categories: Vec<String>,
    },
}

/// What a store is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreDetails {
    pub name: String,
    pub currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// ISO 3166 two-letter code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// IANA name; days of offers are this zone's days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What happened to a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreEvent {
    Registered(StoreDetails),
    DetailsChanged {
        name: Option<String>,
        chain: Option<String>,
        country: Option<String>,
        time_zone: Option<String>,
        /// The source says so now; else somebody changed it by hand.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        from_source: bool,
    },
    AisleOrderLearned {
        categories: Vec<String>,
    },
}

event_table! { StoreEvent {
    Registered "store.registered" ["name" Text, "chain" Text];
    DetailsChanged "store.details_changed" ["name" Text, "chain" Text];
    AisleOrderLearned "store.aisle_order_learned" ["categories.*" Text];
} }

/// The phases of a store's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum StoreState {
    #[default]
    Absent,
    Registered(Store),
}

/// A known store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store {
    pub details: StoreDetails,
    pub aisle_order: Vec<String>,
    /// The fields of its details that were changed by hand: its source does not change them back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub by_hand: BTreeSet<String>,
}

/// The store as an entity.
#[derive(Debug)]
pub struct Stores;

impl Entity for Stores {
    const KIND: StreamKind = StreamKind::Store;
    type State = StoreState;
    type Command = StoreCommand;
    type Event = StoreEvent;

    fn check_right(_: &StoreState, _: &StoreCommand, context: &Context) -> Result<(), Refusal> {
        context.rights.to_catalog().check(Action::EditCatalog, not_found)
    }

    fn decide(state: &StoreState, command: &StoreCommand, context: &Context) -> Result<Decision<StoreEvent>, Refusal> {
        Self::check_right(state, command, context)?;
        match (state, command) {
            (_, StoreCommand::Register(details)) => register(state, details),
            (_, StoreCommand::Update(details)) => update(state, details),
            (StoreState::Absent, _) => Err(not_found()),
            (StoreState::Registered(store), StoreCommand::ChangeDetails { name, chain, country, time_zone }) => {
                change_details(&store.details, [name, chain, country, time_zone].map(Option::as_deref), false)
            }
            (StoreState::Registered(store), StoreCommand::LearnAisleOrder { categories }) => learn_aisle_order(store, categories),
        }
    }

    fn evolve(state: &mut StoreState, event: &StoreEvent, _: &Fact<'_>) {
        match (event, &mut *state) {
            (StoreEvent::Registered(details), _) => {
                *state = StoreState::Registered(Store { details: details.clone(), aisle_order: Vec::new(), by_hand: BTreeSet::new() });
            }
            (StoreEvent::DetailsChanged { name, chain, country, time_zone, from_source }, StoreState::Registered(store)) => {
                if !from_source {
                    let changes = FIELDS.into_iter().zip([name, chain, country, time_zone]).filter(|(_, text)| text.is_some());
                    store.by_hand.extend(changes.map(|(field, _)| field.to_owned()));
                }
                if let Some(name) = name {
                    store.details.name.clone_from(name);
                }
                replace(&mut store.details.chain, chain.as_deref());
                replace(&mut store.details.country, country.as_deref());
                replace(&mut store.details.time_zone, time_zone.as_deref());
            }
            (StoreEvent::AisleOrderLearned { categories }, StoreState::Registered(store)) => store.aisle_order.clone_from(categories),
            (StoreEvent::DetailsChanged { .. } | StoreEvent::AisleOrderLearned { .. }, StoreState::Absent) => {}
        }
    }
}

fn not_found() -> Refusal {
    Refusal::new(NotFound, "store_not_found", "there is no such store; register it first")
}

fn register(state: &StoreState, details: &StoreDetails) -> Result<Decision<StoreEvent>, Refusal> {
    let StoreDetails { name, currency, chain, country, time_zone } = details;
    check_details(Some(name), [chain, country, time_zone].map(Option::as_deref))?;
    let [chain, country, time_zone] = [chain, country, time_zone].map(|text| present(text.as_deref()));
    let details = StoreDetails { name: name.trim().to_owned(), currency: *currency, chain, country, time_zone };
    match state {
        StoreState::Absent => Ok(Decision::applied(StoreEvent::Registered(details))),
        StoreState::Registered(store) if store.details == details => Ok(Decision::unchanged()),
        StoreState::Registered(store) if store.details.currency != details.currency => {
            let detail = format!("this store's prices are recorded in {}; its currency cannot change", store.details.currency);
            Err(Refusal::new(Conflict, "store_exists", detail).at("/currency"))
        }
        StoreState::Registered(store) => {
            let detail = format!("a store with this id already exists: “{}”; change its details instead", store.details.name);
            Err(Refusal::new(Conflict, "store_exists", detail))
        }
    }
}

/// What the source says otherwise than what is known, but for what was changed by hand.
fn update(state: &StoreState, details: &StoreDetails) -> Result<Decision<StoreEvent>, Refusal> {
    let StoreState::Registered(store) = state else { return register(state, details) };
    if store.details.currency != details.currency {
        return register(state, details);
    }
    let StoreDetails { name, currency: _, chain, country, time_zone } = details;
    let said = [Some(name.as_str()), chain.as_deref(), country.as_deref(), time_zone.as_deref()];
    let mut fields = FIELDS.into_iter();
    let said = said.map(|text| text.filter(|_| !fields.next().is_some_and(|field| store.by_hand.contains(field))));
    change_details(&store.details, said, true)
}

fn change_details(
    details: &StoreDetails,
    [name, chain, country, time_zone]: [Option<&str>; 4],
    from_source: bool,
) -> Result<Decision<StoreEvent>, Refusal> {
    check_details(name, [chain, country, time_zone])?;
    let event = StoreEvent::DetailsChanged {
        name: differing(name, Some(&details.name)),
        chain: differing(chain, details.chain.as_deref()),
        country: differing(country, details.country.as_deref()),
        time_zone: differing(time_zone, details.time_zone.as_deref()),
        from_source,
    };
    let nothing = StoreEvent::DetailsChanged { name: None, chain: None, country: None, time_zone: None, from_source };
    if event == nothing { Ok(Decision::unchanged()) } else { Ok(Decision::applied(event)) }
}

fn learn_aisle_order(store: &Store, categories: &[String]) -> Result<Decision<StoreEvent>, Refusal> {
    if categories.len() > AISLES_PER_STORE_MAX {
        let detail = format!("a store has at most {AISLES_PER_STORE_MAX} categories in its aisle order");
        return Err(Refusal::new(Invalid, "too_many_categories", detail).at("/categories"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (number, category) in categories.iter().enumerate() {
        check_text(category, NAME_CHARS_MAX, format!("/categories/{number}"))?;
        if !seen.insert(category.trim()) {
            let detail = format!("“{}” is in the aisle order twice", category.trim());
            return Err(Refusal::new(Invalid, "category_repeated", detail).at(format!("/categories/{number}")));
        }
    }
    let categories: Vec<_> = categories.iter().map(|category| category.trim().to_owned()).collect();
    if store.aisle_order == categories {
        Ok(Decision::unchanged())
    } else {
        Ok(Decision::applied(StoreEvent::AisleOrderLearned { categories }))
    }
}

fn check_details(name: Option<&str>, [chain, country, time_zone]: [Option<&str>; 3]) -> Result<(), Refusal> {
    if let Some(name) = name {
        check_text(name, NAME_CHARS_MAX, "/name")?;
    }
    check_optional_text(chain.unwrap_or_default(), NAME_CHARS_MAX, "/chain")?;
    let country = country.map(str::trim).unwrap_or_default();
    if !matches!(country.as_bytes(), [] | [b'A'..=b'Z', b'A'..=b'Z']) {
        let detail = "a country is an ISO 3166 code of two capital letters, such as AT";
        return Err(Refusal::new(Invalid, "country_malformed", detail).at("/country"));
    }
    if !time_zone.is_none_or(|name| name.trim().is_empty() || is_zone_name(name.trim())) {
        return Err(Refusal::new(Invalid, "time_zone_malformed", "a time zone is an IANA name, such as Europe/Vienna").at("/time_zone"));
    }
    Ok(())
}

/// By its form only: which zones exist is known outside the domain.
fn is_zone_name(name: &str) -> bool {
    let sound = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'));
    name.len() <= 64 && name.split('/').all(sound)
}

fn present(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn differing(after: Option<&str>, before: Option<&str>) -> Option<String> {
    after.map(str::trim).filter(|after| *after != before.unwrap_or_default()).map(str::to_owned)
}

fn replace(text: &mut Option<String>, with: Option<&str>) {
    if with.is_some() {
        *text = present(with);
    }
}
