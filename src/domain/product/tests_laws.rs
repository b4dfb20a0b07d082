//! Laws that hold for every sequence of commands.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Currency, Outcome, Unit,
    given::{Given, NOW, nothing, replay, stored},
};

fn place() -> impl Strategy<Value = StoreId> {
    prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(|id| StoreId::new(id).unwrap())
}

fn kind() -> impl Strategy<Value = PriceKind> {
    prop_oneof![Just(PriceKind::Shelf), Just(PriceKind::Promo)]
}

fn observe() -> impl Strategy<Value = ProductCommand> {
    let currency = prop_oneof![9 => Just("EUR"), 1 => Just("USD")];
    let per = prop_oneof![9 => Just(Unit::Each), 1 => Just(Unit::Pack)];
    (place(), kind(), -2_000_i64..200_000, currency, per, -1_i64..12).prop_map(|(store, kind, amount, currency, per, days)| {
        ProductCommand::ObservePrice(PriceSeen {
            store,
            kind,
            price: UnitPrice::from_ten_thousandths(amount, Currency::new(currency).unwrap(), per),
            valid_from: None,
            valid_until: None,
            observed_at: NOW.days_before(days),
            source: "shelf".into(),
            evidence: None,
        })
    })
}

fn details() -> impl Strategy<Value = ProductDetails> {
    ("[a-c ]{0,3}", 0_i64..3).prop_map(|(name, content)| ProductDetails {
        name,
        brand: None,
        category: None,
        content: Some(Quantity::each(content)),
        sold_by_weight: false,
        organic: false,
        codes: vec![],
        ingredients: None,
        nutrition: BTreeMap::new(),
    })
}

fn offer() -> impl Strategy<Value = ProductCommand> {
    ("[a-d]", place(), 0_u8..=110, 0_i64..3).prop_map(|(id, store, percent, days)| ProductCommand::AnnounceOffer {
        offer: OfferId::new(&id).unwrap(),
        store,
        terms: OfferTerms::PercentOff { percent },
        valid_from: NOW.days_before(1),
        valid_until: Some(NOW.days_before(days)),
        member_only: false,
        source: "leaflet".into(),
    })
}

fn change() -> impl Strategy<Value = ProductCommand> {
    let text = || prop::option::of("[ab]{0,2}");
    (text(), text(), text(), prop::option::of(any::<bool>())).prop_map(|(name, brand, category, sold_by_weight)| {
        ProductCommand::ChangeDetails {
            name,
            brand: brand.clone(),
            category,
            content: None,
            sold_by_weight,
            organic: sold_by_weight.map(|loose| !loose),
            ingredients: brand,
            nutrition: sold_by_weight.map(|_| BTreeMap::from([("fat".to_owned(), 1)])),
        }
    })
}

fn command() -> impl Strategy<Value = ProductCommand> {
    let stock = prop_oneof![Just(Stock::In), Just(Stock::Low), Just(Stock::Out)];
    prop_oneof![
        2 => details().prop_map(ProductCommand::Register),
        2 => details().prop_map(ProductCommand::Update),
        12 => observe(),
        2 => (place(), kind()).prop_map(|(store, kind)| ProductCommand::WithdrawPrice { store, kind }),
        2 => change(),
        2 => offer(),
        1 => "[a-d]".prop_map(|id| ProductCommand::EndOffer { offer: OfferId::new(&id).unwrap() }),
        1 => (place(), stock).prop_map(|(store, stock)| ProductCommand::ReportStock { store, stock }),
        1 => Just(ProductCommand::Discontinue),
    ]
}

/// Commands that begin with a registration, so that most of the rest concerns a known product.
fn life() -> impl Strategy<Value = Vec<ProductCommand>> {
    (details(), prop::collection::vec(command(), 0..40)).prop_map(|(details, mut commands)| {
        commands.insert(0, ProductCommand::Register(ProductDetails { name: "milk".into(), content: None, ..details }));
        commands
    })
}

fn milk() -> Given<Products> {
    let details = ProductDetails {
        name: "milk".into(),
        brand: None,
        category: None,
        content: None,
        sold_by_weight: false,
        organic: false,
        codes: vec![],
        ingredients: None,
        nutrition: BTreeMap::new(),
    };
    nothing().after(&ProductCommand::Register(details))
}

fn observed(days: i64) -> ProductCommand {
    ProductCommand::ObservePrice(PriceSeen {
        store: StoreId::new("a").unwrap(),
        kind: PriceKind::Shelf,
        price: UnitPrice::from_ten_thousandths(10_000 + days, Currency::new("EUR").unwrap(), Unit::Each),
        valid_from: None,
        valid_until: None,
        observed_at: NOW.days_before(days),
        source: "shelf".into(),
        evidence: None,
    })
}

fn product(state: &ProductState) -> Option<&Product> {
    match state {
        ProductState::Active(product) | ProductState::Discontinued(product) => Some(product),
        ProductState::Absent | ProductState::Merged { .. } => None,
    }
}

proptest! {
    #[test]
    fn a_command_that_was_accepted_is_unchanged_when_repeated(commands in life()) {
        let mut given = nothing::<Products>();
        for command in &commands {
            if given.tell(command).is_ok() {
                prop_assert_eq!(given.when(command).unwrap().outcome, Outcome::Unchanged);
            }
        }
    }

    #[test]
    fn replaying_the_events_gives_the_state_and_storing_it_keeps_it(commands in life()) {
        let given = commands.iter().fold(nothing::<Products>(), Given::after);
        prop_assert_eq!(&replay::<Products>(&given.events), &given.state);
        prop_assert_eq!(stored::<Products>(&given.state), given.state);
    }

    #[test]
    fn observations_stay_sorted_unique_and_of_one_currency_a_store(commands in life()) {
        let given = commands.iter().fold(nothing::<Products>(), Given::after);
        let observations = &product(&given.state).unwrap().observations;
        for pair in observations.windows(2) {
            let place = |o: &Observation| (o.store.clone(), o.kind, o.observed_at);
            prop_assert!(place(&pair[0]) < place(&pair[1]));
            prop_assert!(pair[0].store != pair[1].store || pair[0].price.currency() == pair[1].price.currency());
        }
        prop_assert!(observations.iter().all(|o| o.price.ten_thousandths() > 0));
    }

    #[test]
    fn the_order_in_which_different_moments_are_told_does_not_matter(days in prop::collection::btree_set(0_i64..50, 1..12), turn in 0_usize..12) {
        let days: Vec<_> = days.into_iter().collect();
        let mut turned = days.clone();
        turned.rotate_left(turn % days.len());
        let told = |days: &[i64]| days.iter().fold(milk(), |given, day| given.after(&observed(*day))).state;
        prop_assert_eq!(told(&days), told(&turned));
    }
}
