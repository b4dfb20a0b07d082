//! Imports from outside: slices of the real sources into a folder and into a running server, wrong rows, missing files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
};

use csv::StringRecord;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::Value;
use support::{Exited, TestApp, process, run_on};
use tempfile::TempDir;

/// The sources by their name on the command line.
const SOURCES: [&str; 3] = ["heissepreise", "complete-journey", "open-food-facts"];

#[test]
fn importing_every_source_twice_into_a_folder_adds_nothing_the_second_time() {
    let Some(slices) = Slices::of_real_data() else { return };
    let data = slices.path("data");
    let import = |source: &str| run_on(&data, &["import", source, slices.path(source).to_str().unwrap()]);
    assert_imports_once_and_only_once(import);
    let verified = succeeded(run_on(&data, &["verify"])).summary();
    let replayed = succeeded(run_on(&data, &["replay"])).summary();
    assert_eq!((&verified["ok"], &verified["problems"]), (&true.into(), &0.into()));
    assert!(verified["digests"].as_object().is_some_and(|digests| digests.len() > 3), "{verified}");
    for same in ["digests", "events", "last_position"] {
        assert_eq!(verified[same], replayed[same], "{same}");
    }
}

#[test]
fn a_running_server_takes_an_import_as_a_folder_does() {
    let Some(slices) = Slices::of_real_data() else { return };
    let data = slices.path("data");
    let offline = assert_imports_once_and_only_once(|source| run_on(&data, &["import", source, slices.path(source).to_str().unwrap()]));
    let mut app = TestApp::start();
    let url = app.server().url().to_owned();
    let online = assert_imports_once_and_only_once(|source| run(&["import", source, slices.path(source).to_str().unwrap(), "--url", &url]));
    assert_eq!(online, offline, "what became of the rows");
    assert_eq!(app.stop(), Some(0));
    let (folder, server) = (succeeded(run_on(&data, &["replay"])), succeeded(app.run(&["replay"])));
    assert_eq!(counts(&server), counts(&folder), "events of each type");
    assert_eq!(server.summary()["events"], folder.summary()["events"]);
    let (theirs, ours) = (recorded(run_on(&data, &["events"])), recorded(app.run(&["events"])));
    assert_eq!(ours.len() as u64, server.summary()["events"].as_u64().unwrap());
    let differing = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
    assert_eq!(differing, None, "what the events say");
    assert_eq!(ours.len(), theirs.len());
    let verified = succeeded(app.run(&["verify"])).summary();
    assert_eq!(verified["digests"], server.summary()["digests"]);
}

#[test]
fn wrong_rows_are_reported_with_file_and_line_and_skipped() {
    let folder = folder_with_wrong_prices();
    let report = folder.path().join("refused.csv");
    let import = ["import", "heissepreise", folder.path().to_str().unwrap(), "--report", report.to_str().unwrap()];
    let data = folder.path().join("data");
    assert_refuses_the_wrong_rows(&succeeded(run_on(&data, &import)), 4);
    let reported = fs::read_to_string(&report).unwrap();
    assert!((3..=5).all(|line| reported.contains(&format!("prices.csv,{line},refused,"))), "{reported}");
    let strict = run_on(&data, &[&import[..], &["--strict"]].concat());
    assert_eq!(strict.code, Some(3), "{strict:?}");
    assert_refuses_the_wrong_rows(&strict, 0);
}

#[test]
fn a_running_server_refuses_the_same_wrong_rows() {
    let folder = folder_with_wrong_prices();
    let app = TestApp::start();
    let import = ["import", "heissepreise", folder.path().to_str().unwrap(), "--url", app.server().url()];
    assert_refuses_the_wrong_rows(&succeeded(run(&import)), 4);
    let strict = run(&[&import[..], &["--strict"]].concat());
    assert_eq!(strict.code, Some(3), "{strict:?}");
    assert_refuses_the_wrong_rows(&strict, 0);
}

