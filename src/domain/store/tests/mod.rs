//! Given events, when a command, then events or a refusal; grouped by phase.

mod undo;

use proptest::prelude::*;

use super::*;
use crate::domain::{Moment, Outcome, Principal};

fn details(name: &str) -> StoreDetails {
    StoreDetails { name: name.into(), currency: Currency::EUR, chain: Some("Billa".into()), country: Some("AT".into()), time_zone: None }
}

fn given(events: &[StoreEvent]) -> StoreState {
    let (mut state, who) = (StoreState::default(), Principal::new("anna").unwrap());
    for (version, event) in (1..).zip(events) {
        Stores::evolve(&mut state, event, &Fact { who: &who, at: Moment(0), position: version, version });
    }
    state
}

fn when(state: &StoreState, command: &StoreCommand) -> Result<Decision<StoreEvent>, Refusal> {
    Stores::decide(state, command, &Context::of_admin(Principal::new("anna").unwrap(), Moment(0)))
}

fn code(result: Result<Decision<StoreEvent>, Refusal>) -> &'static str {
    result.unwrap_err().code
}

mod absent {
    use super::*;

    #[test]
    fn a_store_is_registered_with_trimmed_texts() {
        let decision = when(&StoreState::Absent, &StoreCommand::Register(details(" Billa Wien "))).unwrap();
        assert_eq!(decision.events, [StoreEvent::Registered(details("Billa Wien"))]);
    }

    #[test]
    fn wrong_details_are_refused_with_a_pointer() {
        let refusal = |change: fn(&mut StoreDetails)| {
            let mut wrong = details("x");
            change(&mut wrong);
            let refusal = when(&StoreState::Absent, &StoreCommand::Register(wrong)).unwrap_err();
            (refusal.code, refusal.pointer.unwrap().into_owned())
        };
        assert_eq!(refusal(|details| details.name = " ".into()), ("text_empty", "/name".into()));
        assert_eq!(refusal(|details| details.country = Some("Austria".into())), ("country_malformed", "/country".into()));
        assert_eq!(refusal(|details| details.time_zone = Some("Europe//x y".into())), ("time_zone_malformed", "/time_zone".into()));
    }

    #[test]
    fn an_unknown_store_has_no_details_to_change() {
        assert_eq!(code(when(&StoreState::Absent, &StoreCommand::LearnAisleOrder { categories: vec![] })), "store_not_found");
    }
}

mod registered {
    use super::*;

    #[test]
    fn registering_the_same_again_changes_nothing() {
        let state = given(&[StoreEvent::Registered(details("Billa"))]);
        assert_eq!(when(&state, &StoreCommand::Register(details("Billa"))), Ok(Decision::unchanged()));
        assert_eq!(code(when(&state, &StoreCommand::Register(details("Spar")))), "store_exists");
    }

    #[test]
    fn the_currency_never_changes() {
        let state = given(&[StoreEvent::Registered(details("Billa"))]);
        let refusal = when(&state, &StoreCommand::Register(StoreDetails { currency: Currency::USD, ..details("Billa") })).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), ("store_exists", Some("/currency")));
    }

    #[test]
    fn an_empty_text_clears_an_optional_field() {
        let registered = StoreEvent::Registered(details("Billa"));
        let change = StoreCommand::ChangeDetails { name: Some("Billa".into()), chain: Some(String::new()), country: None, time_zone: None };
        let event =
            StoreEvent::DetailsChanged { name: None, chain: Some(String::new()), country: None, time_zone: None, from_source: false };
        let state = given(std::slice::from_ref(&registered));
        assert_eq!(when(&state, &change), Ok(Decision::applied(event.clone())));
        let state = given(&[registered, event]);
        assert!(matches!(&state, StoreState::Registered(store) if store.details.chain.is_none()));
        assert_eq!(when(&state, &change), Ok(Decision::unchanged()));
    }

    #[test]
    fn an_aisle_order_names_each_category_once() {
        let state = given(&[StoreEvent::Registered(details("Billa"))]);
        let refusal = when(&state, &StoreCommand::LearnAisleOrder { categories: vec!["Milk".into(), " Milk".into()] }).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), ("category_repeated", Some("/categories/1")));
    }
}

fn command() -> impl Strategy<Value = StoreCommand> {
    let text = || prop::option::of(prop::sample::select(vec!["", "AT", " DE ", "Europe/Vienna", "a\nb"]).prop_map(str::to_owned));
    prop_oneof![
        ("[ab ]{0,2}", text(), text()).prop_map(|(name, chain, country)| {
            StoreCommand::Register(StoreDetails { name, currency: Currency::EUR, chain, country, time_zone: None })
        }),
        (text(), text(), text(), text()).prop_map(|(name, chain, country, time_zone)| StoreCommand::ChangeDetails {
            name,
            chain,
            country,
            time_zone
        }),
        prop::collection::vec("[ab]", 0..3).prop_map(|categories| StoreCommand::LearnAisleOrder { categories }),
    ]
}

proptest! {
    #[test]
    fn decided_events_replay_to_the_same_state_and_repeating_changes_nothing(commands in prop::collection::vec(command(), 0..30)) {
        let (mut events, mut state) = (Vec::new(), StoreState::default());
        for command in commands {
            let Ok(decision) = when(&state, &command) else { continue };
            prop_assert_eq!(decision.outcome == Outcome::Unchanged, decision.events.is_empty());
            events.extend(decision.events);
            state = given(&events);
            prop_assert_eq!(when(&state, &command), Ok(Decision::unchanged()));
        }
        let stored = rmp_serde::to_vec_named(&state).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<StoreState>(&stored).unwrap(), state);
    }
}
