//! What each source's rows become, which rows are refused, and that a second import adds nothing.

mod again;
mod complete_journey;
mod heissepreise;
mod open_food_facts;
mod permuted;
mod real;
mod rows;

use std::{io::Write, path::Path, sync::Arc};

use super::*;
use crate::{
    domain::Principal,
    events::{Log, Position, clock::ManualClock, memory::MemoryLog},
};

/// A folder with the given files; a name that ends in `.gz` is compressed.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = std::fs::File::create(folder.path().join(name)).unwrap();
        if std::path::Path::new(name).extension().is_some_and(|extension| extension == "gz") {
            let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            packer.write_all(text.as_bytes()).unwrap();
            packer.finish().unwrap();
        } else {
            let mut file = file;
            file.write_all(text.as_bytes()).unwrap();
        }
    }
    folder
}

fn empty_log() -> Arc<dyn Log> {
    Arc::new(MemoryLog::new(clock()))
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-01-02T03:04:05Z".parse().unwrap()))
}

/// Imports a folder into a log; returns the summary and every reported line.
fn import(source: SourceName, folder: &Path, log: &Arc<dyn Log>) -> (Summary, Vec<String>) {
    let lines = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let shown = lines.clone();
    let mut report = Report::new(None, Box::new(move |line| shown.lock().push(line.to_owned()))).unwrap();
    let mut sink = OfflineSink::new(log.clone(), clock(), Principal::new("import").unwrap(), source.id_prefix()).unwrap();
    let bar = indicatif::ProgressBar::hidden();
    let opened = source.open(folder, Mapping::default()).unwrap();
    let Ran { summary, failed } = run(source, opened, &mut sink, &mut report, &bar);
    assert!(failed.is_none(), "{failed:?}");
    let lines = lines.lock().clone();
    (summary, lines)
}

/// Every event of a log as `stream: JSON`.
fn events(log: &Arc<dyn Log>) -> Vec<String> {
    let recorded = log.read(Position::START, 100_000).unwrap();
    recorded.iter().map(|recorded| format!("{}: {}", recorded.stream, crate::events::codec::event_json(recorded)["data"])).collect()
}

fn assert_reported(lines: &[String], place: &str, reason: &str) {
    assert!(lines.iter().any(|line| line.starts_with(place) && line.contains(reason)), "no {reason:?} at {place} in {lines:#?}");
}

#[test]
fn a_missing_folder_file_or_column_is_named() {
    let missing =
        |files: &[(&str, &str)]| SourceName::Heissepreise.open(folder(files).path(), Mapping::default()).err().unwrap().to_string();
    assert!(SourceName::Heissepreise.open(Path::new("no/such"), Mapping::default()).err().unwrap().to_string().contains("no/such"));
    assert!(missing(&[]).contains("there is no stores"));
    let stores = ("stores.csv", "store,currency\n");
    let error = missing(&[stores, ("products.csv", "store,product_id\n"), ("prices.csv", "date,store,product_id,price_eur\n")]);
    assert!(error.contains("products.csv") && error.contains("\"name\""), "{error}");
}

#[test]
fn a_gzip_file_that_ends_early_or_is_damaged_is_found_before_anything_counts() {
    let folder = folder(&[
        ("stores.csv", "store,currency\n"),
        ("products.csv.gz", &"store,product_id,name\n".repeat(5_000)),
        ("prices.csv", "date,store,product_id,price_eur\n"),
    ]);
    let file = folder.path().join("products.csv.gz");
    let bytes = std::fs::read(&file).unwrap();
    let failed = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        SourceName::Heissepreise.open(folder.path(), Mapping::default()).err().map(|failed| failed.to_string())
    };
    assert!(failed(&bytes[..bytes.len() - 12]).unwrap().contains("products.csv.gz"));
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 0xff;
    assert!(failed(&damaged).unwrap().contains("products.csv.gz"));
    assert_eq!(failed(&bytes), None);
}

#[test]
fn the_report_file_names_file_line_and_reason_of_every_refused_row() {
    let folder = tempfile::tempdir().unwrap();
    let place = SourceLine { file: "prices.csv.gz".into(), line: 7 };
    for (name, expected) in [
        ("all.ndjson", r#"{"code":"odd","file":"prices.csv.gz","line":7,"reason":"a \"bad\" row","rows":1,"what":"refused"}"#),
        ("all.csv", "prices.csv.gz,7,refused,odd,\"a \"\"bad\"\" row\",1"),
    ] {
        let file = folder.path().join(name);
        let mut report = Report::new(Some(&file), Box::new(|_| {})).unwrap();
        for _ in 0..50 {
            report.refused(&place, 1, None, &Reason::new("odd", "a \"bad\" row")).unwrap();
        }
        report.finish().unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(written.lines().filter(|line| *line == expected).count(), 50, "{written}");
        let last = written.lines().last().unwrap();
        assert!([r#"{"code":"odd","rows":50,"what":"all refused"}"#, ",,all refused,odd,,50"].contains(&last), "{last}");
    }
}

#[test]
fn an_import_into_a_folder_refuses_what_a_server_refuses() {
    let log = empty_log();
    let mut report = Report::new(None, Box::new(|_| {})).unwrap();
    let mut sink = OfflineSink::new(log.clone(), clock(), Principal::new("import").unwrap(), "").unwrap();
    let store = |id: &str| crate::domain::StoreId::new(id).unwrap();
    let details = serde_json::from_value(serde_json::json!({"name": "Spar", "currency": "EUR"})).unwrap();
    let product = crate::domain::ProductId::new("milk").unwrap();
    let milk = serde_json::from_value(serde_json::json!({"op": "register", "name": "Milk"})).unwrap();
    let price = |store: &str, currency: &str| {
        let seen = serde_json::json!({"op": "observe_price", "store": store, "observed_at": "2026-01-01T00:00:00Z", "source": "test",
            "price": {"amount": "1.00", "currency": currency, "per": "each"}});
        Intent::Product(product.clone(), serde_json::from_value(seen).unwrap())
    };
    let intents = [
        Intent::Store(store("spar"), crate::domain::store::StoreCommand::Register(details)),
        Intent::Product(product.clone(), milk),
        price("spar", "USD"),
        price("nowhere", "EUR"),
        price("spar", "EUR"),
    ];
    for (line, intent) in (1..).zip(intents) {
        sink.take(SourceLine { file: "test".into(), line }, 1, intent, &mut report).unwrap();
    }
    sink.finish(&mut report).unwrap();
    assert_eq!((report.tally.refused, log.head()), (2, Position(3)));
}
