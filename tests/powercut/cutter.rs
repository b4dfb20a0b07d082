//! Cuts the power of a file system: from that moment nothing more reaches the disk, neither data nor its journal.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`. A process of its own, because the crate allows no unsafe code.
const SCRIPT: &str = "
import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
if sys.stdin.buffer.read(1):
    fcntl.ioctl(disk, 0x8004587D, struct.pack('I', 2))
    print('cut', flush=True)
";

/// Waits for the signal, so that the cut comes at once.
pub struct Cutter {
    helper: Child,
    told: BufReader<ChildStdout>,
}

impl Cutter {
    /// Starts the helper and waits until it is ready.
    pub fn arm(disk: &Path) -> Result<Self, String> {
        let mut command = Command::new("python3");
        command.args(["-I", "-c", SCRIPT]).arg(disk).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut helper = command.spawn().map_err(|error| format!("python3: {error}"))?;
        let told = BufReader::new(helper.stdout.take().expect("it is piped"));
        let mut cutter = Self { helper, told };
        cutter.hear("ready")?;
        Ok(cutter)
    }

    /// Cuts the power now. What was acknowledged before this returns may count on the disk.
    pub fn cut(mut self) -> Result<(), String> {
        self.helper.stdin.take().expect("it is piped").write_all(b"!").map_err(|error| error.to_string())?;
        self.hear("cut")
    }

    /// Cuts the power after this time.
    pub fn cut_after(self, time: Duration) {
        wait(time);
        self.cut().unwrap();
    }

    fn hear(&mut self, word: &str) -> Result<(), String> {
        let mut line = String::new();
        let heard = self.told.read_line(&mut line).map_err(|error| error.to_string());
        if heard.is_ok() && line.trim() == word {
            return Ok(());
        }
        let mut said = String::new();
        let _ = self.helper.stderr.take().expect("it is piped").read_to_string(&mut said);
        Err(format!("the power cannot be cut here: {}", said.trim().lines().last().unwrap_or(&line)))
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        // It holds the disk open, which could not be unmounted then.
        let _ = self.helper.kill();
        let _ = self.helper.wait();
    }
}

/// Waits for a random moment. No test waits for anything else in this way.
pub fn wait(time: Duration) {
    let moment = Instant::now() + time;
    while let Some(left) = moment.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
