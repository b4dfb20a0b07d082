//! The thread that reads every segment again and again, slowly: what rots on the disk is found while a copy of it may still be whole. A damaged
//! segment is written anew from its own blocks or taken from a copy, and named where neither is possible.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;

use super::{
    Shared,
    recover::copies,
    segment::{Filling, Segment, SegmentFile, blocks_despite_index},
    storage::Storage,
};
use crate::{
    disk::{self, Pace},
    events::Position,
};

/// A pass over all segments begins so long after the last one began, at the earliest.
const PASS_EVERY: Duration = Duration::from_hours(1);
/// How often it looks whether a reader has found something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Everybody else goes first.
const NICE: i32 = 19;

/// Segments that a reader could not read, and those that are damaged for good.
#[derive(Debug, Default)]
pub struct Suspects {
    waiting: Mutex<Vec<Position>>,
    damaged: Mutex<BTreeMap<Position, String>>,
    progress: Mutex<Verification>,
}

/// How far verification has come.
#[derive(Debug, Default, Clone)]
pub struct Verification {
    /// Of the pass under way.
    pub segments_checked: usize,
    pub segments: usize,
    /// When the last full pass ended.
    pub last_pass: Option<SystemTime>,
    /// What is damaged and could not be mended.
    pub damaged: Vec<String>,
}

impl Suspects {
    /// A reader could not read the segment that begins there.
    pub fn add(&self, first: Position) {
        let mut waiting = self.waiting.lock();
        if !waiting.contains(&first) {
            waiting.push(first);
        }
    }

    /// How far verification has come, and what it has found.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let damaged = self.damaged.lock().values().cloned().collect();
        Verification { damaged, ..self.progress.lock().clone() }
    }
}

/// Checks segments until the log closes; none where the rate is zero, but for those that readers name.
pub fn run(shared: &Arc<Shared>, bytes_per_second: u64, spares: &[PathBuf]) {
    let _ = rustix::process::nice(NICE);
    let (mut next, mut pass_began) = (0, Instant::now());
    loop {
        let (storage, mut rest) = (&shared.storage, LOOK_EVERY);
        let named = std::mem::take(&mut *storage.suspects.waiting.lock());
        for segment in storage.segments().iter().filter(|segment| named.contains(&segment.head.first)) {
            check(storage, segment, spares);
        }
        let segments = storage.segments();
        let is_resting = next == 0 && storage.suspects.progress.lock().last_pass.is_some() && pass_began.elapsed() < PASS_EVERY;
        if bytes_per_second > 0 && !is_resting && !segments.is_empty() {
            if next == 0 {
                pass_began = Instant::now();
            }
            check(storage, &segments[next], spares);
            rest = Duration::from_secs_f64(to_float(segments[next].head.file_bytes()) / to_float(bytes_per_second));
            next = if next + 1 < segments.len() { next + 1 } else { 0 };
            note_progress(&storage.suspects, next, segments.len());
        }
        if shared.news.pause(rest) {
            return;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no file or rate comes near 2^52 bytes")]
fn to_float(bytes: u64) -> f64 {
    bytes as f64
}

fn note_progress(suspects: &Suspects, next: usize, segments: usize) {
    let mut progress = suspects.progress.lock();
    progress.segments = segments;
    progress.segments_checked = if next == 0 { segments } else { next };
    if next == 0 {
        progress.last_pass = Some(SystemTime::now());
        let seconds = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        metrics::gauge!("aisled_log_verified_at_seconds").set(seconds);
    }
    metrics::gauge!("aisled_log_verified_segments").set(to_float(progress.segments_checked as u64));
    metrics::gauge!("aisled_log_segments").set(to_float(segments as u64));
}

/// Reads one segment; mends it if it is damaged, or notes that it is.
pub fn check(storage: &Storage, segment: &SegmentFile, spares: &[PathBuf]) {
    let found = Segment::read(&segment.path).map(|read| read.head == segment.head);
    let reason = match found {
        Ok(true) => {
            storage.suspects.damaged.lock().remove(&segment.head.first);
            return note_damaged(storage);
        }
        Ok(false) => "it is another segment by now".to_owned(),
        Err(error) => error.to_string(),
    };
    let reason = format!("{}: {reason}", segment.path.display());
    match mend(segment, spares) {
        Some(how) => {
            storage.reopen(segment);
            storage.suspects.damaged.lock().remove(&segment.head.first);
            tracing::warn!(reason, how, "mended a segment of the log");
            metrics::counter!("aisled_log_mended_total").increment(1);
        }
        None if storage.suspects.damaged.lock().insert(segment.head.first, reason.clone()).is_none() => {
            tracing::error!(reason, "a segment of the log is damaged and no copy of it is whole; see docs/durability.md");
        }
        None => {}
    }
    note_damaged(storage);
}

fn note_damaged(storage: &Storage) {
    metrics::gauge!("aisled_log_damaged_segments").set(to_float(storage.suspects.damaged.lock().len() as u64));
}

/// Puts a whole file in the place of a damaged one; the damaged one is kept beside it. Says how.
fn mend(segment: &SegmentFile, spares: &[PathBuf]) -> Option<String> {
    if let Some((head, blocks)) = blocks_despite_index(&segment.path).filter(|(head, _)| *head == segment.head) {
        let mut filling = Filling::after(Position(head.first.0 - 1), head.chain_before);
        blocks.iter().try_for_each(|block| filling.add(block)).ok()?;
        let again = filling.write(segment.path.parent()?, Pace::Gently).ok()?;
        return (again == head).then(|| "its index was made anew from its blocks".to_owned());
    }
    let copy = copies(spares, |copy| copy.head == segment.head).next()?;
    disk::set_aside(&segment.path).ok()?;
    disk::link_all([copy.path.as_path()], segment.path.parent()?).ok()?;
    Some(format!("it was taken from {}", copy.path.display()))
}
