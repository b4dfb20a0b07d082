//! Snapshots without a server: of any history, damaged in any byte, interrupted and resumed.

mod damage;
mod laws;
mod resume;

use std::path::Path;

use super::{About, Manifest, Progress, Snapshot, SnapshotFolder, ViewsProof, create};
use crate::{
    domain::Moment,
    events::{Append, Log, Position, contract::fill_from},
    log::{DiskLog, LogOptions},
    projections::{Views, testing::TestLog},
};

/// A log and a folder of snapshots, with everything needed to restore.
struct Scene {
    dir: tempfile::TempDir,
    log: DiskLog,
    folder: SnapshotFolder,
}

impl Scene {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = LogOptions { journal_bytes: 4 << 10, ..LogOptions::new(dir.path().join("log")) };
        let (log, _) = DiskLog::open(options).unwrap();
        let folder = SnapshotFolder::new(&dir.path().join("snapshots"));
        Self { dir, log, folder }
    }

    /// One with this many barely compressible events, in small blocks.
    fn filled(events: u64) -> Self {
        let place = Self::new();
        place.fill(0, events);
        place
    }

    fn fill(&self, version: u64, events: u64) {
        let ends = version + events;
        for from in (version..ends).step_by(20) {
            fill_from(&self.log, "weekly", from, (ends - from).min(20));
        }
        self.log.settle();
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A snapshot of everything, with the digests of a fold.
    fn snapshot(&self) -> Manifest {
        let views = digests_of(&fold(&self.log, self.log.head()));
        let about = About {
            at: Moment(1_795_000_000_000_000),
            by: "ann".into(),
            scheduled: false,
            epoch: "e".into(),
            views: Some(ViewsProof { version: Views::VERSION, digests: views }),
            people: Some(b"sealed accounts".to_vec()),
            pace: crate::disk::Pace::AtOnce,
        };
        let claim = self.folder.claim().unwrap();
        create(&self.log, self.log.chain(), &self.folder, &claim, about, &Progress::default()).unwrap()
    }

    fn open(&self, manifest: &Manifest) -> Snapshot {
        self.folder.open(&manifest.name).unwrap()
    }
}

/// The views of a log's first events, folded from scratch.
fn fold(log: &DiskLog, upto: Position) -> Views {
    let mut views = Views::default();
    let events = usize::try_from(upto.0).unwrap();
    log.read(Position::START, events).unwrap().iter().for_each(|recorded| drop(views.apply(recorded)));
    views
}

fn digests_of(views: &Views) -> std::collections::BTreeMap<String, String> {
    views.digests().into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect()
}

/// This many events of one command are the last of their block.
const SIDE_BY_SIDE: usize = 4;

/// Records a history; adjacent events of one stream are one command, and so share a block.
fn record(log: &DiskLog, history: &TestLog) {
    let mut pending = Vec::new();
    for run in history.events.chunk_by(|one, next| one.stream == next.stream) {
        let first = &run[0];
        pending.push(log.append_blocking(Append {
            stream: first.stream.clone(),
            expected_version: first.version - 1,
            who: first.who.clone(),
            by: first.by.clone(),
            command: None,
            client: None,
            events: run.iter().map(|recorded| recorded.event.clone()).collect(),
        }));
        if run.len() >= SIDE_BY_SIDE {
            pending.drain(..).for_each(|pending: crate::events::log::Pending| drop(pending.wait().unwrap()));
        }
    }
    pending.into_iter().for_each(|pending| drop(pending.wait().unwrap()));
}
