//! A recorded session of a log, and what must remain of it whenever the power fails.

use std::{collections::BTreeSet, thread};

use super::{
    model::Disk,
    recorder::{Change, Recorder},
    states::Dice,
    *,
};
use crate::events::Recorded;

pub fn power_options(dir: &Path) -> LogOptions {
    LogOptions { durability: Durability::Sync, ..options(dir) }
}

/// A state is made from the disk that is kept before it.
const DISK_EVERY: usize = 32;

/// A recorded session: what the disk held before, each step, and what it had to achieve.
pub struct Session {
    pub name: &'static str,
    /// The disk before the first step, and after each batch of steps.
    disks: Vec<Disk>,
    pub changes: Vec<Change>,
    /// From which step on the log must reach at least this position.
    pub acknowledged: Vec<(usize, u64)>,
    /// All that was ever recorded.
    pub events: Vec<Arc<Recorded>>,
    /// Where commands end.
    pub ends: BTreeSet<u64>,
}

impl Session {
    /// Of what the disk held before, and what was done to it.
    pub fn new(
        name: &'static str,
        before: Disk,
        changes: Vec<Change>,
        acknowledged: Vec<(usize, u64)>,
        events: Vec<Arc<Recorded>>,
    ) -> Self {
        let ends = acknowledged.iter().map(|(_, position)| *position).collect();
        let mut disks = vec![before];
        for some in changes.chunks(DISK_EVERY) {
            let mut disk = disks[disks.len() - 1].clone();
            some.iter().for_each(|change| disk.take(change));
            disks.push(disk);
        }
        Self { name, disks, changes, acknowledged, events, ends }
    }

    /// What must be there after a power loss at a number of steps.
    pub fn acknowledged_at(&self, step: usize) -> u64 {
        self.acknowledged.iter().filter(|(from, _)| *from <= step).map(|(_, position)| *position).max().unwrap_or_default()
    }

    /// The disk after a number of steps.
    pub fn disk_at(&self, step: usize) -> Disk {
        let (known, mut disk) = (step / DISK_EVERY, self.disks[step / DISK_EVERY].clone());
        self.changes[known * DISK_EVERY..step].iter().for_each(|change| disk.take(change));
        disk
    }

    /// Whether a log holds what it must: no fewer events than were acknowledged, none that was not recorded, no half command.
    pub fn check(&self, log: &DiskLog, step: usize) -> Result<(), String> {
        let (head, acknowledged) = (log.head().0, self.acknowledged_at(step));
        if head < acknowledged {
            return Err(format!("it ends at {head}, but everything up to {acknowledged} was acknowledged"));
        }
        if head != 0 && !self.ends.contains(&head) {
            return Err(format!("it ends at {head}, in the middle of a command"));
        }
        let mut wrong = None;
        let report = verify_chain(log, &mut |event| {
            if self.events.get(usize::try_from(event.position.0 - 1).unwrap()).is_none_or(|known| **known != event) {
                wrong = wrong.or(Some(event.position));
            }
        });
        let report = report.map_err(|error| error.to_string())?;
        if let Some(position) = wrong {
            return Err(format!("the event at {position} is not the one that was recorded there"));
        }
        if report.is_well() { Ok(()) } else { Err(format!("{:?}", report.problems)) }
    }
}

/// Records a session that opens a log, works with it from several threads, and closes it or not.
pub fn record(name: &'static str, dir: &Path, known: u64, ends: &BTreeSet<u64>, appends: usize, close: bool) -> Session {
    record_with(power_options(dir), name, dir, known, ends, appends, close)
}

pub fn record_with(
    options: LogOptions,
    name: &'static str,
    dir: &Path,
    known: u64,
    ends: &BTreeSet<u64>,
    appends: usize,
    close: bool,
) -> Session {
    let (before, survives) = (Disk::with(dir), options.durability == Durability::Sync);
    let ((acknowledged, of_work, events), changes) = Recorder::record(dir, |recorder| {
        let (log, _) = DiskLog::open(options).unwrap();
        let mut acknowledged = vec![(0, known), (recorder.steps(), log.head().0)];
        let of_work = work(&log, appends, recorder);
        let events = log.read(Position::START, usize::MAX).unwrap();
        if close {
            log.close().unwrap();
        }
        if close || survives {
            acknowledged.push((recorder.steps(), log.head().0));
        }
        (acknowledged, of_work, events)
    });
    let ends: BTreeSet<u64> = of_work.iter().map(|(_, position)| *position).chain(ends.iter().copied()).collect();
    let acknowledged = if survives { [acknowledged, of_work].concat() } else { acknowledged };
    let mut session = Session::new(name, before, changes, acknowledged, events);
    session.ends.extend(ends);
    session
}

/// Appends commands of one to nine events and of many sizes from three threads. Returns the end of each and when it was known.
fn work(log: &DiskLog, appends: usize, recorder: &Recorder) -> Vec<(usize, u64)> {
    let one = |thread: usize| {
        let (id, mut dice, mut acknowledged) = (format!("thread-{thread}"), Dice(thread as u64), Vec::new());
        let mut version = log.stream_head(&stream(&id)).map_or(0, |head| head.version);
        for _ in 0..appends {
            let count = if dice.roll(3) == 0 { 1 + dice.roll(9) } else { 1 };
            let texts: Vec<String> = (0..count).map(|_| noise(&mut dice)).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let last = log.append_blocking(append(&id, version, &texts)).wait().unwrap().last().unwrap().position.0;
            acknowledged.push((recorder.steps(), last));
            version += count as u64;
        }
        acknowledged
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|thread| scope.spawn(move || one(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// A text that does not shrink when compressed.
fn noise(dice: &mut Dice) -> String {
    let length = [10, 40, 200, 700][dice.roll(4)] + dice.roll(40);
    (0..length).map(|_| char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[dice.roll(64)])).collect()
}
