//! The thread that reads every segment again and again, slowly: bit rot is found while a copy may still be whole. A damaged
//! segment is rewritten from its own blocks or taken from a copy, and reported where neither is possible.

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

/// The least time between the starts of two passes over all segments.
const PASS_EVERY: Duration = Duration::from_hours(1);
/// How often it looks for something to check.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Other work goes first.
const NICE: i32 = 19;

/// The segments that cannot be repaired, and the progress of verification.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Only one thread repairs a file at a time.
    mending: Mutex<()>,
    damaged: Mutex<BTreeMap<Position, String>>,
    progress: Mutex<Verification>,
}

/// The progress of verification.
#[derive(Debug, Default, Clone)]
pub struct Verification {
    /// Of the pass under way.
    pub segments_checked: usize,
    pub segments: usize,
    /// When the last full pass ended.
    pub last_pass: Option<SystemTime>,
    /// What is damaged and could not be repaired.
    pub damaged: Vec<String>,
}

impl Suspects {
    /// The progress of verification, and its findings.
    #[must_use]
    pub fn verification(&self) -> Verification {
        let damaged = self.damaged.lock().values().cloned().collect();
        Verification { damaged, ..self.progress.lock().clone() }
    }
}

/// Checks segments until the log closes; none where the rate is zero.
pub fn run(shared: &Arc<Shared>, bytes_per_second: u64) {
    let _ = rustix::process::nice(NICE);
    let (mut next, mut pass_began) = (0, Instant::now());
    loop {
        let (storage, mut rest) = (&shared.storage, LOOK_EVERY);
        let segments = storage.segments();
        let is_resting = next == 0 && storage.suspects.progress.lock().last_pass.is_some() && pass_began.elapsed() < PASS_EVERY;
        if bytes_per_second > 0 && !is_resting && !segments.is_empty() {
            if next == 0 {
                pass_began = Instant::now();
            }
            check(storage, &segments[next]);
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

/// Whether a reader that found a fault in a segment may read it again: it is whole after all, or was just repaired. One that is known
/// to be beyond repair is not checked at every read.
pub fn check_for_reader(storage: &Storage, segment: &SegmentFile) -> bool {
    !storage.suspects.damaged.lock().contains_key(&segment.head.first) && check(storage, segment)
}

/// Reads one segment; repairs it if damaged, or records the damage. Returns whether it is whole now.
pub fn check(storage: &Storage, segment: &SegmentFile) -> bool {
    let _alone = storage.suspects.mending.lock();
    let reason = match Segment::read(&segment.path) {
        Ok(found) if found.head == segment.head => None,
        Ok(_) => Some("the segment was replaced in the meantime".to_owned()),
        Err(error) => Some(error.to_string()),
    };
    let reason = reason.map(|reason| format!("{}: {reason}", segment.path.display()));
    let unmended = reason.filter(|reason| !is_mended(storage, segment, reason));
    let is_whole = unmended.is_none();
    let mut damaged = storage.suspects.damaged.lock();
    match unmended {
        None => drop(damaged.remove(&segment.head.first)),
        Some(reason) => {
            if damaged.insert(segment.head.first, reason.clone()).is_none() {
                tracing::error!(reason, "a segment of the log is damaged and no intact copy exists; see docs/durability.md");
            }
        }
    }
    metrics::gauge!("aisled_log_damaged_segments").set(to_float(damaged.len() as u64));
    is_whole
}

fn is_mended(storage: &Storage, segment: &SegmentFile, reason: &str) -> bool {
    let Some(how) = mend(storage, segment) else { return false };
    tracing::warn!(reason, how, "repaired a segment of the log");
    metrics::counter!("aisled_log_mended_total").increment(1);
    true
}

/// Replaces a damaged file with a whole one; the damaged one is kept next to it. Returns how.
pub fn mend(storage: &Storage, segment: &SegmentFile) -> Option<String> {
    let how = mend_file(segment, storage.spares())?;
    storage.reopen(segment);
    Some(how)
}

fn mend_file(segment: &SegmentFile, spares: &[PathBuf]) -> Option<String> {
    if let Some((head, blocks)) = blocks_despite_index(&segment.path).filter(|(head, _)| *head == segment.head) {
        let mut filling = Filling::after(Position(head.first.0 - 1), head.chain_before);
        blocks.iter().try_for_each(|block| filling.add(block)).ok()?;
        let again = filling.write(segment.path.parent()?, Pace::Gently).ok()?;
        return (again == head).then(|| "its index was rebuilt from its blocks".to_owned());
    }
    let copy = copies(spares, |copy| copy.head == segment.head).next()?;
    disk::put_in_place(&copy.path, &segment.path).ok()?;
    Some(format!("it was replaced with {}", copy.path.display()))
}
