//! What every log must do: one suite, run by each backend unchanged. `contract!(fresh)` writes one test per rule; `fresh` makes
//! an empty log and whatever must live as long as it.

use std::{ops::ControlFlow, sync::Arc, thread};

use super::{Append, AppendError, Appended, CommandMark, Event, Feed, Log, Position, StreamHead, log::Pending};
use crate::domain::{CommandId, Outcome, Principal, StreamId, StreamKind, list::ListEvent};

macro_rules! contract {
    ($fresh:expr) => {
        $crate::events::contract::contract! { $fresh;
            the_first_event_has_position_and_version_one
            positions_are_gapless_over_all_streams
            versions_and_links_are_gapless_in_each_stream
            an_append_at_a_stale_version_conflicts_and_records_nothing
            an_append_beyond_the_newest_version_conflicts
            one_command_s_events_stand_side_by_side
            what_is_read_is_what_was_appended
            reading_goes_on_from_any_position
            a_stream_is_read_from_any_version
            a_scan_ends_when_told_to
            recorded_time_never_decreases
            followers_wake_when_the_head_moves
            the_feed_gives_every_event_once_and_in_order
            of_concurrent_appends_at_one_version_exactly_one_is_recorded
            concurrent_appends_to_many_streams_leave_no_gap
            a_closed_log_takes_no_more_and_closing_twice_is_fine
        }
    };
    ($fresh:expr; $($name:ident)*) => {$(
        #[test]
        fn $name() {
            let (log, _keep) = $fresh;
            $crate::events::contract::$name(log);
        }
    )*};
}
pub(crate) use contract;

type AnyLog = Arc<dyn Log>;

/// A list's stream.
pub fn stream(id: &str) -> StreamId {
    StreamId::new(StreamKind::List, id).unwrap()
}

/// A small event that carries a text.
pub fn event(text: &str) -> Event {
    ListEvent::Renamed { name: text.into() }.into()
}

/// An append of such events.
pub fn append(id: &str, expected_version: u64, texts: &[&str]) -> Append {
    let events = texts.iter().map(|text| event(text)).collect();
    Append { stream: stream(id), expected_version, who: Principal::new("anna").unwrap(), by: None, command: None, client: None, events }
}

/// Appends and waits.
pub fn put(log: &dyn Log, id: &str, expected_version: u64, texts: &[&str]) -> Result<Appended, AppendError> {
    log.append(append(id, expected_version, texts)).wait()
}

/// Fills one stream with this many events, one append each, without waiting in between.
pub fn fill(log: &dyn Log, id: &str, events: u64) {
    fill_from(log, id, 0, events);
}

/// As `fill`, after the version a stream has. No two events are alike, so that blocks have the size of real ones.
pub fn fill_from(log: &dyn Log, id: &str, version: u64, events: u64) {
    let text = |version: u64| format!("milk {}", blake3::hash(&version.to_le_bytes()).to_hex());
    let versions = version..version + events;
    let pending: Vec<Pending> = versions.map(|version| log.append_blocking(append(id, version, &[&text(version)]))).collect();
    pending.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
}

fn positions(events: &Appended) -> Vec<u64> {
    events.iter().map(|event| event.position.0).collect()
}

pub fn the_first_event_has_position_and_version_one(log: AnyLog) {
    assert_eq!(log.head(), Position::START);
    assert_eq!(log.stream_head(&stream("a")), None);
    let recorded = put(&*log, "a", 0, &["milk"]).unwrap();
    assert_eq!((recorded[0].position, recorded[0].version, recorded[0].previous), (Position(1), 1, None));
    assert_eq!(log.head(), Position(1));
    assert_eq!(log.stream_head(&stream("a")), Some(StreamHead { version: 1, position: Position(1) }));
}

pub fn positions_are_gapless_over_all_streams(log: AnyLog) {
    for round in 0..20 {
        put(&*log, "a", round, &["milk"]).unwrap();
        put(&*log, "b", 2 * round, &["bread", "salt"]).unwrap();
    }
    assert_eq!(positions(&log.read(Position::START, 100).unwrap()), (1..=60).collect::<Vec<_>>());
}

pub fn versions_and_links_are_gapless_in_each_stream(log: AnyLog) {
    put(&*log, "a", 0, &["1", "2"]).unwrap();
    put(&*log, "b", 0, &["1"]).unwrap();
    put(&*log, "a", 2, &["3"]).unwrap();
    let links: Vec<_> = log.read(Position::START, 9).unwrap().iter().map(|event| (event.version, event.previous.map(|p| p.0))).collect();
    assert_eq!(links, [(1, None), (2, Some(1)), (1, None), (3, Some(2))]);
}

pub fn an_append_at_a_stale_version_conflicts_and_records_nothing(log: AnyLog) {
    put(&*log, "a", 0, &["1", "2"]).unwrap();
    let answer = put(&*log, "a", 1, &["late"]);
    assert!(matches!(answer, Err(AppendError::Conflict { expected: 1, actual: 2, .. })), "{answer:?}");
    assert_eq!(log.head(), Position(2));
}

pub fn an_append_beyond_the_newest_version_conflicts(log: AnyLog) {
    let answer = put(&*log, "a", 3, &["early"]);
    assert!(matches!(answer, Err(AppendError::Conflict { expected: 3, actual: 0, .. })), "{answer:?}");
    assert_eq!(put(&*log, "a", 0, &["milk"]).unwrap()[0].position, Position(1));
}

