//! Given a stream, when lines are typed, then what is shown.

use proptest::prelude::*;

use super::*;
use crate::{
    domain::{ItemId, Quantity, list::ListEvent},
    projections::testing::{TestLog, any_log, created, item_added},
};

fn item(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

fn weekly() -> Session {
    let mut log = TestLog::default();
    log.list("weekly", created(None)).list("weekly", item_added("i1", None, Quantity::each(2)));
    log.list("weekly", item_added("i2", None, Quantity::each(5))).list("weekly", ListEvent::ItemChecked { item: item("i1") });
    Session::new(StreamKind::List, log.events.into_iter().map(Arc::new).collect())
}

fn say(session: &mut Session, line: &str) -> String {
    match session.execute(line) {
        Reply::Text(text) => text,
        Reply::Quit => "bye".into(),
    }
}

#[test]
fn a_step_shows_the_event_the_states_and_what_changed() {
    let mut session = weekly();
    assert!(session.greeting().contains("4 events, versions 1 to 4"));
    assert!(say(&mut session, "n").contains("v1  list.created  by ann"));
    let added = say(&mut session, "next");
    assert!(added.contains("+ items.i1: {") && added.contains("before  {") && added.contains("after   {"), "{added}");
    assert!(say(&mut session, "g 4").contains("- items.i1.checked: null\n+ items.i1.checked: {"));
    assert_eq!(say(&mut session, "n"), "this is the newest event");
    assert!(say(&mut session, "p").contains("v3"));
    assert!(say(&mut session, "s").contains("\"phase\": \"active\""));
    assert_eq!(say(&mut session, "g 0"), "before the first event");
    assert_eq!(say(&mut session, "p"), "this is before the first event");
}

#[test]
fn an_empty_line_repeats_the_last_step() {
    let mut session = weekly();
    assert!(say(&mut session, "").contains("no step"));
    say(&mut session, "n");
    assert!(say(&mut session, "").contains("v2"));
    say(&mut session, "l");
    assert!(say(&mut session, "").contains("v3"));
    say(&mut session, "p");
    assert!(say(&mut session, "").contains("v1"));
}

#[test]
fn breakpoints_stop_on_the_way_forward_and_back() {
    let mut session = weekly();
    assert!(say(&mut session, "c").contains("no breakpoint"));
    say(&mut session, "b data.quantity.amount>3");
    say(&mut session, "b state.items.i1.checked");
    assert!(say(&mut session, "c").contains("breakpoint 1: data.quantity.amount>3\nlist/weekly v3"));
    assert!(say(&mut session, "").contains("breakpoint 2: state.items.i1.checked\nlist/weekly v4"));
    assert!(say(&mut session, "c").contains("no breakpoint on the way"));
    assert!(say(&mut session, "rc").contains("v3"));
    assert!(say(&mut session, "rc").contains("no breakpoint on the way back"));
    assert_eq!(say(&mut session, "d 1"), "breakpoint 1: state.items.i1.checked");
    assert_eq!(say(&mut session, "d"), "no breakpoints");
}

#[test]
fn what_cannot_be_done_is_said() {
    let mut session = weekly();
    for (line, word) in
        [("jump", "not a command"), ("g x", "version"), ("g 9", "no version 9"), ("b mood=good", "mood"), ("d 3", "no breakpoint 3")]
    {
        assert!(say(&mut session, line).contains(word), "{line}");
    }
    assert!(say(&mut session, "h").contains("rc"));
    assert_eq!(say(&mut session, "q"), "bye");
    assert_eq!(Session::new(StreamKind::List, Vec::new()).greeting(), "there are no events");
}

proptest! {
    #[test]
    fn a_state_is_the_fold_of_its_prefix_however_it_was_reached(log in any_log(), jumps in proptest::collection::vec(0_usize..80, 1..12)) {
        for &kind in StreamKind::ALL {
            let events: Vec<_> = log.events.iter().filter(|event| event.stream.kind() == kind).cloned().map(Arc::new).collect();
            let mut session = Session::new(kind, events.clone());
            for jump in &jumps {
                let jump = (*jump).min(events.len());
                let mut fresh = state_of(kind);
                events[..jump].iter().for_each(|event| fresh.apply(event));
                prop_assert_eq!(session.state(jump).digest(), fresh.digest());
            }
        }
    }
}