#[test]
fn a_refused_store_takes_its_rows_with_it_online_as_offline() {
    let folder = folder_with_wrong_prices();
    let data = folder.path().join("data");
    write(folder.path(), "stores.csv", "store,currency\nx,HUF\n");
    write(folder.path(), "prices.csv", "date,store,product_id,price_eur\n");
    let app = TestApp::start();
    let import = ["import", "heissepreise", folder.path().to_str().unwrap()];
    let online = [&import[..], &["--url", app.server().url()]].concat();
    succeeded(run_on(&data, &import));
    succeeded(run(&online));
    write(folder.path(), "stores.csv", "store,currency\nx,EUR\n");
    write(folder.path(), "products.csv", "store,product_id,name\nx,1,Milch\nx,2,Brot\n");
    write(folder.path(), "prices.csv", "date,store,product_id,price_eur\n2024-01-01,x,1,1.09\n");
    for summary in [succeeded(run_on(&data, &import)).summary(), succeeded(run(&online)).summary()] {
        assert_eq!(outcome("heissepreise", &summary), [4, 0, 0, 4]);
        assert_eq!(summary["refused_by_reason"], serde_json::json!({"store_exists": 1, "store_refused": 3}));
    }
}

#[test]
fn an_import_again_records_what_changed_online_as_offline() {
    let folder = folder_with_wrong_prices();
    let data = folder.path().join("data");
    let mut app = TestApp::start();
    let import = ["import", "heissepreise", folder.path().to_str().unwrap()];
    let online = [&import[..], &["--url", app.server().url()]].concat();
    let both = || [succeeded(run_on(&data, &import)).summary(), succeeded(run(&online)).summary()];
    both();
    write(folder.path(), "products.csv", "store,product_id,name,quantity,unit\nx,1,Vollmilch,1,l\n");
    for (events, unchanged) in [(1, 3), (0, 4)] {
        for summary in both() {
            assert_eq!(outcome("heissepreise", &summary), [7, events, unchanged, 3], "{summary}");
        }
    }
    assert_eq!(app.stop(), Some(0));
    assert_eq!(recorded(app.run(&["events"])), recorded(run_on(&data, &["events"])));
}

#[test]
fn a_damaged_file_is_found_before_any_row_is_recorded() {
    let folder = folder_with_wrong_prices();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&b"date,store,product_id,price_eur\n2024-01-06,x,1,1.09\n".repeat(1_000)).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(folder.path().join("prices_2.csv.gz"), &packed[..packed.len() - 9]).unwrap();
    let data = folder.path().join("data");
    let app = TestApp::start();
    let import = ["import", "heissepreise", folder.path().to_str().unwrap()];
    for failed in [run_on(&data, &import), run(&[&import[..], &["--url", app.server().url()]].concat())] {
        assert_eq!(failed.code, Some(1), "{failed:?}");
        assert!(failed.stderr.contains("prices_2.csv.gz"), "{failed:?}");
    }
    assert!(!data.exists());
    assert_eq!(app.get("/api/v1/products").body["entries"], serde_json::json!([]));
}

#[test]
fn a_preview_shows_how_files_are_read_and_records_nothing() {
    let folder = folder_with_wrong_prices();
    write(folder.path(), "prices.csv", "Tag;store;product_id;price_eur\n2024-01-01;x;1;1,09\n");
    write(folder.path(), "notes.txt", "nothing");
    let data = folder.path().join("data");
    let import = ["import", "heissepreise", folder.path().to_str().unwrap(), "--map", "Tag=date", "--preview"];
    let shown = succeeded(run_on(&data, &import));
    let lines: Vec<Value> = shown.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let prices = lines.iter().find(|line| line["file"] == "prices.csv" && line["kind"] == "prices").unwrap();
    assert_eq!((&prices["delimiter"], &prices["encoding"], &prices["fields"][0][1]), (&";".into(), &"UTF-8".into(), &"Tag".into()));
    let price = lines.iter().find(|line| line["command"]["op"] == "observe_price").unwrap();
    assert_eq!((&price["stream"], &price["command"]["price"]["amount"]), (&"product/heissepreise:x:1".into(), &"1.09".into()));
    assert_eq!(lines.last().unwrap()["files_ignored"], serde_json::json!(["notes.txt"]));
    assert!(!data.exists());
}

#[test]
fn strict_is_content_where_no_row_is_wrong() {
    let folder = folder_with_wrong_prices();
    write(folder.path(), "prices.csv", "date,store,product_id,price_eur\n2024-01-01,x,1,1.09\n");
    let data = folder.path().join("data");
    let imported = succeeded(run_on(&data, &["import", "heissepreise", folder.path().to_str().unwrap(), "--strict"])).summary();
    assert_eq!((&imported["events_appended"], &imported["refused"]), (&3.into(), &0.into()));
}

