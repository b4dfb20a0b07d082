//! Two histories that diverge at a snapshot: the one that its restore replaces, and the one that it begins.

use serde_json::{Value, json};

use crate::{
    admin::{UNDO, answered, snapshot, verify_snapshots, work},
    known::number,
    ledger::Ledger,
    machine::Machine,
    shopper::shop,
    support::Client,
    writer::{Command, Fate},
};

/// A snapshot, and later commands that its restore leaves out.
#[derive(Clone)]
pub struct Fork {
    snapshot: String,
    position: u64,
}

impl Fork {
    /// Shops, makes a snapshot, and shops on.
    pub fn prepare(machine: &mut Machine) -> Self {
        machine.round += 1;
        let (client, items) = (machine.app().client().clone(), 1 + machine.random.below(20));
        machine.known.commands.extend(shop(&client, &format!("{}-before", machine.round), items));
        let manifest = snapshot(machine);
        machine.known.commands.extend(shop(&client, &format!("{}-left", machine.round), items));
        let snapshot = manifest["name"].as_str().expect("it has a name").to_owned();
        Self { snapshot, position: number(&manifest["position"]) }
    }

    /// A dry run, and then the confirmed run.
    pub fn restore(&self, client: &Client) -> Option<Value> {
        let path = "/api/v1/admin/restore";
        let plan = client.send("POST", path, &[], Some(json!({ "snapshot": self.snapshot }).to_string())).ok()?.body;
        work(client, path, &json!({ "snapshot": self.snapshot, "confirm": plan["confirm"] }))
    }

    /// Finds everything in the restored history, if that is served, and undoes the restore; then everything in the replaced one.
    pub fn go_back(&self, machine: &mut Machine, fresh: Vec<Command>) {
        let is_restored = is_restored(machine);
        println!("the history that is served is the {} one", if is_restored { "restored" } else { "left" });
        if is_restored {
            self.check_restored(machine, fresh);
            answered(machine.app().client(), UNDO, &json!({}));
        }
        let (known, app) = machine.known_and_app();
        known.check(app);
        known.settle(app);
        verify_snapshots(app);
        machine.end();
    }

    /// What was acknowledged up to the snapshot and since the restore is there; the rest is in the other history.
    fn check_restored(&self, machine: &mut Machine, fresh: Vec<Command>) {
        let (known, app) = machine.known_and_app();
        let mut ledger = Ledger::default();
        ledger.check(app, &fresh);
        let (here, elsewhere): (Vec<_>, Vec<_>) = known.commands.drain(..).partition(|command| is_here(&ledger, command));
        let (shared, own): (Vec<_>, Vec<_>) = here.into_iter().partition(|command| acknowledged_at(command) <= Some(self.position));
        for command in &elsewhere {
            let position = acknowledged_at(command);
            assert!(
                position.is_none_or(|position| position > self.position),
                "the snapshot held it, the restored history does not: {command:?}"
            );
        }
        Ledger::default().check(app, &[&shared[..], &own[..]].concat());
        // The undo removes the restored history, and what only it holds.
        known.commands = [shared, elsewhere].concat();
    }
}

/// Whether the history that is served came from a restore.
pub fn is_restored(machine: &Machine) -> bool {
    !machine.app().get("/api/v1/events?type=system.restored").expect(200).lines().is_empty()
}

fn is_here(ledger: &Ledger, command: &Command) -> bool {
    acknowledged_at(command).is_some_and(|position| ledger.position_of(&command.id) == Some(position))
}

fn acknowledged_at(command: &Command) -> Option<u64> {
    match command.fate {
        Fate::Acknowledged { position } => Some(position),
        Fate::Unknown => None,
    }
}
