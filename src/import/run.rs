//! Runs an import: one thread parses, this one decides, the log's own writes. Channels between them are bounded.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{ImportError, Intent, Item, Items, Opened, Report, SourceLine, SourceName};

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
    pub seconds: f64,
    pub rows_per_second: u64,
}

/// Imports everything a source yields.
///
/// # Errors
/// When the source, the sink or the report fails; what was recorded until then stays, and a second run continues.
pub fn run(
    source: SourceName,
    opened: Opened,
    sink: &mut dyn Sink,
    report: &mut Report,
    bar: &ProgressBar,
) -> Result<Summary, ImportError> {
    let started = Instant::now();
    bar.set_length(opened.bytes_total);
    pump(opened.items, &opened.bytes_read, sink, report, bar)?;
    sink.finish(report)?;
    bar.finish_and_clear();
    report.finish()?;
    let (tally, seconds) = (report.tally.clone(), started.elapsed().as_secs_f64());
    Ok(Summary {
        source: source.as_str(),
        rows_read: tally.rows_read,
        events_appended: tally.events_appended,
        unchanged: tally.unchanged,
        refused: tally.refused,
        warnings: tally.warnings,
        seconds: (seconds * 1000.0).round() / 1000.0,
        rows_per_second: rate(tally.rows_read, seconds),
    })
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
    thread::scope(|scope| {
        scope.spawn(move || parse(items, &sender));
        for batch in receiver {
            for item in batch {
                decide(item?, sink, report)?;
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

fn decide(item: Item, sink: &mut dyn Sink, report: &mut Report) -> Result<(), ImportError> {
    report.tally.rows_read += item.rows;
    for warning in &item.warnings {
        report.warning(&item.place, warning)?;
    }
    match item.intent {
        Ok(intent) => sink.take(item.place, item.rows, intent, report),
        Err(reason) => report.refused(&item.place, item.rows, &reason),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rate to show, no money")]
fn rate(rows: u64, seconds: f64) -> u64 {
    (rows as f64 / seconds.max(0.001)) as u64
}