#[test]
fn a_missing_folder_or_file_is_named_and_makes_no_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (empty, nowhere) = (folder.path().join("empty"), folder.path().join("nowhere"));
    fs::create_dir(&empty).unwrap();
    for source in SOURCES {
        for (from, named) in [(&nowhere, "there is no folder"), (&empty, "as .csv, .tsv or .txt, gzipped or not")] {
            let failed = run_on(&data, &["import", source, from.to_str().unwrap()]);
            assert_eq!(failed.code, Some(1), "{failed:?}");
            assert!(failed.stderr.contains(named) && failed.stderr.contains(from.to_str().unwrap()), "{failed:?}");
        }
    }
    assert!(!data.exists(), "a wrong folder must not make a data folder");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = folder_with_wrong_prices();
    // Free again when the listener is dropped, so nobody answers there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let failed = run(&["import", "heissepreise", folder.path().to_str().unwrap(), "--url", &url]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains(&url), "{failed:?}");
}

/// Imports every source, then every source again; returns the summary of the first time.
#[track_caller]
fn assert_imports_once_and_only_once(import: impl Fn(&str) -> Exited) -> BTreeMap<&'static str, [u64; 4]> {
    let first: BTreeMap<_, _> = SOURCES.into_iter().map(|source| (source, outcome(source, &succeeded(import(source)).summary()))).collect();
    for (source, [rows, appended, unchanged, refused]) in &first {
        assert!(*rows >= 300 && *appended > 250 && *unchanged == 0, "{source}: {first:?}");
        let again = outcome(source, &succeeded(import(source)).summary());
        assert_eq!(again, [*rows, 0, *appended, *refused], "{source} a second time");
    }
    first
}

/// Rows read, events appended, unchanged and refused; every other field of the summary exists too.
#[track_caller]
fn outcome(source: &str, summary: &Value) -> [u64; 4] {
    assert_eq!(summary["source"], source);
    assert!(summary["seconds"].is_f64() && summary["rows_per_second"].is_u64() && summary["warnings"].is_u64(), "{summary}");
    ["rows_read", "events_appended", "unchanged", "refused"].map(|field| summary[field].as_u64().unwrap_or_else(|| panic!("{summary}")))
}

/// One good price and three wrong ones, on the lines 3 to 5.
fn folder_with_wrong_prices() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "stores.csv", "store,currency\nx,EUR\n");
    write(folder.path(), "products.csv", "store,product_id,name\nx,1,Milch\n");
    let prices = "2024-01-01,x,1,1.09\n2024-01-02,x,1,0\n2024-01-03,x,nobody,2.49\n2024-13-45,x,1,1.19\n2024-01-05,x,1,1.29\n";
    write(folder.path(), "prices.csv", &format!("date,store,product_id,price_eur\n{prices}"));
    folder
}

#[track_caller]
fn assert_refuses_the_wrong_rows(imported: &Exited, events: u64) {
    let summary = imported.summary();
    assert_eq!(outcome("heissepreise", &summary), [7, events, 4 - events, 3], "{imported:?}");
    for (line, reason) in [(3, "price \"0\""), (4, "product_not_found"), (5, "\"2024-13-45\"")] {
        let place = format!("prices.csv:{line}: refused: ");
        assert!(imported.stderr.lines().any(|told| told.contains(&place) && told.contains(reason)), "{place}{reason}: {imported:?}");
    }
}

/// How many events of each type a replay counted.
fn counts(replayed: &Exited) -> BTreeMap<&str, u64> {
    let lines = replayed.stdout.lines().map(str::split_whitespace);
    lines.filter_map(|mut words| Some((words.next()?.parse().ok()?, words.next()?))).map(|(count, name)| (name, count)).collect()
}

/// What each stream contains, whatever the positions: a server decides several streams at a time.
#[track_caller]
fn recorded(events: Exited) -> BTreeMap<(String, u64), Value> {
    let said = succeeded(events).stdout;
    let events = said.lines().map(|line| serde_json::from_str(line).unwrap());
    events.map(|event: Value| ((event["stream"].to_string(), event["version"].as_u64().unwrap()), event["data"].clone())).collect()
}

fn run(arguments: &[&str]) -> Exited {
    process::run(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>())
}

