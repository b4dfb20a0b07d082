//! Barcodes, nutrition and impossible values of open-food-facts.

use super::*;

const PRODUCTS: &str = "\
barcode,name,ingredients,fat_100g,saturated_fat_100g,carbohydrate_100g,sugar_100g,fiber_100g,protein_100g,salt_100g,sodium_100g,alcohol
0000001938067,Chaussons,\"Pâte, sucre\",10.7,2,38.7,,,3.33,0.647,3.93700787401575e-06,
0000001938068,Wrong check digit,,,,,,,,,,
0211111111114,Made by a shop,,,,,,,,,,
123456789,Nine digits,,,,,,,,,,
4006381333931,Impossible &amp; salty,,-1,101,100,0,,many,5000,,5
40063-8133393,Odd signs,,,,,,,,,,
4006381333931,,,,,,,,,,,
";

#[test]
fn barcodes_are_checked_and_impossible_nutrients_are_left_out() {
    let log = empty_log();
    let folder = folder(&[("products_us.csv.gz", PRODUCTS)]);
    let (summary, lines) = import(SourceName::OpenFoodFacts, folder.path(), &log);
    assert_eq!((summary.rows_read, summary.events_appended, summary.refused, summary.warnings), (7, 3, 4, 4), "{lines:#?}");
    for (line, reason) in [
        (3, "check digit"),
        (5, "GTIN"),
        (6, "fat of -1 g"),
        (6, "saturated_fat of 101 g"),
        (6, "many"),
        (6, "salt of 5000 g"),
        (7, "GTIN"),
        (8, "row_repeated"),
    ] {
        assert_reported(&lines, &format!("products_us.csv.gz:{line}:"), reason);
    }
    let events = events(&log);
    let first = &events[0];
    for part in ["product/off:0000001938067", "\"gtin\":\"00000001938067\"", "\"fat\":10700000", "\"sodium\":4", "Pâte, sucre"] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    assert!(events[1].contains("\"source\":\"open-food-facts\""), "{}", events[1]);
    assert!(events[2].contains("\"carbohydrate\":100000000") && events[2].contains("\"sugar\":0"), "{}", events[2]);
    let (again, _) = import(SourceName::OpenFoodFacts, folder.path(), &log);
    assert_eq!((again.events_appended, again.unchanged), (0, 3));
}

#[test]
fn the_dumps_that_the_source_publishes_are_read() {
    let csv = "code\turl\tproduct_name\tbrands\tingredients_text\tsaturated-fat_100g\tproteins_100g\n\
        4006381333931\tx\tThe 5\" one\tJa!\t\"salt, sugar\t1.5\t2\n";
    let json = "{\"code\":\"96385074\",\"product_name\":\"Salz\",\"brands\":\"Ja!\",\"nutriments\":{\"saturated-fat_100g\":0.5,\"salt_100g\":\"99\"}}\nno object\n";
    let folder = folder(&[("en.openfoodfacts.org.products.csv.gz", csv), ("openfoodfacts-products.jsonl.gz", json)]);
    let log = empty_log();
    let (summary, lines) = import(SourceName::OpenFoodFacts, folder.path(), &log);
    assert_eq!((summary.events_appended, &summary.refused_by_reason), (2, &[("json_wrong".to_owned(), 1)].into()), "{lines:#?}");
    let events = events(&log);
    for part in ["The 5\\\" one", "\"brand\":\"Ja!\"", "\"saturated_fat\":1500000", "\\\"salt, sugar"] {
        assert!(events[0].contains(part), "{part}: {events:#?}");
    }
    assert!(events[1].contains("\"saturated_fat\":500000") && events[1].contains("\"salt\":99000000"), "{events:#?}");
}
