//! Given events, when a command, then events or a refusal, grouped by the state they start from.

mod prices;
mod undo;

use super::*;
use crate::domain::{
    Currency, Outcome, Unit,
    given::{Given, NOW, nothing},
    limits::{CODES_PER_PRODUCT_MAX, FUTURE_MICROS_MAX, OBSERVATIONS_PER_PRODUCT_MAX, OFFERS_PER_PRODUCT_MAX},
    moment::DAY_MICROS,
};

fn details() -> ProductDetails {
    ProductDetails {
        name: "Oat drink".into(),
        brand: Some("Oaty".into()),
        category: None,
        content: Some(Quantity::parse("1", Unit::parse("l")).unwrap()),
        sold_by_weight: false,
        organic: true,
        codes: vec![],
        ingredients: None,
        nutrition: BTreeMap::new(),
    }
}

fn product() -> Given<Products> {
    nothing().event(ProductEvent::Registered(details()))
}

fn store(name: &str) -> StoreId {
    StoreId::new(name).unwrap()
}

fn eur(amount: &str) -> UnitPrice {
    UnitPrice::parse(amount, Currency::new("EUR").unwrap(), Unit::Each).unwrap()
}

fn days_ago(days: i64) -> Moment {
    NOW.days_before(days)
}

fn seen(place: &str, days: i64, amount: &str) -> PriceSeen {
    PriceSeen {
        store: store(place),
        kind: PriceKind::Shelf,
        price: eur(amount),
        valid_from: None,
        valid_until: None,
        observed_at: days_ago(days),
        source: "shelf".into(),
        evidence: None,
    }
}

fn observe(place: &str, days: i64, amount: &str) -> ProductCommand {
    ProductCommand::ObservePrice(seen(place, days, amount))
}

fn withdraw(place: &str) -> ProductCommand {
    ProductCommand::WithdrawPrice { store: store(place), kind: PriceKind::Shelf }
}

fn is_outlier(given: &Given<Products>, command: &ProductCommand) -> bool {
    matches!(given.when(command).unwrap().events[..], [ProductEvent::PriceObserved { outlier: true, .. }])
}

fn gtin(number: u32) -> ProductCode {
    ProductCode::source("test", &number.to_string()).unwrap()
}

fn offer(id: &str, terms: OfferTerms) -> ProductCommand {
    ProductCommand::AnnounceOffer {
        offer: OfferId::new(id).unwrap(),
        store: store("a"),
        terms,
        valid_from: days_ago(1),
        valid_until: Some(Moment(NOW.0 + DAY_MICROS)),
        member_only: false,
        source: "leaflet".into(),
    }
}

fn percent(percent: u8) -> OfferTerms {
    OfferTerms::PercentOff { percent }
}

fn end(id: &str) -> ProductCommand {
    ProductCommand::EndOffer { offer: OfferId::new(id).unwrap() }
}

fn rename(name: &str) -> ProductCommand {
    ProductCommand::ChangeDetails {
        name: Some(name.into()),
        brand: None,
        category: None,
        content: None,
        sold_by_weight: None,
        organic: None,
        ingredients: None,
        nutrition: None,
    }
}

mod absent {
    use super::*;

    #[test]
    fn a_product_can_be_registered() {
        let decision = nothing::<Products>().when(&ProductCommand::Register(details())).unwrap();
        assert_eq!(decision, Decision::applied(ProductEvent::Registered(details())));
    }

    #[test]
    fn everything_else_finds_no_product() {
        for command in [observe("a", 1, "1.00"), withdraw("a"), rename("x"), end("o"), ProductCommand::Discontinue] {
            let refusal = nothing::<Products>().when(&command).unwrap_err();
            assert_eq!((refusal.code, refusal.kind), ("product_not_found", RefusalKind::NotFound));
        }
    }

