//! What all clients of a run have seen together, and when each publication was meant to be sent.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::schedule::{Phase, Schedule};
use crate::measure::Report;

/// Counts of one run, shared by its clients.
#[derive(Default)]
pub struct Tally {
    pub events: Cell<u64>,
    pub states: Cell<u64>,
    pub wire_bytes: Cell<u64>,
    pub deflated: Cell<u64>,
    /// Events whose `previous` is beyond the position the client has.
    pub gaps: Cell<u64>,
    /// Events at or before the position the client has.
    pub duplicates: Cell<u64>,
    /// Events that continue from before the position the client has.
    pub overlaps: Cell<u64>,
    /// States older than the one the client has of the same key.
    pub states_back: Cell<u64>,
    pub recovered: Cell<u64>,
    pub snapshots: Cell<u64>,
    /// Events sent in answers to subscriptions.
    pub missed: Cell<u64>,
    /// Sessions that ended without a request.
    pub lost: Cell<u64>,
    pub errors: Cell<u64>,
    first_error: RefCell<Option<String>>,
    marks: RefCell<Option<Marks>>,
}

/// When publications were meant to be sent, and the latencies by phase.
struct Marks {
    start: Instant,
    schedule: Rc<Schedule>,
    reports: Vec<Report>,
}

/// Adds to a counter.
pub fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}

impl Tally {
    /// From now on, latencies count from the schedule's intended times after `start`.
    pub fn begin(&self, start: Instant, schedule: &Rc<Schedule>) {
        let reports = schedule.phases.iter().map(|_| Report::default()).collect();
        *self.marks.borrow_mut() = Some(Marks { start, schedule: Rc::clone(schedule), reports });
    }

    /// A publication has arrived at one client.
    pub fn arrived(&self, number: usize, now: Instant) {
        let mut marks = self.marks.borrow_mut();
        let Some(Marks { start, schedule, reports }) = marks.as_mut() else { return };
        if let Some(shot) = schedule.shots.get(number)
            && let Some(report) = reports.get_mut(shot.phase)
        {
            report.record(now.saturating_duration_since(*start + shot.at));
        }
    }

    /// Returns the latencies by phase, without the warm-up.
    pub fn latencies(&self) -> Vec<(String, Report)> {
        let Some(Marks { schedule, reports, .. }) = self.marks.take() else { return Vec::new() };
        let of = |(phase, report): (&Phase, Report)| {
            (phase.name.clone(), report.finish(phase.length.max(Duration::from_millis(1)).as_secs_f64()))
        };
        let measured = schedule.phases.iter().zip(reports).filter(|(phase, _)| phase.measured);
        measured.map(of).collect()
    }

    pub fn fail(&self, why: impl Into<String>) {
        add(&self.errors, 1);
        self.first_error.borrow_mut().get_or_insert_with(|| why.into());
    }

    pub fn first_error(&self) -> Option<String> {
        self.first_error.borrow().clone()
    }

    pub fn deliveries(&self) -> u64 {
        self.events.get() + self.states.get()
    }

    /// Whatever the protocol promises never happens.
    pub fn broken(&self) -> u64 {
        self.gaps.get() + self.duplicates.get() + self.overlaps.get() + self.states_back.get()
    }

    pub fn json(&self) -> Value {
        json!({
            "events": self.events.get(), "states": self.states.get(), "deflated": self.deflated.get(), "gaps": self.gaps.get(),
            "duplicates": self.duplicates.get(), "overlaps": self.overlaps.get(), "states_back": self.states_back.get(),
            "recovered": self.recovered.get(), "snapshots": self.snapshots.get(), "missed": self.missed.get(), "lost": self.lost.get(),
            "errors": self.errors.get(), "first_error": self.first_error(),
        })
    }
}
