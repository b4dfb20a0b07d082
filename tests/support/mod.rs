//! Drives the real binary from outside: its own port, its own data folder, and a client. Ends only what it started.
#![allow(dead_code, unused_imports, reason = "each test file uses the part it needs")]

mod client;
pub mod conform;
mod days;
mod live;
pub mod log_files;
pub mod old_folder;
pub mod process;
mod random;

pub use client::{Answer, Client};
pub use days::days_ago;
pub use live::Live;
pub use process::{Exited, Server};
#[allow(unused_imports, reason = "each test file uses the part it needs")]
pub use random::Random;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up: generous, because a shared machine can be slow.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Time between two looks at a condition.
const POLL_EVERY: Duration = Duration::from_millis(2);

/// A running server with a folder of its own. Dropping it kills the server and removes the folder.
pub struct TestApp {
    server: Option<Server>,
    client: Client,
    arguments: Vec<String>,
    data: PathBuf,
    /// None if the caller owns the folder.
    _folder: Option<Arc<TempDir>>,
}

impl TestApp {
    /// Starts a server on an empty folder.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server on an empty folder, with more arguments of `serve`.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    /// Starts a server on an empty folder, with more arguments of `serve` and more of its environment set.
    pub fn start_in(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let started = Self::start_on(folder.path(), arguments, environment);
        let app = started.unwrap_or_else(|exited| panic!("the server did not start: {exited:?}"));
        Self { _folder: Some(folder), ..app }
    }

    /// Starts a server on an empty folder that can write no file beyond this many bytes, as on a full disk, or returns how it ended.
    pub fn try_start_with_files_of_at_most(bytes: u64) -> Result<Self, Exited> {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        let data = folder.path().join("data");
        let mut command = process::clean(Command::new("bash"));
        let limited = format!("ulimit -f {}; exec \"$0\" serve --listen 127.0.0.1:0 --data \"$@\"", bytes / 1_024);
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_aisled")]).arg(&data);
        let snapshots = folder.path().join("snapshots").display().to_string();
        let arguments: Vec<_> = ["--snapshots", &snapshots, "--self-restore-every-minutes", "0"].map(str::to_owned).into();
        let server = Server::start_command({
            command.args(&arguments);
            command
        })?;
        let client = Client::new(server.url());
        Ok(Self { server: Some(server), client, arguments, data, _folder: Some(folder) })
    }

    /// Starts a server on the caller's folder, with more of its environment set, or returns how it ended.
    pub fn start_on(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self, Exited> {
        let data = folder.join("data");
        let snapshots = folder.join("snapshots").display().to_string();
        let arguments: Vec<_> = ["--snapshots", &snapshots].iter().chain(arguments).map(|&argument| argument.to_owned()).collect();
        let server = Server::start_in(&data, &arguments, environment)?;
        let client = Client::new(server.url());
        Ok(Self { server: Some(server), client, arguments, data, _folder: None })
    }

    /// Where the server keeps its data.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where the server keeps its snapshots.
    pub fn snapshots(&self) -> PathBuf {
        self.data.with_file_name("snapshots")
    }

    /// The client, whose address changes when the server is started again.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The process itself.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// Kills the server as a power cut of the process would (`kill -9`).
    pub fn kill(&mut self) {
        self.server.take().expect("the server runs").kill();
    }

    /// Asks the server to stop (SIGTERM) and waits; its exit code, `None` if a signal ended it.
    pub fn stop(&mut self) -> Option<i32> {
        self.server.take().expect("the server runs").stop().code
    }

    /// Asks the server to stop (SIGTERM) and waits; how it ended.
    pub fn stop_and_tell(&mut self) -> Exited {
        self.server.take().expect("the server runs").stop()
    }

    /// Starts the server again on the same folder.
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|exited| panic!("the server did not start again: {exited:?}"));
    }

    /// Kills the server and starts it again.
    pub fn restart_after_kill(&mut self) {
        self.kill();
        self.restart();
    }

    /// Starts the server again on the same folder, this once with more of its environment set.
    pub fn restart_in(&mut self, environment: &[(&str, &str)]) {
        self.start_again(environment).unwrap_or_else(|exited| panic!("the server did not start again: {exited:?}"));
    }

    /// Starts the server again on the same folder, this once with more arguments of `serve`.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        let own = self.arguments.clone();
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self.restart();
        self.arguments = own;
    }

    /// Waits until the server ends by itself.
    pub fn wait(&mut self) -> Exited {
        self.server.take().expect("the server runs").wait()
    }

    /// Starts the server again on the same folder, or returns how it ended.
    pub fn try_restart(&mut self) -> Result<(), Exited> {
        self.start_again(&[])
    }

    fn start_again(&mut self, environment: &[(&str, &str)]) -> Result<(), Exited> {
        let server = Server::start_in(&self.data, &self.arguments, environment)?;
        self.client = Client::new(server.url());
        self.server = Some(server);
        Ok(())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.client.get(path)
    }

    /// Gets by numbers of the history that is served now, for tests that count positions over a restore.
    pub fn get_of_served(&self, path: &str) -> Answer {
        let epoch = self.get("/readyz").header("x-aisled-epoch").expect("the owner learns the epoch").to_owned();
        self.client.get_with(path, &[("x-aisled-epoch", &epoch)])
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.client.post(path, body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.client.patch(path, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.client.delete(path)
    }

    /// Opens a WebSocket.
    pub fn live(&self) -> Live {
        Live::connect(self.server().url())
    }

    /// Runs another command of the binary on this server's folder, such as `verify`.
    pub fn run(&self, command: &[&str]) -> Exited {
        run_on(&self.data, command)
    }
}

/// Runs a command of the binary on a folder and waits for its end.
pub fn run_on(data: &Path, command: &[&str]) -> Exited {
    let mut arguments: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    arguments.extend(["--data".to_owned(), data.display().to_string()]);
    process::run(&arguments)
}

/// Polls until there is an answer, or panics with what was awaited.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        // Waits a moment, so that the processes that it waits for have the cores.
        thread::park_timeout(POLL_EVERY);
    }
}
