//! Products, households, stores and baskets of complete-journey.

use super::*;

const PRODUCTS: &str = "\
product_id,manufacturer_id,department,brand,product_category,product_type,package_size
1,2,GROCERY,National,MILK,FLUID MILK WHITE ONLY,16 OZ
2,2,GROCERY,National,FRZN ICE,,6/12 OZ
3,2,MISC,National,,,
,2,MISC,National,,,
";
const TRANSACTIONS: &str = "\
household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,week,transaction_timestamp
900,330,11,1,1,0.50,0.00,0.00,0.00,1,2017-01-01T11:53:26Z
901,330,12,2,2,3.00,0.40,1.00,0.50,1,2017-01-01T11:53:26Z
900,330,11,2,1,1.38,0.51,1.67,0.00,1,2017-01-01T11:53:26Z
900,330,11,3,0,0.00,0.00,2.00,0.00,1,2017-01-01T11:53:26Z
999,330,11,3,1,1.00,0.00,0.00,0.00,1,2017-01-01T11:53:26Z
900,331,13,1,9000,20.00,0.00,0.00,0.00,1,2017-01-02T11:53:26Z
900,331,13,1,-1,20.00,0.00,0.00,0.00,1,2017-01-02T11:53:26Z
900,331,13,1,1,oops,0.00,0.00,0.00,1,2017-01-02T11:53:26Z
900,331,13,1,1,1.00,-0.10,0.00,0.00,1,2017-01-02T11:53:26Z
900,331,13,1,1,1.00,0.00,0.00,0.00,1,yesterday
900,331,,1,1,1.00,0.00,0.00,0.00,1,2017-01-02T11:53:26Z
900,331,13,1,2000000,1.00,0.00,0.00,0.00,1,2017-01-02T11:53:26Z
";

fn files() -> tempfile::TempDir {
    folder(&[("products.csv.gz", PRODUCTS), ("transactions.csv.gz", TRANSACTIONS)])
}

#[test]
fn rows_become_orders_even_where_baskets_are_interleaved() {
    let (log, folder) = (empty_log(), files());
    let (summary, lines) = import(SourceName::CompleteJourney, folder.path(), &log);
    assert_eq!((summary.rows_read, summary.refused), (16, 8), "{lines:#?}");
    // Three products, two stores, three households (one only in a refused row), three baskets.
    assert_eq!(summary.events_appended, 11, "{lines:#?}");
    assert_reported(&lines, "products.csv.gz:5:", "");
    for (line, reason) in [
        (6, "most rows of this basket"),
        (8, "below zero"),
        (9, "oops"),
        (10, "retail_disc"),
        (11, "yesterday"),
        (12, "no basket_id"),
        (13, "large"),
    ] {
        assert_reported(&lines, &format!("transactions.csv.gz:{line}:"), reason);
    }
    let events = events(&log);
    let order = events.iter().find(|event| event.starts_with("order/complete-journey:11: ")).unwrap();
    for part in [
        "\"amount\":\"-0.29\"",
        "\"amount\":\"-2.00\"",
        "\"line\":3",
        "\"total\":{\"amount\":\"-1.79\"",
        "complete-journey:900",
        "2017-01-01T11:53:26Z",
    ] {
        assert!(order.contains(part), "{part} is not in {order}");
    }
    let other = events.iter().find(|event| event.starts_with("order/complete-journey:12: ")).unwrap();
    assert!(other.contains("\"total\":{\"amount\":\"2.00\""), "{other}");
}

#[test]
fn a_product_is_named_by_its_type_and_only_a_clean_size_is_its_content() {
    let (log, folder) = (empty_log(), files());
    import(SourceName::CompleteJourney, folder.path(), &log);
    let events = events(&log);
    let product = |number: u8| events.iter().find(|event| event.starts_with(&format!("product/complete-journey:{number}: "))).unwrap();
    assert!(product(1).contains("FLUID MILK WHITE ONLY") && product(1).contains("{\"amount\":\"16\",\"unit\":\"oz\"}"), "{}", product(1));
    assert!(product(2).contains("\"name\":\"FRZN ICE\"") && !product(2).contains("\"amount\""), "{}", product(2));
    assert!(product(3).contains("\"name\":\"Product 3\""), "{}", product(3));
}

#[test]
fn a_second_import_adds_nothing() {
    let (log, folder) = (empty_log(), files());
    import(SourceName::CompleteJourney, folder.path(), &log);
    let head = log.head();
    let (again, _) = import(SourceName::CompleteJourney, folder.path(), &log);
    assert_eq!((again.events_appended, again.unchanged, log.head()), (0, 11, head));
}
