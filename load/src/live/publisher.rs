//! Sends publications at their intended times: threads of their own with blocking sockets, so that neither the receivers of this process
//! nor a timer of whole milliseconds delays them. A publication is an HTTP command whose text holds its number after a `#`.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};

use super::schedule::{Schedule, Shot};
use crate::{
    connection,
    measure::Report,
    setup::{NOTED_ITEM, World},
    shapes,
};

/// How long an answer may take.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What is changed, and thus the form of a publication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// A new name of a product: one event, nothing else.
    #[default]
    Product,
    /// A new note of a list's item: an event, and the list's totals as a state.
    List,
}

/// How publications are made.
#[derive(Debug, Clone, Copy)]
pub struct Publications {
    pub subject: Subject,
    /// Length of the text that is written.
    pub payload_bytes: usize,
    /// Threads, each with its own connection: this many publications can be under way.
    pub connections: usize,
}

/// Publications under way.
pub struct Publisher {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Report>>>,
}

impl Subject {
    /// The topic that receives the publications of number `number`.
    pub fn topic(self, world: &World, number: usize) -> String {
        match self {
            Self::Product => format!("product:{}", world.product(number)),
            Self::List => format!("list:{}", world.list(number)),
        }
    }

    /// Makes what is changed.
    pub async fn make(self, world: &World, count: usize) -> Result<()> {
        match self {
            Self::Product => world.make(count, |world, n, request| shapes::register_product(request, &world.product(n))).await,
            Self::List => world.make_plain_lists(count).await,
        }
    }

    /// Writes the request of one publication.
    pub fn write(self, request: &mut Vec<u8>, world: &World, topic: usize, number: usize, payload_bytes: usize) {
        request.clear();
        match self {
            Self::Product => shapes::rename_product(request, &world.product(topic), number, payload_bytes),
            Self::List => shapes::annotate(request, &world.list(topic), NOTED_ITEM, number, payload_bytes),
        }
    }
}

impl Publisher {
    /// Starts the threads; the first publication is due at `start`.
    pub fn start(server: SocketAddr, world: &World, how: Publications, schedule: &Schedule, start: Instant) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let shots: Arc<[Shot]> = schedule.shots.iter().copied().collect();
        let threads = how.connections.clamp(1, shots.len().max(1));
        let spawn = |first: usize| {
            let (world, shots, stop) = (world.clone(), Arc::clone(&shots), Arc::clone(&stop));
            let stream = TcpStream::connect(server).context("no connection for the publisher")?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
            Ok(thread::spawn(move || {
                let mine = shots.iter().enumerate().skip(first).step_by(threads).take_while(|_| !stop.load(Ordering::Relaxed));
                publish(stream, &world, how, mine, start)
            }))
        };
        Ok(Self { stop: Arc::clone(&stop), threads: (0..threads).map(spawn).collect::<Result<_>>()? })
    }

    /// Sends no more than what is under way.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn is_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the last answer; how long the commands took, from their intended times.
    pub fn finish(self, seconds: f64) -> Result<Report> {
        let mut report = Report::default();
        for thread in self.threads {
            report.join(thread.join().map_err(|_| anyhow!("a publisher's thread panicked"))??);
        }
        Ok(report.finish(seconds))
    }
}

/// One thread sends its publications, one at a time.
fn publish<'a>(
    mut stream: TcpStream,
    world: &World,
    how: Publications,
    shots: impl Iterator<Item = (usize, &'a Shot)>,
    start: Instant,
) -> Result<Report> {
    let (mut report, mut request, mut answer) = (Report::default(), Vec::new(), Vec::new());
    for (number, shot) in shots {
        how.subject.write(&mut request, world, shot.topic, number, how.payload_bytes);
        let intended = start + shot.at;
        thread::sleep(intended.saturating_duration_since(Instant::now()));
        let status = ask(&mut stream, &request, &mut answer)?;
        if (200..300).contains(&status) {
            report.record(intended.elapsed());
        } else {
            report.fail(|| format!("{status} {}", String::from_utf8_lossy(&answer)));
        }
    }
    Ok(report)
}

fn ask(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) -> Result<u16> {
    stream.write_all(request)?;
    answer.clear();
    let mut part = [0; 8 << 10];
    loop {
        let count = stream.read(&mut part)?;
        anyhow::ensure!(count > 0 && answer.len() < ANSWER_BYTES_MAX, "the server hung up on the publisher");
        answer.extend_from_slice(&part[..count]);
        if let Some(status) = connection::whole(answer)? {
            return Ok(status);
        }
    }
}
