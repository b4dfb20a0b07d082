//! A server on a disk whose power can be cut, and what its clients know of it.

use std::{
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::{
    cutter::Cutter,
    disk::Disk,
    known::Known,
    support::{Exited, Random, TestApp, process},
};

/// Nothing is done by schedule: what happens is what the test does.
const ARGUMENTS: [&str; 4] = ["--snapshot-every-minutes", "0", "--self-restore-every-minutes", "0"];
/// Journals are full every few commands, so that sealing is always near.
const ENVIRONMENT: [(&str, &str); 1] = [("AISLED_TEST_JOURNAL_BYTES", "65536")];

pub struct Machine {
    // Before the disk, so that the server is gone when that is unmounted.
    app: Option<TestApp>,
    pub disk: Disk,
    pub random: Random,
    pub known: Known,
    /// Numbers what clients make, so that names are new.
    pub round: u64,
    pub cuts: u64,
    /// The duration of the interrupted work, once measured.
    pub longest: Option<Duration>,
    /// Commands acknowledged on disks that were formatted since.
    acknowledged_before: usize,
}

impl Machine {
    /// A machine with an empty disk.
    pub fn new(seed: u64) -> Self {
        let disk = Disk::new().unwrap();
        Self { app: None, disk, random: Random(seed), known: Known::default(), round: 0, cuts: 0, longest: None, acknowledged_before: 0 }
    }

    /// An empty disk again, without any known commands. The server does not run.
    pub fn format(&mut self) {
        self.disk = Disk::new().unwrap();
        self.acknowledged_before += std::mem::take(&mut self.known).acknowledged();
    }

    /// Commands acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged_before + self.known.acknowledged()
    }

    /// Starts the server, which must come up, whatever was cut before.
    pub fn boot(&mut self) -> Duration {
        let begun = Instant::now();
        self.app = Some(self.start().unwrap_or_else(|exited| panic!("the server does not start after {} cuts: {exited:?}", self.cuts)));
        begun.elapsed()
    }

    fn start(&self) -> Result<TestApp, Exited> {
        TestApp::start_on(&self.disk.root(), &ARGUMENTS, &ENVIRONMENT)
    }

    /// The server that runs.
    pub fn app(&self) -> &TestApp {
        self.app.as_ref().expect("the server runs")
    }

    /// What the clients know, and the server to find it in.
    pub fn known_and_app(&mut self) -> (&mut Known, &TestApp) {
        (&mut self.known, self.app.as_ref().expect("the server runs"))
    }

    /// A moment up to this, drawn evenly.
    pub fn moment(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.random.below(u64::try_from(longest.as_micros()).unwrap_or(u64::MAX) + 1))
    }

    /// Cuts the power after this time, and ends the server, which has no disk any more. Connections break then.
    pub fn cut_after(&mut self, cutter: Cutter, time: Duration) {
        cutter.cut_after(time);
        self.cuts += 1;
        self.kill();
    }

    /// Ends the server with -9.
    pub fn kill(&mut self) {
        self.app.take().expect("the server runs").kill();
    }

    /// The power is back: the server starts, and everything known is found again.
    pub fn recover(&mut self) {
        self.disk.remount();
        self.boot();
        let (known, app) = self.known_and_app();
        known.check(app);
        known.settle(app);
    }

    /// Ends the server, at random in order or not, and verifies the folder.
    pub fn end(&mut self) {
        if self.random.below(2) == 0 {
            self.kill();
        } else {
            assert_eq!(self.app.take().expect("the server runs").stop(), Some(0), "a clean stop ends with 0");
        }
        let verified = crate::support::run_on(&self.disk.root().join("data"), &["verify"]);
        assert_eq!(verified.code, Some(0), "verify finds fault after {} cuts: {}", self.cuts, verified.said());
    }

    /// Starts the server and waits for nothing.
    pub fn begin_start(&self) -> Starting {
        let root = self.disk.root();
        let mut command = process::binary();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(root.join("data")).arg("--snapshots").arg(root.join("snapshots"));
        command.args(ARGUMENTS).envs(ENVIRONMENT).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Starting(command.spawn().unwrap())
    }
}

/// A server that may not come far: killed with -9 when it is dropped.
pub struct Starting(Child);

impl Drop for Starting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
