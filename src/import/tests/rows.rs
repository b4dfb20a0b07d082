//! How files are read: delimiters, encodings, quotes, several files of a kind; nothing vanishes.

use std::fmt::Write;

use super::*;

const STORES: (&str, &str) = ("stores.csv", "store,currency\nx,EUR\n");
const PRODUCTS: (&str, &str) = ("products.csv", "store,product_id,name\nx,1,Milch\n");

fn prices(bytes: impl AsRef<[u8]>) -> tempfile::TempDir {
    let folder = folder(&[STORES, PRODUCTS]);
    std::fs::write(folder.path().join("prices.csv"), bytes).unwrap();
    folder
}

/// The summary of an import into an empty log, and its prices.
fn imported(folder: &Path) -> (Summary, Vec<String>) {
    let log = empty_log();
    let (summary, lines) = import(SourceName::Heissepreise, folder, &log);
    let amount = |event: &String| event.split("\"price\":{\"amount\":\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    assert_eq!(summary.refused, summary.refused_by_reason.values().sum::<u64>(), "{lines:#?}");
    (summary, events(&log).iter().filter_map(amount).collect())
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn rows_are_read_whatever_program_wrote_them() {
    for bytes in [
        b"date,store,product_id,price_eur\n2024-01-01,x,1,1.09\n".to_vec(),
        b"\xef\xbb\xbfdate;store;product_id;price_eur\r\n01.01.2024;x;1;1,09\r\n".to_vec(),
        b"sep=;\ndate;store;product_id;price_eur\n2024-01-01;x;1;1,09\n".to_vec(),
        b"date\tstore\tproduct_id\tprice_eur\n2024-01-01\tx\t1\t1,09".to_vec(),
        b"\"Date\",\"Store\",\"Product ID\",\"Price EUR\"\n\"2024-01-01\",\"x\",\"1\",\"1,09\"\n".to_vec(),
        b"date,store,product_id,price_eur\r2024-01-01,x,1,1.09\r".to_vec(),
        utf16("date;store;product_id;price_eur\r\n2024-01-01;x;1;1,09\r\n"),
        utf16("date\tstore\tproduct_id\tprice_eur\n2024-01-01\tx\t1\t1,09\n"),
    ] {
        let (summary, prices) = imported(prices(&bytes).path());
        assert_eq!((summary.refused, prices), (0, vec!["1.09".to_owned()]), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn windows_1252_is_read_with_a_warning() {
    let folder = folder(&[STORES, ("prices.csv", "date,store,product_id,price_eur\n")]);
    std::fs::write(folder.path().join("products.csv"), b"store,product_id,name\nx,1,K\xe4se \x80\n").unwrap();
    let log = empty_log();
    let (summary, lines) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!((summary.refused, summary.warnings), (0, 1));
    assert_reported(&lines, "products.csv:1:", "encoding_guessed");
    assert!(events(&log).iter().any(|event| event.contains("Käse €")), "{:?}", events(&log));
}

#[test]
fn no_row_vanishes_after_a_quote_that_is_not_closed() {
    let mut text = "date,store,product_id,price_eur\n".to_owned();
    for row in 0..1_000 {
        let quote = if row == 9 { "\"" } else { "" };
        let day = jiff::civil::date(2020, 1, 1).checked_add(jiff::Span::new().days(row)).unwrap();
        let _ = writeln!(text, "{quote}{day},x,1,1.{:02}", row % 90 + 10);
    }
    let (summary, prices) = imported(prices(&text).path());
    assert_eq!((summary.rows_read, prices.len()), (1_002, 999));
    assert_eq!(summary.refused_by_reason, [("quote_unclosed".to_owned(), 1)].into());
}

#[test]
fn a_stray_quote_and_a_field_over_the_limit_name_their_line_and_are_counted() {
    let long = "9".repeat(300_000);
    let folder = prices(format!(
        "date,store,product_id,price_eur\n2024-01-01,x,1\",1.09\n2024-01-02,x,1,\"1.0\"9\n2024-01-03,x,1,{long}\n2024-01-04,x,1,{}\n2024-01-05,x,1,1.09\n",
        &long[..100_000]
    ));
    let log = empty_log();
    let (summary, lines) = import(SourceName::Heissepreise, folder.path(), &log);
    assert_eq!(
        summary.refused_by_reason,
        [("field_too_long".to_owned(), 1), ("price_wrong".to_owned(), 1), ("quote_stray".to_owned(), 2)].into()
    );
    for line in 2..=5 {
        assert_reported(&lines, &format!("prices.csv:{line}:"), "refused");
    }
    assert!(lines.iter().all(|line| line.len() < 500), "what is quoted has a bounded length");
    assert_eq!(summary.events_appended, 3);
}

#[test]
fn every_file_of_a_kind_is_read_and_every_other_is_named() {
    let price = |day: u8| format!("date,store,product_id,price_eur\n2024-01-0{day},x,1,1.0{day}\n");
    let folder = folder(&[
        STORES,
        PRODUCTS,
        ("prices.csv", &price(1)),
        ("prices.csv.gz", &price(2)),
        ("Prices-may.tsv", &price(3).replace(',', "\t")),
        ("prices (1).csv", &price(4)),
        ("rejected_prices.csv", "nothing\n"),
        ("README.md", "nothing\n"),
    ]);
    let (summary, mut prices) = imported(folder.path());
    prices.sort();
    assert_eq!(prices, ["1.01", "1.02", "1.03", "1.04"]);
    assert_eq!(summary.files_ignored, ["README.md", "rejected_prices.csv"]);
    let rows: Vec<_> = summary.files.iter().map(|(name, tally)| (&**name, tally.rows)).collect();
    assert_eq!(
        rows,
        [("Prices-may.tsv", 1), ("prices (1).csv", 1), ("prices.csv", 1), ("prices.csv.gz", 1), ("products.csv", 1), ("stores.csv", 1)]
    );
}

#[test]
fn a_refused_store_takes_its_rows_with_it() {
    let log = empty_log();
    import(
        SourceName::Heissepreise,
        folder(&[("stores.csv", "store,currency\nx,HUF\n"), PRODUCTS, ("prices.csv", "date,store,product_id,price_eur\n")]).path(),
        &log,
    );
    let head = log.head();
    let prices = ("prices.csv", "date,store,product_id,price_eur\n2024-01-01,x,1,1.00\n2024-01-01,y,1,1.00\n");
    let stores = ("stores.csv", "store,currency\nx,EUR\ny,no\n");
    let products = ("products.csv", "store,product_id,name\nx,2,Brot\ny,1,Brot\n");
    let (summary, lines) = import(SourceName::Heissepreise, folder(&[stores, products, prices]).path(), &log);
    assert_eq!((summary.events_appended, log.head()), (0, head), "{lines:#?}");
    let refused = [("currency_unknown".to_owned(), 1), ("store_exists".to_owned(), 1), ("store_refused".to_owned(), 4)];
    assert_eq!(summary.refused_by_reason, refused.into(), "{lines:#?}");
}

#[test]
fn columns_are_mapped_by_hand() {
    let folder = prices("Tag;Laden;Nummer;Preis\n2024-01-01;x;1;1,09\n");
    let mapping = ["Tag=date", "Laden=store", "Nummer=product_id", "Preis=price_eur"].map(str::to_owned);
    let opened = SourceName::Heissepreise.open(folder.path(), Mapping::parse(&mapping).unwrap()).unwrap();
    let about = opened.files.iter().find(|about| &*about.file == "prices.csv").unwrap();
    assert_eq!(about.fields[3], ("price_eur", "Preis".to_owned()));
    let items: Vec<_> = opened.items.map(Result::unwrap).collect();
    assert!(items.last().unwrap().intent.is_ok(), "{items:?}");
}
