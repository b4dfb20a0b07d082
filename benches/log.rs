//! The log alone: durable appends in commands of 64 and 1024 events, scans with and without decoding, bytes of disk per event.
//! `cargo bench --bench log`; quote the load average and the durability (sync, the default) with every figure.
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::{
    fs,
    hint::black_box,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use aisled::{
    domain::{
        Currency, Moment, Principal, StoreId, StreamId, StreamKind, Unit, UnitPrice,
        product::{PriceKind, PriceSeen, ProductEvent},
    },
    events::{Append, Event, Log, Position},
    log::{DiskLog, LogOptions},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Events of the log that is scanned.
const SCANNED_EVENTS: u64 = 300_000;

/// A price like those of the real catalogue: which product comes next looks random, the price and the day do not.
fn price(number: u64) -> (StreamId, Event) {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let store = ["billa", "spar", "hofer", "dm", "lidl", "mpreis"][(mixed % 6) as usize];
    let stream = StreamId::new(StreamKind::Product, &format!("heissepreise:{store}:00-{}", 100_000 + mixed % 200_000)).expect("a valid id");
    let price = UnitPrice::from_ten_thousandths(
        (mixed % 2_000).cast_signed() * 100 + 9_900,
        Currency::new("EUR").expect("a known currency"),
        Unit::parse("each"),
    );
    let seen = PriceSeen {
        store: StoreId::new(&format!("heissepreise:{store}")).expect("a valid id"),
        kind: PriceKind::Shelf,
        price,
        valid_from: None,
        valid_until: None,
        observed_at: Moment(1_600_000_000_000_000 + (number / 500).cast_signed() * 86_400_000_000),
        source: "heissepreise".into(),
        evidence: None,
    };
    (stream, ProductEvent::PriceObserved { seen, outlier: false }.into())
}

fn append(stream: StreamId, expected_version: u64, events: Vec<Event>) -> Append {
    Append { stream, expected_version, who: Principal::new("import").expect("a valid id"), by: None, command: None, client: None, events }
}

fn open(dir: &Path) -> DiskLog {
    DiskLog::open(LogOptions::new(dir)).expect("a log in a temporary folder").0
}

fn appends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append_sync");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for batch in [1, 64, 1024] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let log = open(dir.path());
        let events: Vec<Event> = (0..batch).map(|number| price(number).1).collect();
        let stream = price(0).0;
        let mut version = 0;
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            bencher.iter_custom(|rounds| {
                let inputs: Vec<_> = (0..rounds).map(|_| events.clone()).collect();
                let start = Instant::now();
                for events in inputs {
                    log.append(append(stream.clone(), version, events)).wait().expect("an append");
                    version += batch;
                }
                start.elapsed()
            });
        });
    }
}

/// One event a command, the writer never idle: the shape of an import.
fn fill(log: &DiskLog) {
    let mut versions = std::collections::HashMap::new();
    let mut waiting = std::collections::VecDeque::new();
    for number in 0..SCANNED_EVENTS {
        let (stream, event) = price(number);
        let version = versions.entry(stream.clone()).or_insert(0);
        waiting.push_back(log.append_blocking(append(stream, *version, vec![event])));
        *version += 1;
        if waiting.len() > 4_000 {
            waiting.pop_front().map(|pending| pending.wait().expect("an append"));
        }
    }
    waiting.into_iter().for_each(|pending| drop(pending.wait().expect("an append")));
}

fn scans(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let log = open(dir.path());
    let start = Instant::now();
    fill(&log);
    let filled = start.elapsed();
    log.close().expect("a clean close");
    drop(log);
    let bytes: u64 =
        ["sled/db", "heads", "witness"].iter().map(|file| fs::metadata(dir.path().join(file)).map_or(0, |meta| meta.len())).sum();
    println!("commands of one event, pipelined: {:.0} events/s", SCANNED_EVENTS as f64 / filled.as_secs_f64());
    println!("disk: {:.1} bytes an event, heads included", bytes as f64 / SCANNED_EVENTS as f64);
    let start = Instant::now();
    let log = open(dir.path());
    println!("reopened in {:?}", start.elapsed());

    let mut group = criterion.benchmark_group("scan");
    group.sample_size(10).measurement_time(Duration::from_secs(4)).throughput(Throughput::Elements(SCANNED_EVENTS));
    group.bench_function("raw", |bencher| {
        bencher.iter(|| {
            log.scan_raw(Position::START, &mut |_, bytes| {
                black_box(bytes);
                ControlFlow::Continue(())
            })
            .expect("a whole log");
        });
    });
    group.bench_function("decoded", |bencher| {
        bencher.iter(|| {
            log.scan(Position::START, &mut |event| {
                black_box(event);
                ControlFlow::Continue(())
            })
            .expect("a whole log");
        });
    });
}

criterion_group!(benches, appends, scans);
criterion_main!(benches);
