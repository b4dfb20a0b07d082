//! One thread's work: take a job, send it, answer it. A busy server is retried after the time it names.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    client::Client,
    domain::StreamId,
    import::{ImportError, Intent, Reason, SourceLine},
};

/// How often a busy server (429, 503) is retried before the import gives up.
const TRIES_MAX: u32 = 20;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// One request to send.
pub(super) enum Job {
    Command {
        place: SourceLine,
        rows: u64,
        store: Option<StreamId>,
        path: String,
        body: String,
    },
    /// The places of the body's lines.
    Prices {
        places: Vec<SourceLine>,
        lines: Vec<String>,
    },
}

/// The results of one request's commands.
#[derive(Default)]
pub(super) struct Answers {
    pub applied: u64,
    pub unchanged: u64,
    pub refused: Vec<Refused>,
}

/// One refused command.
pub(super) struct Refused {
    pub place: SourceLine,
    pub rows: u64,
    /// If it was a store.
    pub store: Option<StreamId>,
    pub reason: Reason,
}

impl Job {
    /// Any command goes to the entity's own command route.
    pub(super) fn command(place: SourceLine, rows: u64, intent: &Intent) -> Self {
        let stream = intent.stream();
        let path = format!("/api/v1/{}s/{}/commands", stream.kind().as_str(), stream.id());
        Self::Command { place, rows, store: intent.store(), path, body: intent.command().to_string() }
    }
}

/// The server as each thread knows it. Connections are shared and kept open.
#[derive(Clone)]
pub(super) struct Server(Client);

impl Server {
    pub(super) fn new(url: &str, admin_token: Option<&str>) -> Self {
        Self(Client::new(url, admin_token))
    }

    /// Fails early when there is no server.
    pub(super) fn greet(&self) -> Result<(), ImportError> {
        let answer = self.0.get("/healthz").call().map_err(|error| self.failed(error))?;
        if answer.status().is_success() { Ok(()) } else { Err(self.failed(format!("GET /healthz returned {}", answer.status()))) }
    }

    /// Runs until there are no more jobs, or no receiver.
    pub(super) fn work(&self, jobs: &mpsc::Receiver<Job>, answers: &mpsc::Sender<Result<Answers, ImportError>>) {
        for job in jobs {
            if answers.send(self.perform(job)).is_err() {
                return;
            }
        }
    }

    fn perform(&self, job: Job) -> Result<Answers, ImportError> {
        match job {
            Job::Command { place, rows, store, path, body } => self.command((place, rows, store), &path, &body),
            Job::Prices { places, lines } => self.prices(&places, &lines),
        }
    }

    fn command(&self, (place, rows, store): (SourceLine, u64, Option<StreamId>), path: &str, body: &str) -> Result<Answers, ImportError> {
        let (status, said) = self.post(path, "application/json", body)?;
        let said: Value = serde_json::from_str(&said).unwrap_or(Value::String(said));
        let mut answers = Answers::default();
        match (status, said["outcome"].as_str()) {
            (200..=299, Some("unchanged")) => answers.unchanged = 1,
            (200..=299, Some(_)) => answers.applied = 1,
            (400 | 404 | 409 | 413 | 422, _) => answers.refused.push(Refused { place, rows, store, reason: reason(&said) }),
            _ => return Err(self.failed(format!("POST {path} returned {status}: {}", reason(&said)))),
        }
        Ok(answers)
    }

    /// Sends lines until each is decided: a busy server may ask for some of them again.
    fn prices(&self, places: &[SourceLine], lines: &[String]) -> Result<Answers, ImportError> {
        let mut answers = Answers::default();
        let mut left: Vec<usize> = (0..lines.len()).collect();
        for _ in 0..TRIES_MAX {
            let body: String = left.iter().flat_map(|index| [lines[*index].as_str(), "\n"]).collect();
            let (status, said) = self.post("/api/v1/prices?answers=refused", "application/x-ndjson", &body)?;
            if !(200..300).contains(&status) {
                return Err(self.failed(format!("POST /api/v1/prices returned {status}: {said}")));
            }
            left = self.take(&said, &left, places, &mut answers)?;
            if left.is_empty() {
                return Ok(answers);
            }
            rest(Duration::from_secs(1));
        }
        Err(self.failed(format!("{} prices were put off {TRIES_MAX} times", left.len())))
    }

    /// Reads the answers to the lines sent; returns those to send again.
    fn take(&self, said: &str, sent: &[usize], places: &[SourceLine], answers: &mut Answers) -> Result<Vec<usize>, ImportError> {
        let mut again = Vec::new();
        for text in said.lines().filter(|line| !line.is_empty()) {
            let answer: Value = serde_json::from_str(text).map_err(|error| self.failed(format!("{error}: {text}")))?;
            let index = answer["line"].as_u64().and_then(|line| sent.get(usize::try_from(line).ok()?.checked_sub(1)?));
            match index {
                Some(index) if answer["temporary"] == true => again.push(*index),
                Some(index) => {
                    answers.refused.push(Refused { place: places[*index].clone(), rows: 1, store: None, reason: reason(&answer) });
                }
                None if answer["lines"].as_u64() == Some(sent.len() as u64) => {
                    answers.applied += answer["applied"].as_u64().unwrap_or_default();
                    answers.unchanged += answer["unchanged"].as_u64().unwrap_or_default();
                    return Ok(again);
                }
                None => return Err(self.failed(format!("the response to {} prices is malformed: {text}", sent.len()))),
            }
        }
        Err(self.failed(format!("the response to {} prices ended early", sent.len())))
    }

    fn post(&self, path: &str, content_type: &str, body: &str) -> Result<(u16, String), ImportError> {
        for _ in 0..TRIES_MAX {
            let mut answer = self.0.post(path).content_type(content_type).send(body).map_err(|error| self.failed(error))?;
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
        ImportError::Server { url: self.0.url().to_owned(), reason: reason.to_string() }
    }
}

/// Waits as long as the server asked.
fn rest(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}

/// The reason of a problem or of a refused line.
fn reason(said: &Value) -> Reason {
    let code = said["code"].as_str().or_else(|| said["error"].as_str());
    match (code, said["detail"].as_str()) {
        (Some(code), detail) => Reason::new(code.to_owned(), detail.unwrap_or_default()),
        (None, Some(text)) => Reason::new("refused", text),
        (None, None) => Reason::new("refused", said.to_string()),
    }
}