#[track_caller]
fn succeeded(exited: Exited) -> Exited {
    assert_eq!(exited.code, Some(0), "{exited:?}");
    exited
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

/// Small parts of the real sources, each in a folder of the source's name; removed when dropped.
struct Slices(TempDir);

impl Slices {
    /// `None`, and a line that says so, if the shared data is not available.
    fn of_real_data() -> Option<Self> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
        let shared = std::env::var_os("AISLED_SHARED_DATA").map_or_else(beside, PathBuf::from);
        if !["heissepreise", "complete-journey", "open-food-facts-2019"].iter().all(|name| shared.join(name).is_dir()) {
            let skipped = format!("skipped: no shared data in {} (AISLED_SHARED_DATA names the folder)\n", shared.display());
            // Not eprintln: the test harness would keep it to itself.
            io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        }
        let slices = Self(tempfile::tempdir().unwrap());
        SOURCES.iter().for_each(|source| fs::create_dir(slices.path(source)).unwrap());
        cut_prices(&shared.join("heissepreise"), &slices.path("heissepreise"));
        cut_baskets(&shared.join("complete-journey"), &slices.path("complete-journey"));
        let barcodes = Table::read(&shared.join("open-food-facts-2019/products_mixed.csv.gz"), 300);
        barcodes.write(&slices.path("open-food-facts/products_mixed.csv.gz"));
        Some(slices)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// The first 300 products with their prices, and the stores.
fn cut_prices(real: &Path, slice: &Path) {
    fs::copy(real.join("stores.csv"), slice.join("stores.csv")).unwrap();
    let products = Table::read(&real.join("products.csv.gz"), 300);
    let wanted = products.keys(&["store", "product_id"]);
    // The history begins with the first shop's whole range, in which most of these are.
    let prices = Table::read(&real.join("prices.csv.gz"), 40_000).only(&["store", "product_id"], &wanted);
    products.write(&slice.join("products.csv.gz"));
    prices.write(&slice.join("prices.csv.gz"));
}

/// The first 40 baskets, whole, with their products.
fn cut_baskets(real: &Path, slice: &Path) {
    // A basket's rows have one time and stand together, so these rows hold the first 40 whole.
    let mut rows = Table::read(&real.join("transactions.csv.gz"), 2_000);
    let column = rows.column("basket_id");
    let mut baskets = HashSet::new();
    rows.records.retain(|row| baskets.contains(&row[column]) || (baskets.len() < 40 && baskets.insert(row[column].to_owned())));
    let products = Table::read(&real.join("products.csv.gz"), usize::MAX).only(&["product_id"], &rows.keys(&["product_id"]));
    rows.write(&slice.join("transactions.csv.gz"));
    products.write(&slice.join("products.csv.gz"));
}

/// Rows of a gzipped CSV file.
struct Table {
    header: StringRecord,
    records: Vec<StringRecord>,
}

impl Table {
    fn read(file: &Path, records_max: usize) -> Self {
        let mut rows = csv::Reader::from_reader(MultiGzDecoder::new(io::BufReader::new(File::open(file).unwrap())));
        let header = rows.headers().unwrap().clone();
        Self { header, records: rows.records().take(records_max).map(Result::unwrap).collect() }
    }

    fn write(&self, file: &Path) {
        let mut rows = csv::Writer::from_writer(GzEncoder::new(File::create(file).unwrap(), Compression::fast()));
        rows.write_record(&self.header).unwrap();
        self.records.iter().for_each(|record| rows.write_record(record).unwrap());
        rows.into_inner().unwrap_or_else(|error| panic!("{error}")).finish().unwrap();
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|found| found == name).unwrap()
    }

    /// The values of these columns in every row.
    fn keys(&self, columns: &[&str]) -> HashSet<Vec<String>> {
        let columns: Vec<_> = columns.iter().map(|name| self.column(name)).collect();
        self.records.iter().map(|record| key(record, &columns)).collect()
    }

    /// The rows with these keys.
    fn only(mut self, columns: &[&str], wanted: &HashSet<Vec<String>>) -> Self {
        let columns: Vec<_> = columns.iter().map(|name| self.column(name)).collect();
        self.records.retain(|record| wanted.contains(&key(record, &columns)));
        self
    }
}

fn key(record: &StringRecord, columns: &[usize]) -> Vec<String> {
    columns.iter().map(|&column| record[column].to_owned()).collect()
}