    #[test]
    fn impossible_details_are_refused_with_a_pointer() {
        let broken = [
            (ProductDetails { name: " ".into(), ..details() }, "text_empty", "/name"),
            (ProductDetails { name: "n".repeat(301), ..details() }, "text_too_long", "/name"),
            (ProductDetails { brand: Some("a\tb".into()), ..details() }, "text_control_character", "/brand"),
            (ProductDetails { content: Some(Quantity::each(0)), ..details() }, "quantity_not_positive", "/content/amount"),
            (ProductDetails { content: Some(Quantity::each(1_000_001)), ..details() }, "quantity_too_large", "/content/amount"),
            (ProductDetails { codes: vec![gtin(1), gtin(2), gtin(1)], ..details() }, "code_repeated", "/codes/2"),
            (ProductDetails { codes: (0..51).map(gtin).collect(), ..details() }, "too_many_codes", "/codes"),
            (ProductDetails { nutrition: [("fat".into(), -1)].into(), ..details() }, "nutrition_impossible", "/nutrition/fat"),
            (ProductDetails { nutrition: [("a/b".into(), 100_000_001)].into(), ..details() }, "nutrition_impossible", "/nutrition/a~1b"),
        ];
        for (details, code, pointer) in broken {
            let refusal = nothing::<Products>().when(&ProductCommand::Register(details)).unwrap_err();
            assert_eq!((refusal.code, refusal.pointer.as_deref()), (code, Some(pointer)));
        }
    }

    #[test]
    fn energy_may_be_more_than_a_hundred_grams() {
        let details = ProductDetails { nutrition: [("energy-kj".into(), 3_700_000_000), ("fat".into(), 100_000_000)].into(), ..details() };
        assert_eq!(nothing::<Products>().code(&ProductCommand::Register(details)), "applied");
    }
}

mod known {
    use super::*;

    #[test]
    fn registering_again_is_unchanged_or_a_conflict() {
        assert_eq!(product().code(&ProductCommand::Register(details())), "unchanged");
        let other = ProductDetails { name: "Soy drink".into(), ..details() };
        assert_eq!(product().code(&ProductCommand::Register(other)), "product_exists");
    }

    #[test]
    fn a_change_records_only_what_differs() {
        let command = ProductCommand::ChangeDetails {
            name: Some("Oat drink".into()),
            brand: Some(String::new()),
            category: Some(String::new()),
            content: None,
            sold_by_weight: Some(false),
            organic: None,
            ingredients: None,
            nutrition: None,
        };
        let given = product();
        let change = ProductEvent::DetailsChanged(DetailsChange { brand: Some(String::new()), ..DetailsChange::default() });
        assert_eq!(given.when(&command).unwrap(), Decision::applied(change));
        assert_eq!(given.after(&command).code(&command), "unchanged");
    }

    #[test]
    fn a_code_is_linked_once_and_up_to_the_limit() {
        let mut given = product();
        for number in 0..u32::try_from(CODES_PER_PRODUCT_MAX).unwrap() {
            given = given.after(&ProductCommand::LinkCode { code: gtin(number) });
        }
        assert_eq!(given.code(&ProductCommand::LinkCode { code: gtin(7) }), "unchanged");
        assert_eq!(given.code(&ProductCommand::LinkCode { code: gtin(99) }), "too_many_codes");
    }

    #[test]
    fn stock_is_recorded_when_it_changes() {
        let report = |stock| ProductCommand::ReportStock { store: store("a"), stock };
        let given = product().after(&report(Stock::In));
        assert_eq!(given.code(&report(Stock::In)), "unchanged");
        assert_eq!(given.code(&report(Stock::Out)), "applied");
    }
}

mod offers {
    use super::*;

    #[test]
    fn an_offer_is_announced_once() {
        let given = product().after(&offer("o", percent(20)));
        assert_eq!(given.code(&offer("o", percent(20))), "unchanged");
        assert_eq!(given.code(&offer("o", percent(25))), "offer_exists");
    }

    #[test]
    fn an_ended_offer_stays_ended_when_its_source_repeats_it() {
        let given = product().after(&offer("o", percent(20))).after(&end("o"));
        assert_eq!(given.code(&end("o")), "unchanged");
        assert_eq!(given.code(&offer("o", percent(20))), "unchanged");
        assert_eq!(given.code(&end("other")), "offer_not_found");
    }

