//! Stores, products and prices of heissepreise.

use super::*;

const STORES: &str = "store,name,country,currency,budget_brands\nbilla,Billa,AT,EUR,clever\nkiosk,Kiosk,HU,HUF,\nodd,Odd,XX,ABC,\n";
const PRODUCTS: &str = "\
store,product_id,name,category_code,unit,quantity,is_weighted,is_organic
billa,00-1,J&ouml;rg&amp;Co <b>Käse</b>,37,g,100,1,1
billa,00-2,Zucker,A0,kg,0.3333333333,0,0
billa,00-3,Ohne Inhalt,,,,0,0
billa,00-4,Null,,g,0,0,0
billa,00-5,,,g,1,0,0
nowhere,00-6,Milch,,l,1,0,0
billa,00 7,Leerzeichen,,l,1,0,0
billa,,Ohne Nummer,,l,1,0,0
billa,00-8,Zu wenig
billa,00-9,Fahne,,l,1,maybe,0
kiosk,1,Paprika,,kg,1,0,0
";
const PRICES: &str = "\
date,store,product_id,price_eur
2020-03-07,billa,00-1,6.99
2020-03-08,billa,00-1,0.8999
2020-03-08,billa,00-2,0
2020-03-08,billa,00-2,-1.00
2020-03-08,billa,00-2,None
2020-03-08,billa,00-2,1.23456
2020-13-08,billa,00-2,1.00
2020-03-08,billa,00-99,1.00
2020-03-08,nowhere,00-2,1.00
2020-03-08,kiosk,1,1.00
2999-01-01,billa,00-2,1.00
2020-03-08,billa,00-2,99999999
2020-03-08,billa,00-2,1.00
";

fn files() -> tempfile::TempDir {
    folder(&[("stores.csv", STORES), ("products.csv.gz", PRODUCTS), ("prices.csv.gz", PRICES)])
}

#[test]
fn rows_become_stores_products_and_prices_and_wrong_ones_are_reported() {
    let (log, folder) = (empty_log(), files());
    let (summary, lines) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!((summary.rows_read, summary.events_appended, summary.unchanged), (27, 10, 0), "{lines:#?}");
    assert_eq!((summary.refused, summary.warnings), (17, 1));
    for (place, reason) in [
        ("stores.csv:4:", "ABC"),
        ("products.csv.gz:5:", "quantity \"0 g\""),
        ("products.csv.gz:6:", "no name"),
        ("products.csv.gz:7:", "not in the files of stores"),
        ("products.csv.gz:8:", "00 7"),
        ("products.csv.gz:9:", "no product_id"),
        ("products.csv.gz:10:", "3 fields"),
        ("products.csv.gz:11:", "is_weighted"),
        ("prices.csv.gz:4:", "price \"0\""),
        ("prices.csv.gz:5:", "price \"-1.00\""),
        ("prices.csv.gz:6:", "price \"None\""),
        ("prices.csv.gz:7:", "price \"1.23456\""),
        ("prices.csv.gz:8:", "2020-13-08"),
        ("prices.csv.gz:9:", "product_not_found"),
        ("prices.csv.gz:10:", "not in the files of stores"),
        ("prices.csv.gz:11:", "HUF"),
        ("prices.csv.gz:12:", "future"),
        ("prices.csv.gz:13:", "price \"99999999\""),
    ] {
        assert_reported(&lines, place, reason);
    }
}

#[test]
fn a_product_keeps_its_content_code_and_plain_name() {
    let (log, folder) = (empty_log(), files());
    import(SourceName::Heissepreise, folder.path(), &log);
    let events = events(&log);
    let cheese = events.iter().find(|event| event.starts_with("product/heissepreise:billa:00-1: ")).unwrap();
    for part in
        ["\"Jörg&Co Käse\"", "\"category\":\"37\"", "{\"amount\":\"100\",\"unit\":\"g\"}", "\"sold_by_weight\":true", "\"organic\":true"]
    {
        assert!(cheese.contains(part), "{part} is not in {cheese}");
    }
    assert!(events.iter().any(|event| event.contains("\"0.333333\"")), "{events:#?}");
}

#[test]
fn a_second_import_adds_nothing() {
    let (log, folder) = (empty_log(), files());
    import(SourceName::Heissepreise, folder.path(), &log);
    let head = log.head();
    let (again, _) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!((again.events_appended, again.unchanged, log.head()), (0, 10, head));
}

#[test]
fn columns_may_be_missing_added_and_in_another_order() {
    let log = empty_log();
    let folder = folder(&[
        ("stores.csv", "currency,store\nEUR,x\n"),
        ("products.csv", "extra,name,product_id,store\n?,Milch,1,x\n"),
        ("prices.csv", "price_eur,product_id,store,date,more\n1.00,1,x,2024-01-01,?\n"),
    ]);
    let (summary, lines) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!((summary.events_appended, summary.refused), (3, 0), "{lines:#?}");
}
#[test]
fn the_files_that_the_source_publishes_are_read() {
    let packed = r#"{"stores": ["billa"], "n": 1, "dates": ["20230601", "20240102"], "data":
        [0, "00-1", "K&auml;se", "37", 0, 3, 1, 1.09, 0, 0.99, 0, 1.09, "g", 250, 0, 1, "x"]}"#;
    let plain = r#"[{"store": "sparSi", "id": 7, "name": "Mleko", "unit": "l", "quantity": 1.5, "priceHistory": [{"date": "2024-01-02", "price": null}]}]"#;
    let folder = folder(&[("latest-canonical.billa.compressed.json.gz", packed), ("latest-canonical.json", plain)]);
    let log = empty_log();
    for events in [6, 0] {
        let (summary, lines) = import(SourceName::Heissepreise, folder.path(), &log);
        // Two stores, two products, two prices; one price is none, and one is not the lowest of its day.
        assert_eq!((summary.events_appended, summary.refused, summary.warnings), (events, 1, 1), "{lines:#?}");
        assert_reported(&lines, "latest-canonical.json:1:", "price_wrong");
    }
    let events = events(&log);
    assert!(events.iter().any(|event| event.contains("Spar SI")) && events.iter().any(|event| event.contains("Käse")), "{events:#?}");
}
