//! What each source's rows become, which rows are refused, and that a second import adds nothing.

mod complete_journey;
mod heissepreise;
mod open_food_facts;
mod real;

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
    let summary = run(source, source.open(folder).unwrap(), &mut sink, &mut report, &bar).unwrap();
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
    let missing = |files: &[(&str, &str)]| SourceName::Heissepreise.open(folder(files).path()).err().unwrap().to_string();
    assert!(SourceName::Heissepreise.open(Path::new("no/such")).err().unwrap().to_string().contains("no/such"));
    assert!(missing(&[]).contains("stores.csv"));
    let stores = ("stores.csv", "store,currency\n");
    let error = missing(&[stores, ("products.csv", "store,product_id\n"), ("prices.csv", "date,store,product_id,price_eur\n")]);
    assert!(error.contains("products.csv") && error.contains("\"name\""), "{error}");
}

#[test]
fn a_gzip_file_that_ends_early_stops_the_import_with_its_name() {
    let folder = folder(&[
        ("stores.csv", "store,currency\n"),
        ("products.csv.gz", &"store,product_id,name\n".repeat(5_000)),
        ("prices.csv", "date,store,product_id,price_eur\n"),
    ]);
    let file = folder.path().join("products.csv.gz");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 12]).unwrap();
    let failed = SourceName::Heissepreise.open(folder.path()).unwrap().items.find_map(Result::err).unwrap();
    assert!(failed.to_string().contains("products.csv.gz"), "{failed}");
}

#[test]
fn the_report_file_names_file_line_and_reason_of_every_refused_row() {
    let folder = tempfile::tempdir().unwrap();
    let place = SourceLine { file: "prices.csv.gz".into(), line: 7 };
    for (name, expected) in [
        ("all.ndjson", r#"{"file":"prices.csv.gz","line":7,"reason":"a \"bad\" row","what":"refused"}"#),
        ("all.csv", "prices.csv.gz,7,refused,\"a \"\"bad\"\" row\""),
    ] {
        let file = folder.path().join(name);
        let mut report = Report::new(Some(&file), Box::new(|_| {})).unwrap();
        for _ in 0..50 {
            report.refused(&place, 1, "a \"bad\" row").unwrap();
        }
        report.finish().unwrap();
        let written = std::fs::read_to_string(&file).unwrap();
        assert_eq!(written.lines().filter(|line| *line == expected).count(), 50, "{written}");
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
