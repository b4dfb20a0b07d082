//! The server as a child process: started, watched through its output, ended by its id.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use super::PATIENCE;

/// A server that reported that it listens.
pub struct Server {
    child: Child,
    url: String,
    /// Lines of standard output; closed when the process ends.
    lines: mpsc::Receiver<String>,
    errors: Arc<Mutex<String>>,
    /// Reads standard error to its end.
    error_reader: Option<thread::JoinHandle<()>>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Exited {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Exited {
    /// Itself, if the command succeeded; else the test fails with its output.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The JSON line a command ends with.
    pub fn summary(&self) -> serde_json::Value {
        let line = self.stdout.lines().rev().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("no JSON line: {self:?}"));
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Its whole output, for a test that searches it.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

impl Server {
    /// Starts `serve` on a free port and waits until it listens, or returns how it ended.
    pub fn start(data: &Path, arguments: &[String]) -> Result<Self, Exited> {
        Self::start_in(data, arguments, &[])
    }

    /// Like `start`, with more of its environment set.
    pub fn start_in(data: &Path, arguments: &[String], environment: &[(&str, &str)]) -> Result<Self, Exited> {
        let mut command = binary();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments).envs(environment.iter().copied());
        Self::start_command(command)
    }

    /// Like `start`, from a command that a test has prepared, such as one under a file size limit.
    pub fn start_command(mut command: Command) -> Result<Self, Exited> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let lines = lines_of(child.stdout.take().expect("stdout is piped"));
        let (errors, error_reader) = text_of(child.stderr.take().expect("stderr is piped"));
        let mut server = Self { child, url: String::new(), lines, errors, error_reader: Some(error_reader) };
        let mut said = String::new();
        loop {
            match server.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(at) = line.find("listening on http://") {
                        server.url =
                            line[at + "listening on ".len()..].split_whitespace().next().unwrap_or_default().trim_end_matches('/').into();
                        return Ok(server);
                    }
                    said.push_str(&line);
                    said.push('\n');
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(server.end(said)),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("neither listening nor ended: {said}\n{}", server.stderr()),
            }
        }
    }

    /// The address it listens on, such as `http://127.0.0.1:4711`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for a line on standard output that has a text in it; lines before it are gone.
    pub fn line_with(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line with {text:?}: {}", self.stderr()));
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        self.errors.lock().expect("no reader panics").clone()
    }

    pub fn kill(mut self) -> Exited {
        let _ = self.child.kill();
        self.end(String::new())
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(mut self) -> Exited {
        let status = Command::new("kill").args(["-TERM", &self.id().to_string()]).status().expect("kill runs");
        assert!(status.success(), "the server had ended before: {}", self.stderr());
        self.end(String::new())
    }

    /// Waits for the end by itself.
    pub fn wait(mut self) -> Exited {
        self.end(String::new())
    }

    fn end(&mut self, mut stdout: String) -> Exited {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    stdout.push_str(&line);
                    stdout.push('\n');
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the server does not end: {}", self.stderr()),
            }
        }
        let status = self.child.wait().expect("it can be waited for");
        if let Some(reader) = self.error_reader.take() {
            reader.join().expect("no reader panics");
        }
        Exited { code: status.code(), signal: status.signal(), stdout, stderr: self.stderr() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("-- the server at {} said:\n{}", self.url, self.stderr());
        }
    }
}

/// The binary under test, without the settings of the test's environment.
pub fn binary() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_aisled")))
}

/// Removes the settings of the test's environment from a command.
pub fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AISLED_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1");
    command
}

/// Runs a command that must succeed, and returns what it says.
pub fn succeeds(command: &mut Command) -> String {
    let ended = command.output().expect("it starts");
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}");
    said
}

/// Runs the binary to its end.
pub fn run(arguments: &[String]) -> Exited {
    let output = binary().args(arguments).stdin(Stdio::null()).output().expect("the binary runs");
    Exited {
        code: output.status.code(),
        signal: output.status.signal(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Reads lines on a thread, so that the child never blocks on a full pipe.
fn lines_of(from: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn text_of(from: impl Read + Send + 'static) -> (Arc<Mutex<String>>, thread::JoinHandle<()>) {
    let text = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&text);
    let reader = thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut kept = kept.lock().expect("no reader panics");
            kept.push_str(&line);
            kept.push('\n');
        }
    });
    (text, reader)
}