    #[test]
    fn terms_must_make_sense() {
        let euros = |minor| Money::from_minor(minor, Currency::new("EUR").unwrap());
        let broken = [
            (OfferTerms::CountFor { count: 1, total: euros(100) }, "count_too_small"),
            (OfferTerms::CountFor { count: 3, total: euros(0) }, "amount_not_positive"),
            (percent(0), "percent_out_of_range"),
            (percent(101), "percent_out_of_range"),
            (OfferTerms::AmountOff { amount: euros(-1) }, "amount_not_positive"),
            (OfferTerms::FixedPrice { price: eur("0") }, "price_not_positive"),
        ];
        for (terms, code) in broken {
            assert_eq!(product().code(&offer("o", terms)), code);
        }
        let dollars = OfferTerms::AmountOff { amount: Money::from_minor(1, Currency::new("USD").unwrap()) };
        assert_eq!(product().after(&observe("a", 1, "1.00")).code(&offer("o", dollars)), "currency_differs");
    }

    #[test]
    fn only_running_offers_count_for_the_limit() {
        let given = (0..OFFERS_PER_PRODUCT_MAX).fold(product(), |given, index| given.after(&offer(&format!("o{index}"), percent(5))));
        assert_eq!(given.code(&offer("new", percent(5))), "too_many_offers");
        assert_eq!(given.after(&end("o7")).code(&offer("new", percent(5))), "applied");
    }

    #[test]
    fn ended_offers_are_remembered_up_to_a_limit() {
        let given = (0..500)
            .fold(product(), |given, index| given.after(&offer(&format!("o{index}"), percent(5))).after(&end(&format!("o{index}"))));
        let ProductState::Active(product) = &given.state else { panic!("the product is active") };
        assert_eq!(product.offers.len(), 200);
    }
}

mod discontinued_or_merged {
    use super::*;

    fn merge(into: &str) -> ProductCommand {
        ProductCommand::MergeInto { product: ProductId::new(into).unwrap() }
    }

    #[test]
    fn the_price_history_of_a_discontinued_product_goes_on() {
        let given = product().after(&ProductCommand::Discontinue);
        assert_eq!(given.code(&observe("a", 1, "1.00")), "applied");
        assert_eq!(given.code(&ProductCommand::Discontinue), "unchanged");
        assert_eq!(given.after(&observe("a", 1, "1.00")).code(&observe("a", 1, "1.00")), "unchanged");
    }

    #[test]
    fn a_merged_product_names_where_it_went() {
        let given = product().after(&merge("other"));
        let refusal = given.when(&observe("a", 1, "1.00")).unwrap_err();
        assert_eq!((refusal.code, refusal.kind), ("product_merged", RefusalKind::Conflict));
        assert!(refusal.detail.contains("other"));
        assert_eq!(given.when(&merge("other")).unwrap().outcome, Outcome::Unchanged);
        assert_eq!(given.code(&merge("third")), "product_merged");
    }

    #[test]
    fn nothing_merges_into_itself() {
        assert_eq!(Products::check_own("own", &merge("own")).unwrap_err().code, "merge_into_itself");
        assert_eq!(Products::check_own("own", &merge("other")), Ok(()));
    }
}

mod wire {
    use super::*;

    fn parse(text: &str) -> Result<ProductCommand, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_read_from_their_json_form() {
        let price = r#"{"amount": "1.99", "currency": "EUR"}"#;
        let text = format!(r#"{{"op": "observe_price", "store": "a", "price": {price}, "observed_at": "2024-01-01", "source": "shelf"}}"#);
        assert_eq!(parse(&text), Ok(ProductCommand::ObservePrice(PriceSeen { observed_at: NOW, ..seen("a", 0, "1.99") })));
        assert_eq!(parse(r#"{"op": "discontinue"}"#), Ok(ProductCommand::Discontinue));
    }

    #[test]
    fn unknown_fields_are_refused_wherever_they_hide() {
        let unknown = [
            r#"{"op": "discontinue", "why": "old"}"#,
            r#"{"op": "end_offer", "offer": "o", "why": "old"}"#,
            r#"{"op": "register", "name": "milk", "colour": "white"}"#,
            r#"{"op": "observe_price", "store": "a", "price": {"amount": "1", "currency": "EUR", "x": 1}, "observed_at": "2024-01-01", "source": "s"}"#,
        ];
        for text in unknown {
            assert!(parse(text).unwrap_err().contains("unknown field"), "{text}");
        }
        let list = serde_json::from_str::<crate::domain::list::ListCommand>(r#"{"op": "archive", "why": "old"}"#);
        assert!(list.unwrap_err().to_string().contains("unknown field"));
    }
}
