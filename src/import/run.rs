//! Runs an import: one thread parses, this one decides, the log's own writes. Channels between them are bounded.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{ImportError, Intent, Item, Items, Opened, Reason, Report, SourceLine, SourceName, Stage, Tally, report::FileTally};

/// Items passed from the parser to the decider at once.
const BATCH_ITEMS: usize = 512;
/// Batches that may wait for the decider; the parser waits beyond it.
const BATCHES_WAITING_MAX: usize = 8;

/// Where commands go. It reports refusals and counts answers, some of them later than `take`.
pub trait Sink {
    /// Accepts one command.
    ///
    /// # Errors
    /// When the import cannot continue.
    fn take(&mut self, place: SourceLine, rows: u64, intent: Intent, report: &mut Report) -> Result<(), ImportError>;

    /// Waits until everything accepted is answered.
    ///
    /// # Errors
    /// When something was not recorded.
    fn finish(&mut self, report: &mut Report) -> Result<(), ImportError>;

    /// After an error: counts what was recorded of all that is under way.
    fn abandon(&mut self, report: &mut Report);
}

/// How an import ended.
pub struct Ran {
    pub summary: Summary,
    /// Why it did not come to its end. What the summary counts was recorded and stays; a second run continues.
    pub failed: Option<ImportError>,
}

/// The last line of an import's output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub source: &'static str,
    pub rows_read: u64,
    pub events_appended: u64,
    pub unchanged: u64,
    pub refused: u64,
    pub warnings: u64,
    pub refused_by_reason: BTreeMap<String, u64>,
    pub warnings_by_reason: BTreeMap<String, u64>,
    pub files: BTreeMap<Arc<str>, FileTally>,
    /// What the folder holds besides.
    pub files_ignored: Vec<String>,
    /// It did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    pub seconds: f64,
    pub rows_per_second: u64,
}

/// Imports everything a source yields.
pub fn run(source: SourceName, opened: Opened, sink: &mut dyn Sink, report: &mut Report, bar: &ProgressBar) -> Ran {
    let started = Instant::now();
    bar.set_length(opened.bytes_total);
    let Opened { items, files, files_ignored, bytes_read, .. } = opened;
    files.iter().for_each(|about| report.read(&SourceLine { file: about.file.clone(), line: 1 }, 0));
    let ended = pump(items, &bytes_read, sink, report, bar).and_then(|()| sink.finish(report));
    if ended.is_err() {
        sink.abandon(report);
    }
    bar.finish_and_clear();
    let failed = report.finish().and(ended).err();
    Ran { summary: Summary::of(source, &report.tally, files_ignored, failed.as_ref(), started.elapsed().as_secs_f64()), failed }
}

impl Summary {
    fn of(source: SourceName, tally: &Tally, files_ignored: Vec<String>, failed: Option<&ImportError>, seconds: f64) -> Self {
        let tally = tally.clone();
        Self {
            source: source.as_str(),
            rows_read: tally.rows_read,
            events_appended: tally.events_appended,
            unchanged: tally.unchanged,
            refused: tally.refused,
            warnings: tally.warnings,
            refused_by_reason: tally.refused_by_reason,
            warnings_by_reason: tally.warnings_by_reason,
            files: tally.files,
            files_ignored,
            failed: failed.map(ToString::to_string),
            seconds: (seconds * 1000.0).round() / 1000.0,
            rows_per_second: rate(tally.rows_read, seconds),
        }
    }
}

/// A bar over the bytes of the source's files; shown only on a terminal.
///
/// # Panics
/// Never: the template is a constant.
pub fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg} {elapsed} (about {eta} left)");
    ProgressBar::new(0).with_style(style.expect("this holds because the template is well formed"))
}

fn pump(items: Items, bytes_read: &AtomicU64, sink: &mut dyn Sink, report: &mut Report, bar: &ProgressBar) -> Result<(), ImportError> {
    let (sender, receiver) = mpsc::sync_channel(BATCHES_WAITING_MAX);
    let mut stage = Stage::Stores;
    thread::scope(|scope| {
        scope.spawn(move || parse(items, &sender));
        for batch in receiver {
            for item in batch {
                decide(item?, &mut stage, sink, report)?;
            }
            bar.set_position(bytes_read.load(Ordering::Relaxed));
            bar.set_message(format!("{} rows, {} refused", report.tally.rows_read, report.tally.refused));
        }
        Ok(())
    })
}

/// Ends early when the receiver is gone.
fn parse(mut items: Items, sender: &mpsc::SyncSender<Vec<Result<Item, ImportError>>>) {
    loop {
        let batch: Vec<_> = items.by_ref().take(BATCH_ITEMS).collect();
        if batch.is_empty() || sender.send(batch).is_err() {
            return;
        }
    }
}

fn decide(item: Item, stage: &mut Stage, sink: &mut dyn Sink, report: &mut Report) -> Result<(), ImportError> {
    report.read(&item.place, item.rows);
    for warning in &item.warnings {
        report.warning(&item.place, warning)?;
    }
    let Some(intent) = (match item.intent {
        Ok(intent) => intent,
        Err(reason) => return report.refused(&item.place, item.rows, None, &reason),
    }) else {
        return Ok(());
    };
    if std::mem::replace(stage, intent.stage()) != intent.stage() {
        // Now it is known what was refused of all that rows may refer to.
        sink.finish(report)?;
    }
    if let Some(store) = item.needs.iter().find(|store| report.is_refused(store)) {
        let reason = Reason::new("store_refused", format!("store {} was refused, and its rows with it", store.id()));
        return report.refused(&item.place, item.rows, None, &reason);
    }
    sink.take(item.place, item.rows, intent, report)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rate to show, no money")]
fn rate(rows: u64, seconds: f64) -> u64 {
    (rows as f64 / seconds.max(0.001)) as u64
}
