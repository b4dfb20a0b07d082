//! A measured server: started on a folder, timed, ended by its id.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

/// How long a server may take to get ready before the row is given up.
const READY_PATIENCE: Duration = Duration::from_mins(3);

/// Limits of sessions that one client machine alone would meet.
const SESSION_LIMITS: [&str; 3] = ["--sessions-max", "--sessions-per-address-max", "--sessions-per-principal-max"];
const SESSIONS_MAX: &str = "20000";

/// A running server.
pub struct Server {
    child: Child,
    /// Host and port.
    pub address: String,
    started: Instant,
}

impl Server {
    /// Starts `serve` and waits for its `listening on` line.
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        Self::start_with(binary, data, &[], None)
    }

    /// Starts it with more flags.
    pub fn start_with_flags(binary: &Path, data: &Path, flags: &[&str]) -> Result<Self> {
        Self::start_with(binary, data, flags, None)
    }

    /// Starts it for many live sessions from one address, each of which presents a token.
    pub fn start_for_sessions(binary: &Path, data: &Path, token: &str) -> Result<Self> {
        Self::start_with(binary, data, &session_flags(binary)?, Some(token))
    }

    /// Starts it behind a proxy on this machine, which names each client's address. The sender of the token is the server's owner.
    pub fn start_behind_proxy(binary: &Path, data: &Path, token: &str) -> Result<Self> {
        Self::start_with(binary, data, &["--trusted-proxies", "127.0.0.1"], Some(token))
    }

    fn start_with(binary: &Path, data: &Path, flags: &[&str], token: Option<&str>) -> Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(flags);
        command.env("AISLED_LOG_FILTER", "warn").envs(token.map(|token| ("AISLED_ADMIN_TOKEN", token)));
        Self::started(&mut command, listening)
    }

    /// Starts the floor on a new file.
    pub fn start_floor(file: &Path) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["floor", "--listen", "127.0.0.1:0", "--file"]).arg(file);
        Self::started(&mut command, listening)
    }

    /// Starts any server and waits for the line with its address.
    pub fn started(command: &mut Command, address_in: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", Path::new(command.get_program()).display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("stdout is piped")?).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| address_in(&line));
        // Its other output must not fill the pipe.
        thread::spawn(move || lines.count());
        let address = address.ok_or_else(|| anyhow!("the server ended before it listened: {:?}", child.wait()))?;
        Ok(Self { child, address, started })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// From the start until the first answer.
    pub fn first_answer(&self) -> Result<Duration> {
        self.get("/healthz")?;
        Ok(self.started.elapsed())
    }

    /// From the start until `/readyz` succeeds.
    pub fn ready(&self) -> Result<Duration> {
        while self.get("/readyz").is_err() {
            ensure!(self.started.elapsed() < READY_PATIENCE, "not ready after {READY_PATIENCE:?}");
            thread::yield_now();
        }
        Ok(self.started.elapsed())
    }

    /// The durability that the server reports.
    pub fn durability(&self) -> Result<String> {
        let ready: Value = serde_json::from_str(&self.get("/readyz")?)?;
        Ok(ready["log"]["durability"].as_str().unwrap_or("unknown").to_owned())
    }

    /// Resident memory in megabytes.
    pub fn resident_mb(&self) -> Result<f64> {
        resident_mb(&self.child.id().to_string())
    }

    /// Asks for a clean stop and waits.
    pub fn stop(mut self) -> Result<Duration> {
        let begin = Instant::now();
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(status.success(), "the server had ended before");
        let status = self.child.wait()?;
        ensure!(status.success(), "the stop was not clean: {status}");
        Ok(begin.elapsed())
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// A plain GET on a connection of its own; an error unless it is answered 200.
    pub fn get(&self, path: &str) -> Result<String> {
        self.ask(path, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"))
    }

    /// A plain POST of JSON; an error unless it is accepted.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(serde_json::from_str(&self.ask(path, &format!("{head}{body}"))?)?)
    }

    fn ask(&self, path: &str, request: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        ensure!(head.starts_with("HTTP/1.1 20"), "{path} was answered {}: {body}", head.lines().next().unwrap_or_default());
        Ok(body.to_owned())
    }
}

/// The address in the line that our own servers print.
fn listening(line: &str) -> Option<String> {
    let address = line.split_once("listening on http://")?.1.trim();
    Some(address.split([' ', '/']).next().unwrap_or_default().to_owned())
}

/// The flags that lift the limits of sessions, as far as the server knows them.
fn session_flags(binary: &Path) -> Result<Vec<&'static str>> {
    let help = Command::new(binary).args(["serve", "--help"]).output().with_context(|| format!("cannot start {}", binary.display()))?;
    let help = String::from_utf8_lossy(&help.stdout);
    let known = SESSION_LIMITS.iter().filter(|flag| help.contains(&format!("{flag} ")));
    Ok(known.flat_map(|flag| [*flag, SESSIONS_MAX]).collect())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs another command of the binary to its end; the JSON line it ends with.
pub fn run(binary: &Path, arguments: &[&str]) -> Result<Value> {
    summary(Command::new(binary).args(arguments))
}

/// As `run`, held to one core where `taskset` is installed.
pub fn run_on_one_core(binary: &Path, arguments: &[&str]) -> Result<Value> {
    let pinned = Command::new("taskset").args(["-c", "0", "true"]).status().is_ok_and(|status| status.success());
    if pinned { summary(Command::new("taskset").args(["-c", "0"]).arg(binary).args(arguments)) } else { run(binary, arguments) }
}

fn summary(command: &mut Command) -> Result<Value> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        // A backtrace may follow the sentence.
        let why = stderr.lines().find(|line| line.starts_with("Error")).or(stderr.lines().last());
        bail!("{command:?} ended with {}: {}", output.status, why.unwrap_or_default());
    }
    let stdout = String::from_utf8_lossy(&output.stdout);
    let line = stdout.lines().rev().find(|line| line.starts_with('{')).with_context(|| format!("no JSON line from {command:?}"))?;
    Ok(serde_json::from_str(line)?)
}

/// Resident memory of a process in megabytes; `self` is this one.
pub fn resident_mb(process: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no figure")?.parse()?;
    Ok(kib * 1_024.0 / 1e6)
}