pub fn one_command_s_events_stand_side_by_side(log: AnyLog) {
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = Arc::clone(&log);
            let write = move || (0..50).map(|n| positions(&put(&*log, &format!("s{writer}"), 3 * n, &["1", "2", "3"]).unwrap())).collect();
            thread::spawn(write)
        })
        .collect();
    let all: Vec<Vec<Vec<u64>>> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    assert!(all.iter().flatten().all(|of_one| of_one[1] == of_one[0] + 1 && of_one[2] == of_one[0] + 2));
}

pub fn what_is_read_is_what_was_appended(log: AnyLog) {
    let command =
        CommandMark { id: CommandId::new("0197a0a0-7b57-7e6c-9f5d-2f3e0c1f6a11").unwrap(), digest: u64::MAX, outcome: Outcome::Merged };
    let by = Some(Principal::new("local").unwrap());
    let sent = Append { by: by.clone(), command: Some(command.clone()), ..append("a", 0, &["Müsli", "brød"]) };
    let recorded = log.append(sent).wait().unwrap();
    assert_eq!((&recorded[0].by, &recorded[1].by), (&by, &by));
    assert_eq!(recorded[1].command, Some(command));
    assert_eq!(recorded[1].event, event("brød"));
    assert_eq!(log.read(Position::START, 9).unwrap(), recorded);
    assert_eq!(log.read_stream(&stream("a"), 0, 9).unwrap(), recorded);
    let mut scanned = Vec::new();
    log.scan(Position::START, &mut |event| {
        scanned.push(Arc::new(event));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(scanned, recorded);
}

pub fn reading_goes_on_from_any_position(log: AnyLog) {
    fill(&*log, "a", 300);
    for after in [0, 1, 150, 298, 299] {
        let read = positions(&log.read(Position(after), 7).unwrap());
        assert_eq!(read, (after + 1..=300).take(7).collect::<Vec<_>>());
    }
    assert_eq!(log.read(Position(300), 7).unwrap(), []);
    assert_eq!(log.read(Position(999), 7).unwrap(), []);
}

pub fn a_stream_is_read_from_any_version(log: AnyLog) {
    for version in 0..40 {
        put(&*log, "a", version, &["milk"]).unwrap();
        put(&*log, "b", version, &["salt"]).unwrap();
    }
    let versions = |after, max| log.read_stream(&stream("a"), after, max).unwrap().iter().map(|event| event.version).collect::<Vec<_>>();
    assert_eq!(versions(0, 100), (1..=40).collect::<Vec<_>>());
    assert_eq!(versions(10, 5), [11, 12, 13, 14, 15]);
    assert_eq!(versions(38, 5), [39, 40]);
    assert_eq!(versions(40, 5), [0; 0]);
    assert_eq!(log.read_stream(&stream("c"), 0, 5).unwrap(), []);
    assert!(log.read_stream(&stream("a"), 0, 100).unwrap().iter().all(|event| event.stream == stream("a")));
}

pub fn a_scan_ends_when_told_to(log: AnyLog) {
    fill(&*log, "a", 50);
    let mut seen = Vec::new();
    log.scan(Position(10), &mut |event| {
        seen.push(event.position.0);
        if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .unwrap();
    assert_eq!(seen, [11, 12, 13]);
}

pub fn recorded_time_never_decreases(log: AnyLog) {
    fill(&*log, "a", 50);
    assert!(log.read(Position::START, 50).unwrap().is_sorted_by_key(|event| event.at));
}

pub fn followers_wake_when_the_head_moves(log: AnyLog) {
    let mut head = log.follow();
    let other = Arc::clone(&log);
    let writer = thread::spawn(move || put(&*other, "a", 0, &["milk"]).unwrap());
    let moved = block_on(async { head.wait_for(|head| *head >= Position(1)).await.map(|head| *head) });
    assert_eq!(moved.unwrap(), Position(1));
    writer.join().unwrap();
}

pub fn the_feed_gives_every_event_once_and_in_order(log: AnyLog) {
    fill(&*log, "before", 700);
    let mut reader = Feed::new(Arc::clone(&log)).reader(Position(5));
    let other = Arc::clone(&log);
    let writer = thread::spawn(move || fill(&*other, "after", 700));
    let mut seen = Vec::new();
    while seen.len() < 1_395 {
        seen.extend(positions(&block_on(reader.next()).unwrap()));
    }
    assert_eq!(seen, (6..=1_400).collect::<Vec<_>>());
    writer.join().unwrap();
}

pub fn of_concurrent_appends_at_one_version_exactly_one_is_recorded(log: AnyLog) {
    for version in 0..20 {
        let contenders: Vec<_> = (0..4).map(|_| log.append(append("a", version, &["mine"]))).collect();
        let answers: Vec<_> = contenders.into_iter().map(Pending::wait).collect();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    }
    assert_eq!(log.head(), Position(20));
}

pub fn concurrent_appends_to_many_streams_leave_no_gap(log: AnyLog) {
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = Arc::clone(&log);
            thread::spawn(move || fill(&*log, &format!("s{writer}"), 200))
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(positions(&log.read(Position::START, 1_000).unwrap()), (1..=800).collect::<Vec<_>>());
}

pub fn a_closed_log_takes_no_more_and_closing_twice_is_fine(log: AnyLog) {
    let pending = log.append(append("a", 0, &["milk"]));
    log.close().unwrap();
    assert!(pending.wait().is_ok(), "what was queued before closing is still recorded");
    log.close().unwrap();
    assert!(log.read_only().is_some());
    assert!(matches!(put(&*log, "a", 1, &["late"]), Err(AppendError::ReadOnly(_))));
    assert_eq!(log.read(Position::START, 9).unwrap().len(), 1);
}

/// Waits for a future on this thread, without a runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
