//! One thread's work: take a job, send it, answer it. A busy server is asked again after the time it names.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde_json::Value;

use crate::import::{ImportError, Intent, Place};

/// How often a busy server (429, 503) is asked again before the import gives up.
const TRIES_MAX: u32 = 20;
/// The longest answer to a bulk request that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// One request to send.
pub(super) enum Job {
    Command { place: Place, rows: u64, path: String, body: String },
    Prices { places: Vec<Place>, body: String },
}

/// What became of one command: whether it changed anything, or why it was refused.
pub(super) struct Answer {
    pub place: Place,
    pub rows: u64,
    pub outcome: Result<bool, String>,
}

impl Job {
    /// Any command goes to the entity's own command route.
    pub(super) fn command(place: Place, rows: u64, intent: &Intent) -> Self {
        let body = match intent {
            Intent::Store(_, command) => serde_json::to_string(command),
            Intent::Household(_, command) => serde_json::to_string(command),
            Intent::Product(_, command) => serde_json::to_string(command),
            Intent::Order(_, command) => serde_json::to_string(command),
            Intent::List(_, command) => serde_json::to_string(command),
        };
        let stream = intent.stream();
        let path = format!("/api/v1/{}s/{}/commands", stream.kind().as_str(), stream.id());
        Self::Command { place, rows, path, body: body.expect("this holds because commands are plain data") }
    }
}

/// The server, as each thread knows it. Connections are shared and kept.
#[derive(Clone)]
pub(super) struct Server {
    url: Arc<str>,
    authorization: Option<Arc<str>>,
    agent: ureq::Agent,
}

impl Server {
    pub(super) fn new(url: &str, admin_token: Option<&str>) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).max_idle_connections_per_host(2 * super::THREADS).build();
        Self {
            url: url.trim_end_matches('/').into(),
            authorization: admin_token.map(|token| format!("Bearer {token}").into()),
            agent: agent.into(),
        }
    }

    /// Fails early when there is no server.
    pub(super) fn greet(&self) -> Result<(), ImportError> {
        let answer = self.agent.get(format!("{}/healthz", self.url)).call().map_err(|error| self.failed(error))?;
        if answer.status().is_success() { Ok(()) } else { Err(self.failed(format!("GET /healthz is answered {}", answer.status()))) }
    }

    /// Works until there are no more jobs, or nobody listens.
    pub(super) fn work(&self, jobs: &Mutex<mpsc::Receiver<Job>>, answers: &mpsc::Sender<Result<Vec<Answer>, ImportError>>) {
        loop {
            let taken = jobs.lock().recv();
            let Ok(job) = taken else { return };
            if answers.send(self.perform(job)).is_err() {
                return;
            }
        }
    }

    fn perform(&self, job: Job) -> Result<Vec<Answer>, ImportError> {
        match job {
            Job::Command { place, rows, path, body } => {
                let (status, said) = self.post(&path, "application/json", &body)?;
                let said: Value = serde_json::from_str(&said).unwrap_or(Value::String(said));
                match status {
                    200..=299 => Ok(vec![Answer { place, rows, outcome: outcome(&said) }]),
                    400 | 404 | 409 | 413 | 422 => Ok(vec![Answer { place, rows, outcome: Err(reason(&said)) }]),
                    _ => Err(self.failed(format!("POST {path} is answered {status}: {}", reason(&said)))),
                }
            }
            Job::Prices { places, body } => {
                let (status, said) = self.post("/api/v1/prices", "application/x-ndjson", &body)?;
                if !(200..300).contains(&status) {
                    return Err(self.failed(format!("POST /api/v1/prices is answered {status}: {said}")));
                }
                self.answers(places, &said)
            }
        }
    }

    /// A line of the answer for each line of the request, in the same order.
    fn answers(&self, places: Vec<Place>, said: &str) -> Result<Vec<Answer>, ImportError> {
        let lines: Vec<Value> = said.lines().filter(|line| !line.is_empty()).filter_map(|line| serde_json::from_str(line).ok()).collect();
        if lines.len() < places.len() {
            return Err(self.failed(format!("only {} of {} prices were answered: {}", lines.len(), places.len(), last_line(said))));
        }
        Ok(places.into_iter().zip(&lines).map(|(place, line)| Answer { place, rows: 1, outcome: outcome(line) }).collect())
    }

    fn post(&self, path: &str, content_type: &str, body: &str) -> Result<(u16, String), ImportError> {
        for _ in 0..TRIES_MAX {
            let mut request = self.agent.post(format!("{}{path}", self.url)).header("content-type", content_type);
            if let Some(authorization) = &self.authorization {
                request = request.header("authorization", &**authorization);
            }
            let mut answer = request.send(body).map_err(|error| self.failed(error))?;
            let retry_after = answer.headers().get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
            let said = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(|error| self.failed(error))?;
            match answer.status().as_u16() {
                429 | 503 => rest(Duration::from_secs(retry_after.unwrap_or(1))),
                status => return Ok((status, said)),
            }
        }
        Err(self.failed(format!("POST {path}: the server stayed busy for {TRIES_MAX} tries")))
    }

    fn failed(&self, reason: impl std::fmt::Display) -> ImportError {
        ImportError::Server { url: self.url.to_string(), reason: reason.to_string() }
    }
}

/// Waits as long as the server asked for.
fn rest(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

fn outcome(said: &Value) -> Result<bool, String> {
    match said["outcome"].as_str() {
        Some("applied" | "merged") => Ok(true),
        Some("unchanged") => Ok(false),
        _ => Err(reason(said)),
    }
}

/// The reason of a problem, wherever the answer keeps it.
fn reason(said: &Value) -> String {
    let problem = if said["error"].is_object() { &said["error"] } else { said };
    match (problem["code"].as_str(), problem["detail"].as_str()) {
        (Some(code), Some(detail)) => format!("{code}: {detail}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => said.to_string(),
    }
}

fn last_line(said: &str) -> &str {
    said.lines().last().unwrap_or_default()
}
