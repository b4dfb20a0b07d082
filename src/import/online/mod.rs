//! Commands to a running server: one request per command from several threads, prices as NDJSON in bulk.
//! Entities that orders and prices refer to are registered and acknowledged before those are sent.

mod worker;

use std::{sync::mpsc, thread::JoinHandle};

use super::{ImportError, Intent, Report, Sink, SourceLine, chosen::key_of};
use crate::domain::{ProductId, product::PriceSeen, product::ProductCommand};
use worker::{Answers, Job, Refused, Server};

/// Sending threads: enough to fill the server's group commits, few enough to be polite.
const THREADS: usize = 32;
/// Requests under way or waiting; beyond it answers are awaited first.
const REQUESTS_OPEN_MAX: usize = 4 * THREADS;
/// Price lines of one bulk request. One request follows another, so that prices arrive in the order of the source.
/// Few enough that the answers fit the socket's buffers even if all are refused: they are read after the last line is sent.
const PRICES_PER_REQUEST: usize = 500;

/// Sends commands to a server.
pub struct HttpSink {
    /// One for each thread: an entity's commands all go to the same one, so that they arrive in their order.
    jobs: Vec<mpsc::Sender<Job>>,
    answers: mpsc::Receiver<Result<Answers, ImportError>>,
    workers: Vec<JoinHandle<()>>,
    /// Requests that are not answered yet.
    open: usize,
    prices: PriceLines,
}

/// Price lines gathered for one request.
#[derive(Default)]
struct PriceLines {
    places: Vec<SourceLine>,
    lines: Vec<String>,
}

impl HttpSink {
    /// Starts the threads that send.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn new(url: &str, admin_token: Option<&str>) -> Result<Self, ImportError> {
        let server = Server::new(url, admin_token);
        server.greet()?;
        let (answer, answers) = mpsc::channel();
        let start = |_| {
            let (jobs, taken) = mpsc::channel();
            let (server, answer) = (server.clone(), answer.clone());
            (jobs, std::thread::spawn(move || server.work(&taken, &answer)))
        };
        let (jobs, workers) = (0..THREADS).map(start).unzip();
        Ok(Self { jobs, answers, workers, open: 0, prices: PriceLines::default() })
    }

    fn send(&mut self, thread: usize, job: Job, report: &mut Report) -> Result<(), ImportError> {
        self.settle(REQUESTS_OPEN_MAX - 1, report)?;
        self.jobs[thread % THREADS].send(job).expect("this holds because the workers end only when jobs do");
        self.open += 1;
        Ok(())
    }

    fn send_prices(&mut self, report: &mut Report) -> Result<(), ImportError> {
        if self.prices.places.is_empty() {
            return Ok(());
        }
        self.settle(0, report)?;
        let PriceLines { places, lines } = std::mem::take(&mut self.prices);
        self.send(0, Job::Prices { places, lines }, report)
    }

    /// Takes answers until at most this many requests are open.
    fn settle(&mut self, open_max: usize, report: &mut Report) -> Result<(), ImportError> {
        while self.open > open_max {
            let answers = self.answers.recv().expect("this holds because workers answer every job");
            self.open -= 1;
            let Answers { applied, unchanged, refused } = answers?;
            report.tally.events_appended += applied;
            report.tally.unchanged += unchanged;
            for Refused { place, rows, store, reason } in refused {
                report.refused(&place, rows, store, &reason)?;
            }
        }
        Ok(())
    }
}

impl Sink for HttpSink {
    fn take(&mut self, place: SourceLine, rows: u64, intent: Intent, report: &mut Report) -> Result<(), ImportError> {
        if let Intent::Product(product, ProductCommand::ObservePrice(seen)) = &intent {
            self.prices.push(place, product, seen);
            return if self.prices.places.len() >= PRICES_PER_REQUEST { self.send_prices(report) } else { Ok(()) };
        }
        let thread = usize::try_from(key_of(intent.stream()) % THREADS as u64).expect("this holds because threads are few");
        self.send(thread, Job::command(place, rows, &intent), report)
    }

    fn finish(&mut self, report: &mut Report) -> Result<(), ImportError> {
        self.send_prices(report)?;
        self.settle(0, report)
    }

    fn abandon(&mut self, report: &mut Report) {
        for answers in self.answers.iter().take(self.open) {
            report.tally.events_appended += answers.map_or(0, |answers| answers.applied);
        }
        self.open = 0;
    }
}

impl Drop for HttpSink {
    fn drop(&mut self) {
        self.jobs.clear();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl PriceLines {
    fn push(&mut self, place: SourceLine, product: &ProductId, seen: &PriceSeen) {
        let mut line = serde_json::to_value(seen).expect("this holds because a price is plain data");
        line["product"] = product.as_str().into();
        self.lines.push(line.to_string());
        self.places.push(place);
    }
}
