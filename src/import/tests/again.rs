//! An import again: nothing new for the same files, and events for what changed.

use super::*;

const STORES: (&str, &str) = ("stores.csv", "store,currency,name\nx,EUR,Billa\n");
const PRODUCTS: (&str, &str) = ("products.csv", "store,product_id,name,unit,quantity\nx,1,Milch,l,1\n");
const PRICES: (&str, &str) = ("prices.csv", "date,store,product_id,price_eur\n2024-01-01,x,1,1.09\n");

/// What an import of these files adds to a log.
fn added(log: &Arc<dyn Log>, source: SourceName, files: &[(&str, &str)]) -> Vec<String> {
    let before = events(log).len();
    let (summary, lines) = import(source, folder(files).path(), log);
    assert_eq!(summary.refused, 0, "{lines:#?}");
    events(log).split_off(before)
}

#[test]
fn a_day_with_two_prices_has_the_lower_one_and_a_second_import_adds_nothing() {
    for rows in ["2024-01-01,x,1,1.09\n2024-01-01,x,1,0.99\n", "2024-01-01,x,1,0.99\n2024-01-01,x,1,1.09\n"] {
        let log = empty_log();
        let prices = ("prices.csv", &*format!("date,store,product_id,price_eur\n{rows}"));
        let first = added(&log, SourceName::Heissepreise, &[STORES, PRODUCTS, prices]);
        assert_eq!(first.iter().filter(|event| event.contains("observed_at")).count(), 1, "{first:#?}");
        assert!(first[2].contains("\"0.99\""), "{first:#?}");
        assert_eq!(added(&log, SourceName::Heissepreise, &[STORES, PRODUCTS, prices]), [""; 0]);
    }
}

#[test]
fn a_renamed_and_resized_product_and_a_renamed_store_are_changed_by_events() {
    let log = empty_log();
    added(&log, SourceName::Heissepreise, &[STORES, PRODUCTS, PRICES]);
    let products = ("products.csv", "store,product_id,name,unit,quantity,is_organic\nx,1,Vollmilch,ml,900,1\n");
    let stores = ("stores.csv", "store,currency,name,country\nx,EUR,Billa Plus,AT\n");
    let changed = added(&log, SourceName::Heissepreise, &[stores, products, PRICES]);
    assert_eq!(changed.len(), 2, "{changed:#?}");
    assert!(changed[0].contains("Billa Plus") && changed[0].contains("AT"), "{changed:#?}");
    for part in ["Vollmilch", "{\"amount\":\"900\",\"unit\":\"ml\"}", "\"organic\":true", "\"from_source\":true"] {
        assert!(changed[1].contains(part), "{part}: {changed:#?}");
    }
    assert_eq!(added(&log, SourceName::Heissepreise, &[stores, products, PRICES]), [""; 0]);
}

#[test]
fn what_was_changed_by_hand_stays() {
    let log = empty_log();
    added(&log, SourceName::Heissepreise, &[STORES, PRODUCTS, PRICES]);
    let by_hand =
        serde_json::from_value(serde_json::json!({"op": "change_details", "name": "Unsere Milch", "brand": null, "category": null,
        "content": null, "sold_by_weight": null}));
    let product = crate::domain::ProductId::new("heissepreise:x:1").unwrap();
    let mut sink = OfflineSink::new(log.clone(), clock(), Principal::new("ann").unwrap(), "").unwrap();
    let mut report = Report::new(None, Box::new(|_| {})).unwrap();
    let place = SourceLine { file: "test".into(), line: 1 };
    sink.take(place, 1, Intent::Product(product, by_hand.unwrap()), &mut report).unwrap();
    sink.finish(&mut report).unwrap();
    assert_eq!((report.tally.events_appended, added(&log, SourceName::Heissepreise, &[STORES, PRODUCTS, PRICES])), (1, Vec::new()));
    let resized = ("products.csv", "store,product_id,name,unit,quantity\nx,1,Vollmilch,ml,900\n");
    let changed = added(&log, SourceName::Heissepreise, &[STORES, resized, PRICES]);
    assert!(changed.len() == 1 && changed[0].contains("900") && !changed[0].contains("Vollmilch"), "{changed:#?}");
}

