//! Given a product, when an event is undone, then commands, or a sentence that explains why not.

use super::*;

fn offered() -> ProductEvent {
    ProductEvent::OfferAnnounced {
        offer: OfferId::new("o").unwrap(),
        store: store("s"),
        terms: OfferTerms::PercentOff { percent: 10 },
        valid_from: days_ago(3),
        valid_until: Some(days_ago(-3)),
        member_only: false,
        source: "leaflet".into(),
    }
}

fn ended() -> ProductEvent {
    ProductEvent::OfferEnded { offer: OfferId::new("o").unwrap() }
}

#[test]
fn what_no_command_can_say_stays() {
    assert_eq!(product().undo_code(0), "registration_stays");
    assert_eq!(product().event(ProductEvent::CodeLinked { code: gtin(1) }).undo_code(1), "code_stays");
    assert_eq!(product().event(ProductEvent::Discontinued {}).undo_code(1), "discontinued_stays");
    let merged = product().after(&observe("s", 1, "2.00")).event(ProductEvent::Merged { into: ProductId::new("q").unwrap() });
    assert_eq!((merged.undo_code(2), merged.undo_code(1)), ("merger_stays", "product_merged"));
}

#[test]
fn only_the_details_that_were_changed_go_back() {
    let change = |name: &str, brand: &str| ProductCommand::ChangeDetails {
        name: Some(name.into()),
        brand: Some(brand.into()),
        category: None,
        content: None,
        sold_by_weight: None,
        organic: None,
        ingredients: None,
        nutrition: None,
    };
    let changed = product().after(&change("Oat milk", ""));
    assert_eq!(changed.undone(), Ok(vec![change("Oat drink", "Oaty")]));
    assert_eq!(changed.after(&change("Oat juice", "")).undo_code(1), "changed_since");
}

#[test]
fn what_a_pack_holds_is_not_unknown_again() {
    let content = |amount: &str| ProductCommand::ChangeDetails {
        name: None,
        brand: None,
        category: None,
        content: Some(Quantity::parse(amount, Unit::parse("l")).unwrap()),
        sold_by_weight: None,
        organic: None,
        ingredients: None,
        nutrition: None,
    };
    assert_eq!(product().after(&content("2")).undone(), Ok(vec![content("1")]));
    let empty = nothing::<Products>().event(ProductEvent::Registered(ProductDetails { content: None, ..details() }));
    assert_eq!(empty.after(&content("2")).undo_code(1), "content_stays");
}

#[test]
fn the_newest_price_is_withdrawn_and_an_older_one_stays() {
    let seen = product().after(&observe("s", 3, "2.00"));
    assert_eq!(seen.changed(), ["prices/s/shelf: null > {\"amount\":\"2.00\",\"currency\":\"EUR\",\"per\":\"each\"}"]);
    assert_eq!(seen.undone(), Ok(vec![withdraw("s")]));
    let later = seen.after(&observe("s", 1, "2.50"));
    assert_eq!((later.undo_code(1), later.undone()), ("changed_since", Ok(vec![withdraw("s")])));
}

#[test]
fn a_corrected_price_is_corrected_back() {
    let corrected = product().after(&observe("s", 3, "2.00")).after(&observe("s", 3, "2.20"));
    assert_eq!(corrected.undone(), Ok(vec![observe("s", 3, "2.00")]));
}

#[test]
fn a_withdrawn_price_stands_again_unless_another_was_seen() {
    let withdrawn = product().after(&observe("s", 3, "2.00")).after(&withdraw("s"));
    let [ProductCommand::ObservePrice(again)] = &withdrawn.undone().unwrap()[..] else { panic!("one price is seen") };
    assert_eq!((&again.price, again.source.as_str()), (&eur("2.00"), "shelf"));
    assert_eq!(withdrawn.after(&observe("s", 1, "2.10")).undo_code(2), "changed_since");
    let back = product().after(&observe("s", 3, "2.00")).after(&withdraw("s")).after_undo(2..3);
    assert_eq!(back.changed(), ["prices/s/shelf: null > {\"amount\":\"2.00\",\"currency\":\"EUR\",\"per\":\"each\"}"]);
    assert_eq!(back.undone(), Ok(vec![withdraw("s")]), "and an undo of that withdraws it again");
}

#[test]
fn an_announced_offer_ends_and_an_ended_one_is_announced_under_another_id() {
    let announced = product().event(offered());
    assert_eq!(announced.undone(), Ok(vec![ProductCommand::EndOffer { offer: OfferId::new("o").unwrap() }]));
    let over = announced.event(ended());
    assert_eq!(over.undo_code(1), "changed_since");
    let back = over.after_undo(2..3);
    let ProductState::Active(product) = &back.state else { panic!("it is active") };
    let running: Vec<_> = product.offers.iter().filter(|(_, offer)| !offer.ended).map(|(id, _)| id.as_str()).collect();
    assert!(running.len() == 1 && running[0].starts_with("again-"), "{running:?}");
}

#[test]
fn an_offer_that_would_be_over_is_not_announced_again() {
    let ProductEvent::OfferAnnounced { offer, store, terms, valid_from, member_only, source, .. } = offered() else { panic!("it is one") };
    let short = ProductEvent::OfferAnnounced { offer, store, terms, valid_from, valid_until: Some(days_ago(1)), member_only, source };
    assert_eq!(product().event(short).event(ended()).undo_code(2), "offer_over");
}

#[test]
fn stock_goes_back_to_what_was_known_before() {
    let report = |stock| ProductEvent::StockReported { store: store("s"), stock };
    let reported = product().event(report(Stock::Low));
    assert_eq!(reported.undo_code(1), "stock_unknown_before");
    let out = reported.event(report(Stock::Out));
    assert_eq!(out.undone(), Ok(vec![ProductCommand::ReportStock { store: store("s"), stock: Stock::Low }]));
    assert_eq!(out.event(report(Stock::In)).undo_code(2), "changed_since");
}
