//! A client that adds items, ticks them and posts prices, and remembers the fate of each command.

use std::{
    fmt,
    sync::{Arc, mpsc},
};

use serde_json::{Value, json};

use crate::support::{Answer, Client, Random};

/// A command that was sent, under an id of its own.
#[derive(Clone)]
pub struct Command {
    pub id: String,
    pub fate: Fate,
    /// The item it adds or ticks, if any, and whether it ticks it.
    pub item: Option<(String, bool)>,
    /// The list that must be the fold of its events afterwards, if it is about one.
    pub list: Option<Arc<str>>,
    method: &'static str,
    path: String,
    body: Value,
}

/// What the client knows of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The server answered that it is recorded at this position.
    Acknowledged { position: u64 },
    /// The connection broke before an answer.
    Unknown,
}

impl Command {
    pub fn new(id: String, method: &'static str, path: String, body: Value) -> Self {
        Self { id, fate: Fate::Unknown, item: None, list: None, method, path, body }
    }

    /// Sends it, the first time or again.
    pub fn send(&self, client: &Client) -> Result<Answer, ureq::Error> {
        client.send(self.method, &self.path, &[("idempotency-key", &self.id)], Some(self.body.to_string()))
    }

    pub fn acknowledge(&mut self, answer: &Answer) {
        // After a restore a position carries the mark of its history.
        let position = answer.body["position"].as_str().and_then(|text| text.split('~').next()?.parse().ok());
        self.fate = Fate::Acknowledged { position: position.unwrap_or_else(|| panic!("no position in {}", answer.text)) };
    }
}

impl fmt::Debug for Command {
    /// Leaves out the body, which may be very long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} as {}, {:?}", self.method, self.path, self.id, self.fate)
    }
}

/// One client of one round.
pub struct Writer {
    number: usize,
    round: u64,
    list: Arc<str>,
    client: Client,
    random: Random,
    acknowledged: mpsc::Sender<()>,
    /// Acknowledged items that nobody has ticked.
    unticked: Vec<String>,
}

impl Writer {
    pub fn new(number: usize, round: u64, list: Arc<str>, client: Client, random: Random, acknowledged: mpsc::Sender<()>) -> Self {
        Self { number, round, list, client, random, acknowledged, unticked: Vec::new() }
    }

    /// Sends commands one after the other; the last one's fate is unknown.
    pub fn write_until_the_server_dies(mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        for number in 0.. {
            let mut command = self.next_command(number);
            match command.send(&self.client) {
                Ok(answer) if answer.status < 500 => {
                    let answer = answer.ok();
                    command.acknowledge(&answer);
                    if let Some((item, false)) = &command.item {
                        self.unticked.push(item.clone());
                    }
                    commands.push(command);
                    // The test stops listening when it kills.
                    let _ = self.acknowledged.send(());
                }
                _ => {
                    commands.push(command);
                    break;
                }
            }
        }
        commands
    }

    fn next_command(&mut self, number: u64) -> Command {
        let id = format!("c-{}-{}-{number}", self.round, self.number);
        let command =
            |method, path, body, item| Command { item, list: Some(Arc::clone(&self.list)), ..Command::new(id.clone(), method, path, body) };
        match (self.random.below(10), self.unticked.pop()) {
            (0..=2, Some(item)) => {
                let path = format!("/api/v1/lists/{}/items/{item}", self.list);
                command("PATCH", path, json!({"checked": true}), Some((item, true)))
            }
            (3..=5, _) => {
                let cents = 100 + self.round * 10_000 + number;
                let price = json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "EUR"});
                command(
                    "POST",
                    format!("/api/v1/products/{}/prices", product(self.number)),
                    json!({"store": "corner", "price": price}),
                    None,
                )
            }
            _ => {
                let item = format!("i-{}-{number}", self.number);
                let body = json!({"id": item, "name": "Milk", "specification": item, "quantity": {"amount": "2", "unit": "each"}});
                command("POST", format!("/api/v1/lists/{}/items", self.list), body, Some((item, false)))
            }
        }
    }
}

/// The product that a writer prices.
pub fn product(writer: usize) -> String {
    format!("product-{writer}")
}