#[test]
fn a_product_that_is_there_twice_is_the_same_one_every_time() {
    let log = empty_log();
    let products = ("products.csv", "store,product_id,name,unit,quantity\nx,1,Milch,,\nx,1,Vollmilch,l,1\nx,1,Vollmilch,l,1\n");
    for events in [3, 0] {
        let before = log.head();
        let (summary, lines) = import(SourceName::Heissepreise, folder(&[STORES, products, PRICES]).path(), &log);
        assert_eq!((summary.events_appended, log.head().0 - before.0), (events, events), "{lines:#?}");
        assert_eq!(summary.refused_by_reason, [("row_repeated".to_owned(), 1)].into());
    }
    assert!(events(&log)[1].contains("Vollmilch"));
}

const GOODS: (&str, &str) = ("products.csv", "product_id,product_type\n1,MILK\n2,BREAD\n");
const HEADER: &str = "household_id,store_id,basket_id,product_id,quantity,sales_value,transaction_timestamp\n";

fn bought(log: &Arc<dyn Log>, rows: &str) -> Vec<String> {
    added(log, SourceName::CompleteJourney, &[GOODS, ("transactions.csv", &format!("{HEADER}{rows}"))])
}

#[test]
fn a_corrected_row_amends_its_order_and_one_more_or_less_does_too() {
    let log = empty_log();
    let (milk, bread, more) =
        ("9,8,7,1,1,0.50,2017-01-01T11:53:26Z\n", "9,8,7,2,1,2.00,2017-01-01T11:53:26Z\n", "9,8,7,1,2,0.90,2017-01-01T11:53:26Z\n");
    let placed = bought(&log, &format!("{milk}{bread}"));
    assert_eq!(placed.iter().filter(|event| event.starts_with("order/")).count(), 1, "{placed:#?}");
    let corrected = milk.replace("0.50", "0.55");
    let amended = bought(&log, &format!("{bread}{corrected}"));
    assert!(amended.len() == 1 && amended[0].contains("\"0.55\"") && !amended[0].contains("2.00"), "{amended:#?}");
    assert_eq!(bought(&log, &format!("{corrected}{bread}")), [""; 0]);
    let added = bought(&log, &format!("{corrected}{bread}{more}"));
    assert!(added.len() == 1 && added[0].contains("\"line\":3") && added[0].contains("0.90"), "{added:#?}");
    let removed = bought(&log, &format!("{corrected}{more}"));
    assert!(removed.len() == 1 && removed[0].contains("\"line\":2") && removed[0].contains("\"0.00\""), "{removed:#?}");
    assert_eq!(bought(&log, &format!("{more}{corrected}")), [""; 0]);
    let mut views = crate::projections::Views::default();
    for recorded in log.read(Position::START, 1_000).unwrap() {
        views.absorb(&recorded);
    }
    let order = views.order(&crate::domain::OrderId::new("complete-journey:7").unwrap()).unwrap();
    assert_eq!(order.total.to_string(), "1.45 USD");
}

#[test]
fn baskets_are_gathered_by_their_number_whatever_the_order_and_size() {
    let rows: Vec<_> =
        (0..2_500).map(|row| format!("9,8,{},{},1,0.{:02},2017-01-01T11:53:26Z\n", row % 2, row % 700 + 1, row % 89 + 10)).collect();
    let (log, other) = (empty_log(), empty_log());
    let placed = bought(&log, &rows.concat());
    assert_eq!(placed.iter().filter(|event| event.starts_with("order/")).count(), 4, "two of 1,250 rows each");
    assert!(placed.iter().any(|event| event.starts_with("order/complete-journey:0:part-2: ")));
    let turned: String = rows.iter().rev().map(String::as_str).collect();
    let sorted = |mut events: Vec<String>| {
        events.sort();
        events
    };
    assert_eq!(sorted(bought(&other, &turned)), sorted(placed));
    assert_eq!(bought(&log, &turned), [""; 0]);
}
