//! The bounded queue in front of the writer. A caller that may not wait is refused when it is full; the writer takes all waiting jobs at
//! once.

use std::{collections::VecDeque, time::Duration};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;

use crate::events::{Append, AppendError, Appended, heads::StreamKey};

/// Appends that may wait, unless the options set another number. Beyond it `append` answers `Overloaded` and `append_blocking` waits.
pub const QUEUED_APPENDS_MAX: usize = 8_192;
/// Bytes of waiting appends, so that large orders cannot fill the memory. Beyond it the same happens.
const QUEUED_BYTES_MAX: usize = 32 << 20;
/// Events of one group: keeps a group's time, and so the next one's wait, short.
const GROUP_EVENTS_MAX: usize = 8_192;
/// Part of a journal that the appends of one group may fill, uncompressed: a group never spans two journals.
pub const GROUP_PART_OF_JOURNAL: u64 = 4;

/// When the last group had this many appends, others are likely on their way: the writer waits for them a little.
/// A lone writer never waits.
const GATHER_SIBLINGS_MIN: usize = 8;
/// This many waiting appends are worth writing at once.
const GATHER_ENOUGH: usize = 48;
/// The wait continues in slices of this length, as long as each brings another append.
const GATHER_SLICE: Duration = Duration::from_micros(100);
/// The slices of one wait. Every group costs its sync and the wake-ups around it, however small it is, so larger groups leave more for the
/// commands themselves.
const GATHER_SLICES_MAX: usize = 6;

/// An append with its events already encoded, so that the writer's thread has little left to do.
pub struct Job {
    pub append: Append,
    pub key: StreamKey,
    /// The events' bodies one after the other.
    pub bodies: Vec<u8>,
    /// The end of each body.
    pub ends: Vec<usize>,
    pub answer: oneshot::Sender<Result<Appended, AppendError>>,
}

/// Why a job was not queued.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Full,
    Closed,
}

/// How a wait for jobs ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    Jobs,
    TimedOut,
    /// Closed, and nothing is left.
    Closed,
}

/// First in, first out, bounded by number and bytes.
pub struct Queue {
    appends_max: usize,
    group_bytes_max: usize,
    waiting: Mutex<Waiting>,
    filled: Condvar,
    emptied: Condvar,
    /// Only `close` notifies it: gathering is a wait that an arrival must not end.
    gathering: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
    /// Appends of the last group.
    last_group: usize,
}

impl Waiting {
    fn is_full(&self, appends_max: usize) -> bool {
        self.jobs.len() >= appends_max || self.bytes >= QUEUED_BYTES_MAX
    }
}

impl Queue {
    /// An empty queue with room for this many appends, handed out in groups of at most this many bytes, but at least one append.
    pub fn new(appends_max: usize, group_bytes_max: usize) -> Self {
        Self {
            appends_max,
            group_bytes_max,
            waiting: Mutex::default(),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            gathering: Condvar::new(),
        }
    }

    /// How many appends may wait.
    pub fn appends_max(&self) -> usize {
        self.appends_max
    }

    /// Adds a job, or refuses it at once.
    pub fn try_push(&self, job: Job) -> Result<(), Refused> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(Refused::Closed);
        }
        if waiting.is_full(self.appends_max) {
            return Err(Refused::Full);
        }
        self.put(&mut waiting, job);
        Ok(())
    }

    /// Adds a job as soon as there is room. Refuses it only if the queue is closed.
    pub fn push(&self, job: Job) -> Result<(), Refused> {
        let mut waiting = self.waiting.lock();
        self.emptied.wait_while(&mut waiting, |waiting| waiting.is_full(self.appends_max) && !waiting.closed);
        if waiting.closed {
            return Err(Refused::Closed);
        }
        self.put(&mut waiting, job);
        Ok(())
    }

    fn put(&self, waiting: &mut Waiting, job: Job) {
        waiting.bytes += job.bodies.len();
        waiting.jobs.push_back(job);
        self.filled.notify_one();
    }

    /// Waits for jobs, at most this long, and moves one group of them to `group`.
    pub fn take(&self, group: &mut Vec<Job>, timeout: Option<Duration>) -> Taken {
        let mut waiting = self.waiting.lock();
        let is_idle = |waiting: &mut Waiting| waiting.jobs.is_empty() && !waiting.closed;
        match timeout {
            None => self.filled.wait_while(&mut waiting, is_idle),
            Some(timeout) => {
                if self.filled.wait_while_for(&mut waiting, is_idle, timeout).timed_out() {
                    return Taken::TimedOut;
                }
            }
        }
        self.gather(&mut waiting);
        let (mut events, mut bytes) = (0, 0);
        while events < GROUP_EVENTS_MAX
            && let Some(job) = waiting.jobs.pop_front_if(|job| bytes == 0 || bytes + job.bodies.len() <= self.group_bytes_max)
        {
            events += job.ends.len();
            bytes += job.bodies.len();
            waiting.bytes -= job.bodies.len();
            group.push(job);
        }
        waiting.last_group = group.len();
        self.emptied.notify_all();
        if group.is_empty() { Taken::Closed } else { Taken::Jobs }
    }

    /// Lets further appends arrive, as long as they do.
    fn gather(&self, waiting: &mut MutexGuard<'_, Waiting>) {
        for _ in 0..GATHER_SLICES_MAX {
            let came = waiting.jobs.len();
            if waiting.last_group < GATHER_SIBLINGS_MIN || came >= GATHER_ENOUGH || waiting.closed {
                return;
            }
            self.gathering.wait_for(waiting, GATHER_SLICE);
            if waiting.jobs.len() == came {
                return;
            }
        }
    }

    /// Refuses further jobs; waiting ones are still handed out.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
        self.gathering.notify_all();
    }

    /// Whether it refuses further jobs.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    /// How many appends wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.lock().jobs.len()
    }
}
