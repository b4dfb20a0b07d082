//! Opens a log and starts its threads.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::{
    DiskLog, LogOptions, OpenError, OpenReport, Shared,
    block::Sealer,
    folder::{self, Folder},
    in_flight::InFlight,
    journal,
    news::News,
    queue::{GROUP_PART_OF_JOURNAL, Queue},
    reader::Remembered,
    recover, sealing, steps, upgrade, verifier, watchdog, window,
    worker::Worker,
    writer::{Filling, Writer},
};
use crate::events::{sequence::Sequence, tail::Tail};

impl DiskLog {
    /// Opens a log, or creates one, and starts its threads.
    ///
    /// # Errors
    /// States in one sentence what is wrong with the folder or where the log is damaged. Nothing acknowledged is ever left out silently.
    pub fn open(options: LogOptions) -> Result<(Self, OpenReport), OpenError> {
        if let Err(error) = folder::survive_file_size_signal() {
            tracing::warn!(%error, "a file size limit would kill the process instead of making the log read-only");
        }
        let folder = Folder::claim(&options.dir)?;
        let mut report = OpenReport { upgraded: upgrade::if_needed(&folder, options.accept_lost_tail)?, ..OpenReport::default() };
        let wish = recover::Wish {
            folder: &folder,
            journal_bytes: options.journal_bytes.max(journal::JOURNAL_BYTES_MIN),
            acknowledged: options.acknowledged,
            accept_lost_tail: options.accept_lost_tail,
            spares: &options.spares,
        };
        let found = recover::open(&wish, &mut report)?;
        report.head = found.index.mark.position;
        if !report.upgraded
            && report.lost_tail.is_none()
            && let Err(error) = upgrade::forget_old(&folder, &found.storage.segments())
        {
            tracing::warn!(%error, "the files of the log's old layout stay");
        }
        let log = Self::start(folder, found, &options).map_err(|error| OpenError::Storage(error.to_string()))?;
        Ok((log, report))
    }

    fn start(folder: Folder, found: recover::Found, options: &LogOptions) -> std::io::Result<Self> {
        let recover::Found { storage, index, log, active_at, heads_bytes, heads_at } = found;
        let (mark, chain, active) = (index.mark, index.chain, storage.journals.active());
        let shared = Arc::new(Shared {
            storage,
            log,
            index: RwLock::new(index),
            tail: Tail::default(),
            committed: AtomicU64::new(mark.position.0),
            head: watch::Sender::new(mark.position),
            news: News::default(),
            in_flight: InFlight::default(),
            steps: RwLock::new(steps::read(folder.path())),
            fault: OnceLock::new(),
            is_stuck: AtomicBool::new(false),
            groups: AtomicU64::new(0),
            events: AtomicU64::new(0),
            folder,
        });
        shared.news.tell(mark.position);
        let group_bytes = usize::try_from(options.journal_bytes.max(journal::JOURNAL_BYTES_MIN) / GROUP_PART_OF_JOURNAL);
        let queue = Arc::new(Queue::new(options.queue_max, group_bytes.unwrap_or(usize::MAX)));
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            clock: Arc::clone(&options.clock),
            durability: options.durability,
            sequence: Sequence::after(mark),
            sealer: Sealer::after(chain)?,
            filling: Filling::default(),
            active,
            at: active_at,
            durable: mark.position,
            unsynced_since: None,
            is_settled: false,
        };
        let sealing = sealing::Sealing { shared: Arc::clone(&shared), heads_at, heads_bytes, bytes_since: 0 };
        let (keeper, watched, verified) = (Arc::clone(&shared), (Arc::clone(&shared), Arc::clone(&queue)), Arc::clone(&shared));
        let rate = options.verify_bytes_per_second;
        let threads = vec![
            Worker::start("log-writer", move || writer.run())?,
            Worker::start("log-sealing", move || sealing.run())?,
            Worker::start("log-window", move || window::keeper::run(&keeper))?,
            Worker::start("log-verifier", move || verifier::run(&verified, rate))?,
            Worker::start("log-watchdog", move || watchdog::run(&watched.0, &watched.1))?,
        ];
        Ok(Self { shared, queue, remembered: Remembered::default(), threads: Mutex::new(threads), durability: options.durability })
    }
}
