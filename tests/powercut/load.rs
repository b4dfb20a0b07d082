//! Clients that write until the power is cut, and note what was answered.

use std::{
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;

use crate::{
    big_list::{self, bring_back_until_the_server_dies},
    known::BroughtBack,
    machine::Machine,
    support::{Client, PATIENCE, Random},
    writer::{self, Command, Writer},
};

const SMALL_WRITERS: usize = 4;
const LARGE_WRITERS: usize = 4;
/// Letters of three bytes, which no compression makes small.
const INGREDIENTS_CHARS: (u64, u64) = (4_000, 20_000);

/// What the clients write.
#[derive(Clone, Copy, PartialEq)]
pub enum Load {
    /// Items and prices.
    Small,
    /// Products with long ingredients next to them, and a list of 900 items that is brought back repeatedly.
    Large,
}

/// Clients at work.
pub struct Clients {
    writers: Vec<JoinHandle<Vec<Command>>>,
    keeper: Option<JoinHandle<Vec<BroughtBack>>>,
    heard: mpsc::Receiver<()>,
}

/// What every client needs: a store, a product for each writer to price, the list of 900 items.
pub fn prepare(machine: &mut Machine, load: Load) {
    let app = machine.app();
    app.post("/api/v1/stores", &json!({"id": "corner", "name": "Corner shop", "currency": "EUR"})).ok();
    for number in 0..SMALL_WRITERS {
        app.post("/api/v1/products", &json!({"id": writer::product(number), "name": "Something"})).ok();
    }
    if load == Load::Large {
        machine.known.moments = Some(big_list::make(app));
    }
}

/// Lets the clients work until this many commands are acknowledged and some time has passed, then cuts the power.
pub fn write_until_cut(machine: &mut Machine, load: Load, acknowledged_max: u64, longest: Duration) {
    let cutter = machine.disk.arm();
    let clients = Clients::start(machine, load);
    clients.hear(machine.random.below(acknowledged_max + 1));
    let time = machine.moment(longest);
    machine.cut_after(cutter, time);
    clients.end(machine);
}

impl Clients {
    pub fn start(machine: &mut Machine, load: Load) -> Self {
        machine.round += 1;
        let (round, list) = (machine.round, Arc::<str>::from(format!("list-{}", machine.round)));
        machine.app().post("/api/v1/lists", &json!({"id": &*list, "name": "Weekly", "store": "corner"})).ok();
        let (tell, heard) = mpsc::channel();
        let mut writers = Vec::new();
        for number in 0..SMALL_WRITERS {
            let (random, client) = (Random(machine.random.draw()), machine.app().client().clone());
            let writer = Writer::new(number, round, Arc::clone(&list), client, random, tell.clone());
            writers.push(thread::spawn(move || writer.write_until_the_server_dies()));
        }
        let mut keeper = None;
        if load == Load::Large {
            for number in 0..LARGE_WRITERS {
                let (random, client, tell) = (Random(machine.random.draw()), machine.app().client().clone(), tell.clone());
                writers.push(thread::spawn(move || register_until_the_server_dies(&format!("{round}-{number}"), &client, random, &tell)));
            }
            let (client, moments) = (machine.app().client().clone(), machine.known.moments.expect("the list was made"));
            keeper = Some(thread::spawn(move || bring_back_until_the_server_dies(&client, moments, &tell)));
        }
        Self { writers, keeper, heard }
    }

    /// Waits for this many acknowledgements.
    pub fn hear(&self, acknowledged: u64) {
        for _ in 0..acknowledged {
            self.heard.recv_timeout(PATIENCE).expect("the server acknowledges commands");
        }
    }

    /// Whether another command was acknowledged.
    pub fn has_heard(&self) -> bool {
        self.heard.try_recv().is_ok()
    }

    /// Records what the clients know, once the server is gone.
    pub fn end(self, machine: &mut Machine) {
        let joined = self.writers.into_iter().flat_map(|writer| writer.join().expect("a writer ends with the server"));
        machine.known.commands.extend(joined);
        let brought_back = self.keeper.map(|keeper| keeper.join().expect("a writer ends with the server"));
        machine.known.brought_back.extend(brought_back.into_iter().flatten());
    }
}

/// Registers one large product after the other; the last one's fate is unknown.
fn register_until_the_server_dies(name: &str, client: &Client, mut random: Random, tell: &mpsc::Sender<()>) -> Vec<Command> {
    let mut commands = Vec::new();
    loop {
        let id = format!("large-{name}-{}", commands.len());
        let (least, most) = INGREDIENTS_CHARS;
        let ingredients: String = (0..least + random.below(most - least)).map(|_| letter(&mut random)).collect();
        let body = json!({"id": id, "name": id, "ingredients": ingredients});
        let mut command = Command::new(id, "POST", "/api/v1/products".into(), body);
        let answer = command.send(client).ok().filter(|answer| answer.status < 500);
        if let Some(answer) = &answer {
            command.acknowledge(answer);
            // The receiver stops when the power is cut.
            let _ = tell.send(());
        }
        commands.push(command);
        if answer.is_none() {
            return commands;
        }
    }
}

fn letter(random: &mut Random) -> char {
    u32::try_from(0x4E00 + random.below(0x5000)).ok().and_then(char::from_u32).expect("there are so many ideographs")
}
