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
