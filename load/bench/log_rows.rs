//! Rows measured on the log itself, through the library: append, scan, and the writing of a large log.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use aisled::{
    events::{Append, Log, Pending, Position},
    log::{DiskLog, Durability, LogOptions},
};
use anyhow::{Result, ensure};

use super::{Bench, RUNS, synthetic::Synthetic, table::Budget::AtLeast};
use crate::measure::median;

/// How long each append run takes.
const APPENDING: Duration = Duration::from_secs(2);
/// Appends under way while a large log is written.
const GENERATING: usize = 8_192;

/// Row 4: single-event commands, so many under way that the writer finds groups of about the wanted size.
pub fn append(bench: &mut Bench) -> Result<()> {
    for (group, must, aim) in [(64, 150e3, 190e3), (1_024, 400e3, 550e3)] {
        let runs = (0..RUNS).map(|run| append_run(&bench.folder(&format!("append-{group}-{run}")), group)).collect::<Result<Vec<_>>>()?;
        let (rate, found) = median(runs, |run| run.0).unwrap_or_default();
        bench.table.figure(4, format!("log append, fdatasync, groups of {found:.0} events"), rate, "events/s", AtLeast { must, aim });
    }
    Ok(())
}

/// Events per second, and the mean size of the groups that the writer made.
fn append_run(folder: &Path, group: usize) -> Result<(f64, f64)> {
    let log = open(folder, Durability::Sync)?;
    let (mut window, mut synthetic) = (Window::new(&log, 2 * group), Synthetic::new());
    let (begin, mut appended) = (Instant::now(), 0_u64);
    while begin.elapsed() < APPENDING {
        for _ in 0..group {
            window.push(synthetic.next())?;
        }
        appended += group as u64;
    }
    window.drain()?;
    let rate = appended as f64 / begin.elapsed().as_secs_f64();
    let stats = log.stats();
    log.close()?;
    Ok((rate, stats.events as f64 / stats.groups.max(1) as f64))
}

/// Row 5, first half: events per second of a scan that checks every block and decodes no event.
pub fn scan(data: &Path) -> Result<f64> {
    let log = open(&log_folder(data), Durability::Sync)?;
    let (begin, mut events, mut bytes) = (Instant::now(), 0_u64, 0_u64);
    log.scan_raw(Position::START, &mut |_, event| {
        events += 1;
        bytes += event.len() as u64;
        ControlFlow::Continue(())
    })?;
    ensure!(bytes > 0, "the log is empty");
    Ok(events as f64 / begin.elapsed().as_secs_f64())
}

/// Writes a log of so many events into a data folder.
pub fn generate(data: &Path, events: u64) -> Result<()> {
    let log = open_for_writing(data)?;
    let (mut window, mut synthetic) = (Window::new(&log, GENERATING), Synthetic::new());
    for _ in 0..events {
        window.push(synthetic.next())?;
    }
    window.drain()?;
    Ok(log.close()?)
}

/// The log of a data folder, to fill it.
pub fn open_for_writing(data: &Path) -> Result<DiskLog> {
    open(&log_folder(data), Durability::Flush)
}

/// Where a server keeps its log within its data folder.
fn log_folder(data: &Path) -> std::path::PathBuf {
    data.join("log")
}

fn open(folder: &Path, durability: Durability) -> Result<DiskLog> {
    let (log, _) = DiskLog::open(LogOptions { durability, ..LogOptions::new(folder) })?;
    Ok(log)
}

/// A bounded number of appends under way, awaited in order.
pub struct Window<'a> {
    log: &'a DiskLog,
    pending: VecDeque<Pending>,
    pending_max: usize,
}

impl<'a> Window<'a> {
    pub fn new(log: &'a DiskLog, pending_max: usize) -> Self {
        Self { log, pending: VecDeque::with_capacity(pending_max), pending_max }
    }

    pub fn push(&mut self, append: Append) -> Result<()> {
        if self.pending.len() == self.pending_max
            && let Some(oldest) = self.pending.pop_front()
        {
            oldest.wait()?;
        }
        self.pending.push_back(self.log.append_blocking(append));
        Ok(())
    }

    pub fn drain(&mut self) -> Result<()> {
        self.pending.drain(..).try_for_each(|pending| pending.wait().map(drop))?;
        Ok(())
    }
}
