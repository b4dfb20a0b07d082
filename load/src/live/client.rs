//! One live client: connects, subscribes, checks what it receives, and can resume where it was.

use std::{
    fmt::Write,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::timeout;

use super::{
    checks::Checks,
    tally::{Tally, add},
};
use crate::{
    message::{self, Kind},
    offer::Offer,
    socket::{Message, Socket},
};

/// How long connecting and the answer to the subscription may take; then the client counts as failed.
const CONNECT_PATIENCE: Duration = Duration::from_mins(1);

/// What all clients of a run share.
#[derive(Clone)]
pub struct Ground {
    pub server: std::net::SocketAddr,
    pub offer: Offer,
    pub tally: Rc<Tally>,
    pub hasher: ahash::RandomState,
}

/// A client with an open session.
pub struct Client {
    socket: Socket,
    pub memory: Memory,
}

/// What a client keeps between two sessions.
pub struct Memory {
    topics: Vec<String>,
    checks: Checks,
    /// The epoch of its positions, from the last hello.
    epoch: String,
    ground: Rc<Ground>,
    /// The answer to its subscription is missing or incomplete.
    waiting: bool,
    /// Topics that have started in this session.
    started: usize,
    /// Why the subscription failed.
    refused: Option<String>,
}

impl Memory {
    pub fn new(ground: &Rc<Ground>, topics: Vec<String>) -> Self {
        Self {
            topics,
            checks: Checks::new(ground.hasher.clone()),
            epoch: String::new(),
            ground: Rc::clone(ground),
            waiting: false,
            started: 0,
            refused: None,
        }
    }

    /// Opens a session and waits until every topic has started: from scratch the first time, later from the positions kept.
    pub async fn connect(self) -> Result<Client> {
        timeout(CONNECT_PATIENCE, self.connect_patiently()).await.context("no whole answer to the subscription in time")?
    }

    async fn connect_patiently(self) -> Result<Client> {
        let socket = Socket::open(self.ground.server, &self.ground.offer).await?;
        let mut client = Client { socket, memory: self };
        (client.memory.waiting, client.memory.started) = (true, 0);
        client.socket.send(&client.memory.subscription()).await?;
        while client.memory.waiting {
            ensure!(client.read().await?, "the server closed before it answered the subscription: {:?}", client.socket.closed);
        }
        if let Some(why) = client.memory.refused {
            bail!("the subscription failed: {why}");
        }
        Ok(client)
    }

    fn subscription(&self) -> String {
        let mut request = String::from(r#"{"id":1,"op":"subscribe","#);
        // Writing to a text cannot fail.
        if !self.epoch.is_empty() {
            let _ = write!(request, r#""epoch":"{}","#, self.epoch);
        }
        request.push_str(r#""topics":["#);
        for (number, topic) in self.topics.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let since = self.checks.since(topic).map_or_else(String::new, |since| format!(r#","since":"{since}""#));
            let _ = write!(request, r#"{comma}{{"topic":"{topic}"{since}}}"#);
        }
        request.push_str("]}");
        request
    }

    fn take(&mut self, message: &Message<'_>, now: Instant) {
        let tally = &self.ground.tally;
        let payload = message.payload;
        add(&tally.wire_bytes, message.wire_bytes as u64);
        add(&tally.deflated, u64::from(message.deflated));
        match message::kind(payload) {
            Kind::Event => {
                let Some(push) = message::push(payload) else { return tally.fail("an event without a position") };
                self.checks.event(&push, tally);
                if let Some(number) = message::publication(&push) {
                    tally.arrived(number, now);
                }
            }
            Kind::State => {
                let Some(push) = message::push(payload) else { return tally.fail("a state without a position") };
                self.checks.state(&push, message::state_key(payload), tally);
            }
            Kind::Subscribed => self.started(payload),
            Kind::Hello => self.epoch = String::from_utf8_lossy(message::text(payload, "epoch").unwrap_or_default()).into_owned(),
            Kind::Error => self.refused(payload),
            Kind::Closing | Kind::Other => {}
        }
    }

    fn started(&mut self, payload: &[u8]) {
        let tally = &self.ground.tally;
        for started in message::started(payload) {
            self.started += 1;
            self.checks.started(&started, tally);
        }
        self.waiting = message::more(payload);
        if !self.waiting && self.started < self.topics.len() {
            self.refused(payload);
        }
    }

    fn refused(&mut self, payload: &[u8]) {
        let why = String::from_utf8_lossy(payload).into_owned();
        self.waiting = false;
        self.ground.tally.fail(why.as_str());
        self.refused = Some(why);
    }

    /// The position it has of a topic.
    pub fn position(&self, topic: &str) -> u64 {
        self.checks.since(topic).unwrap_or(0)
    }

    /// Counts a session that ended without a request.
    fn lost(&self, code: Option<u16>) {
        let tally = &self.ground.tally;
        add(&tally.lost, 1);
        tally.fail(format!("a session was ended by the server with {code:?}"));
    }
}

impl Client {
    /// Handles what has arrived; false once the session has ended.
    pub async fn read(&mut self) -> Result<bool> {
        let Self { socket, memory } = self;
        let mut now = None;
        // One reading of the clock for everything in one read.
        socket.read(|message| memory.take(&message, *now.get_or_insert_with(Instant::now))).await
    }

    /// Reads until the server ends the session, which is counted as a loss.
    pub async fn listen(mut self) {
        while let Ok(true) = self.read().await {}
        self.was_lost();
    }

    /// Counts that the server has ended the session.
    pub fn was_lost(&self) {
        self.memory.lost(self.socket.closed);
    }

    /// Drops the session without closing it; the client's state stays.
    pub fn drop_session(self) -> Memory {
        self.memory
    }

    /// Ends the session properly.
    pub async fn close(self) -> Result<()> {
        self.socket.close().await
    }
}
