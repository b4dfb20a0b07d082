//! Slices of the real files, if available.

use std::{io::BufRead, path::PathBuf};

use super::*;

/// The folder of one shared data set, or a line that states why the test was skipped.
fn shared(name: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("AISLED_SHARED_DATA").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: there is no {} (AISLED_SHARED_DATA names the folder)", folder.display());
    None
}

/// The first lines of a gzipped file.
fn first_lines(file: &Path, lines: usize) -> String {
    let file = std::fs::File::open(file).unwrap();
    let text = std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file));
    text.lines().take(lines).map(|line| line.unwrap() + "\n").collect()
}

#[test]
fn prices_that_were_zero_or_missing_in_the_source_are_refused_every_one() {
    let Some(real) = shared("heissepreise") else { return };
    let stores = std::fs::read_to_string(real.join("stores.csv")).unwrap();
    let rejected = std::fs::read_to_string(real.join("rejected_prices.csv")).unwrap().replace("price_as_found", "price_eur");
    let rows = rejected.lines().count() as u64 - 1;
    let folder = folder(&[("stores.csv", &stores), ("products.csv", "store,product_id,name\n"), ("prices.csv", &rejected)]);
    let (summary, _) = import(SourceName::Heissepreise, folder.path(), &empty_log());
    assert_eq!(summary.refused, rows);
    assert_eq!(summary.events_appended, stores.lines().count() as u64 - 1);
}

#[test]
fn a_slice_of_real_prices_is_imported_once_and_only_once() {
    let Some(real) = shared("heissepreise") else { return };
    let stores = std::fs::read_to_string(real.join("stores.csv")).unwrap();
    let products = first_lines(&real.join("products.csv.gz"), 3_001);
    let prices = first_lines(&real.join("prices.csv.gz"), 10_001);
    let folder = folder(&[("stores.csv", &stores), ("products.csv.gz", &products), ("prices.csv.gz", &prices)]);
    let log = empty_log();
    let (first, lines) = import(SourceName::Heissepreise, folder.path(), &log);
    // Only prices of products beyond the slice are refused.
    assert!(
        lines.iter().all(|line| ["product_not_found", "value left out", "only 20 are shown"].iter().any(|known| line.contains(known))),
        "{lines:#?}"
    );
    assert_eq!(first.rows_read, first.events_appended + first.refused);
    let (again, _) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!((again.events_appended, again.unchanged), (0, first.events_appended));
}

#[test]
fn a_slice_of_real_baskets_is_imported_whole() {
    let Some(real) = shared("complete-journey") else { return };
    let products = first_lines(&real.join("products.csv.gz"), 2_001);
    let transactions = first_lines(&real.join("transactions.csv.gz"), 10_001);
    let folder = folder(&[("products.csv.gz", &products), ("transactions.csv.gz", &transactions)]);
    let log = empty_log();
    let (first, lines) = import(SourceName::CompleteJourney, folder.path(), &log);
    assert_eq!((first.rows_read, first.refused), (12_000, 0), "{lines:#?}");
    let (again, _) = import(SourceName::CompleteJourney, folder.path(), &log);
    assert_eq!(again.events_appended, 0);
}

#[test]
fn a_slice_of_real_barcodes_is_checked() {
    let Some(real) = shared("open-food-facts-2019") else { return };
    let products = first_lines(&real.join("products_mixed.csv.gz"), 2_001);
    let folder = folder(&[("products_mixed.csv.gz", &products)]);
    let (summary, lines) = import(SourceName::OpenFoodFacts, folder.path(), &empty_log());
    assert_eq!(summary.rows_read, summary.events_appended + summary.refused);
    assert!(
        lines.iter().all(|line| ["gtin_", "value left out", "only 20 are shown"].iter().any(|known| line.contains(known))),
        "{lines:#?}"
    );
}
