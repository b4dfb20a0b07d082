//! How a session shows what it found.

use serde_json::Value;

use crate::{
    debug::{diff::diff, predicate::Predicate},
    events::{Recorded, codec::event_json},
};

/// One event with the state before and after it, and what changed.
pub fn step(recorded: &Recorded, before: &Value, after: &Value) -> String {
    let event = event_json(recorded);
    let kind = event["type"].as_str().unwrap_or_default();
    let Recorded { stream, version, position, at, who, .. } = recorded;
    let sent = recorded.by.as_ref().map(|by| format!(", sent by {by}")).unwrap_or_default();
    let mut lines = vec![
        format!("{stream} v{version}  {kind}  by {who}{sent}  at {at}  position {position}"),
        format!("event   {event}"),
        format!("before  {before}"),
        format!("after   {after}"),
    ];
    let changes = diff(before, after);
    if changes.is_empty() {
        lines.push("nothing changed".into());
    }
    lines.extend(changes.iter().map(ToString::to_string));
    lines.join("\n")
}

/// A whole state, on many lines.
pub fn state(state: &Value) -> String {
    format!("{state:#}")
}

/// The breakpoints with their numbers.
pub fn breakpoints(breakpoints: &[Predicate]) -> String {
    if breakpoints.is_empty() {
        return "no breakpoints".into();
    }
    let lines: Vec<_> = (1..).zip(breakpoints).map(|(number, predicate)| format!("breakpoint {number}: {predicate}")).collect();
    lines.join("\n")
}
