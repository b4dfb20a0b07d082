//! The log through the library: the one place of the load generator that names its type.

use std::{
    collections::VecDeque,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aisled::{
    disk::Pace,
    domain::Moment,
    events::{
        Append, Clock, Log, Pending, Position, SystemClock,
        codec::{Author, write_body, write_opening},
    },
    log::{
        DiskLog, Durability, LogOptions,
        block::{CHAIN_START, RAW_BYTES_TARGET, Sealer, push_event},
    },
    snapshots::{self, About, Progress, SnapshotFolder},
};
use anyhow::{Result, ensure};

use super::synthetic::Synthetic;

/// Appends under way while a large log is written.
const GENERATING: usize = 8_192;

/// What opening a log took.
pub struct Opened {
    pub log: DiskLog,
    pub taken: Duration,
    pub events_read: u64,
    pub bytes_read: u64,
}

/// Opens the log of a data folder, to measure it.
pub fn open_durable(data: &Path) -> Result<Opened> {
    let begin = Instant::now();
    let (log, report) = DiskLog::open(LogOptions { durability: Durability::Sync, ..LogOptions::new(log_folder(data)) })?;
    Ok(Opened { log, taken: begin.elapsed(), events_read: report.events_read, bytes_read: report.bytes_read })
}

/// The log of a data folder, to fill it.
pub fn open_for_writing(data: &Path) -> Result<DiskLog> {
    let (log, _) = DiskLog::open(LogOptions { durability: Durability::Flush, ..LogOptions::new(log_folder(data)) })?;
    Ok(log)
}

/// Where a server keeps its log within its data folder.
fn log_folder(data: &Path) -> PathBuf {
    data.join("log")
}

/// Events written, and the groups that the writer made of them.
pub fn groups(log: &DiskLog) -> (u64, u64) {
    let stats = log.stats();
    (stats.events, stats.groups)
}

/// Row 5, first half: events per second of a scan that checks every block and decodes no event.
pub fn scan(data: &Path) -> Result<f64> {
    let log = open_durable(data)?.log;
    let (begin, mut events, mut bytes) = (Instant::now(), 0_u64, 0_u64);
    log.scan_raw(Position::START, &mut |_, event| {
        events += 1;
        bytes += event.len() as u64;
        ControlFlow::Continue(())
    })?;
    ensure!(bytes > 0, "the log is empty");
    Ok(events as f64 / begin.elapsed().as_secs_f64())
}

/// Writes a log of this many events into a data folder.
pub fn generate(data: &Path, events: u64) -> Result<()> {
    let (log, mut synthetic) = (open_for_writing(data)?, Synthetic::new());
    write(&log, (0..events).map(|_| synthetic.next()))?;
    Ok(log.close()?)
}

/// Appends all of them, many under way.
pub fn write(log: &dyn Log, mut appends: impl Iterator<Item = Append>) -> Result<()> {
    let mut window = Window::new(log, GENERATING);
    appends.try_for_each(|append| window.push(append))?;
    window.drain()
}

/// How long a snapshot of everything takes, and how many events are in it.
pub fn snapshot(log: &DiskLog, into: &Path) -> Result<(Duration, u64)> {
    let (folder, begin) = (SnapshotFolder::new(into), Instant::now());
    let claim = folder.claim()?;
    let (at, pace) = (SystemClock.now(), Pace::AtOnce);
    let about = About { at, by: "load".into(), scheduled: false, epoch: "load".into(), views: None, people: None, pace };
    let manifest = snapshots::create(log, log.chain(), &folder, &claim, about, &Progress::default())?;
    Ok((begin.elapsed(), manifest.position.0))
}

/// Makes the bytes that a group takes in the log.
pub struct Frames {
    sealer: Sealer,
    raw: Vec<u8>,
    position: u64,
}

impl Frames {
    pub fn new() -> Result<Self> {
        Ok(Self { sealer: Sealer::after(CHAIN_START)?, raw: Vec::new(), position: 0 })
    }

    /// The blocks of a group of commands, one after the other.
    pub fn group(&mut self, appends: impl Iterator<Item = Append>) -> Result<Vec<u8>> {
        let (mut blocks, mut events) = (Vec::new(), 0);
        for append in appends {
            self.push(&append);
            events += 1;
            if self.raw.len() >= RAW_BYTES_TARGET {
                blocks.extend(self.seal(std::mem::take(&mut events))?);
            }
        }
        if events > 0 {
            blocks.extend(self.seal(events)?);
        }
        Ok(blocks)
    }

    fn push(&mut self, append: &Append) {
        let previous = Some(Position(self.position)).filter(|_| append.expected_version > 0);
        let Append { stream, who, by, command, client, .. } = append;
        let author = Author { stream, who, by: by.as_ref(), command: command.as_ref(), client: client.as_ref() };
        self.position += 1;
        push_event(&mut self.raw, |raw| {
            write_opening(raw, previous, Moment(0), &author);
            write_body(raw, append.expected_version + 1, &append.events[0], &author);
        });
    }

    fn seal(&mut self, events: u32) -> Result<Vec<u8>> {
        let first = Position(self.position + 1 - u64::from(events));
        let block = self.sealer.seal(&self.raw, first, events)?;
        self.raw.clear();
        Ok(block)
    }
}

/// A bounded number of appends under way, awaited in order.
pub struct Window<'a> {
    log: &'a dyn Log,
    pending: VecDeque<Pending>,
    pending_max: usize,
}

impl<'a> Window<'a> {
    pub fn new(log: &'a dyn Log, pending_max: usize) -> Self {
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
