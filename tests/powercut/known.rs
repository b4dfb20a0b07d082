//! What the clients know, and must find again after every power cut.

use serde_json::Value;

use crate::{
    ledger::Ledger,
    support::TestApp,
    writer::{Command, Fate},
};

/// Everything that was sent to one folder.
#[derive(Default)]
pub struct Known {
    pub commands: Vec<Command>,
    pub brought_back: Vec<BroughtBack>,
    /// Snapshots whose making was answered.
    pub snapshots: Vec<String>,
    /// The positions at which the big list is empty and full.
    pub moments: Option<(u64, u64)>,
}

/// A list was brought back to a moment, which was answered.
#[derive(Debug, Clone)]
pub struct BroughtBack {
    pub list: &'static str,
    pub position: u64,
    pub version: u64,
    pub items: usize,
}

impl Known {
    pub fn acknowledged(&self) -> usize {
        self.commands.iter().filter(|command| command.fate != Fate::Unknown).count() + self.brought_back.len()
    }

    /// Reads the log from its first event: gapless, everything acknowledged once and at its position, the rest at most once.
    pub fn check(&self, app: &TestApp) {
        Ledger::default().check(app, &self.commands);
        self.brought_back.iter().for_each(|one| one.check_event(app));
        self.brought_back.iter().rev().take(3).for_each(|one| one.check_items(app));
        let listed = app.get("/api/v1/admin/snapshots").ok().text;
        self.snapshots.iter().for_each(|name| assert!(listed.contains(name), "snapshot {name} was made and is gone: {listed}"));
    }

    /// Sends everything of unknown fate again, and one that was acknowledged: each is there once in the end.
    pub fn settle(&mut self, app: &TestApp) {
        for command in self.commands.iter_mut().filter(|command| command.fate == Fate::Unknown) {
            let answer = command.send(app.client()).expect("the server answers").ok();
            command.acknowledge(&answer);
        }
        if let Some(last) = self.commands.last() {
            let answer = last.send(app.client()).expect("the server answers").ok();
            assert_eq!(answer.body["repeated"], true, "what was acknowledged is not applied again: {last:?}");
        }
        self.check(app);
    }
}

impl BroughtBack {
    /// The list's event of that version is at its acknowledged position.
    fn check_event(&self, app: &TestApp) {
        let path = format!("/api/v1/lists/{}/events?after={}&limit=1", self.list, self.position - 1);
        let event = app.get_of_served(&path).expect(200).lines().first().cloned().unwrap_or(Value::Null);
        let found = (number(&event["position"]), number(&event["version"]));
        assert_eq!(found, (self.position, self.version), "a list that was brought back is there: {self:?}");
    }

    fn check_items(&self, app: &TestApp) {
        let list = app.get_of_served(&format!("/api/v1/lists/{}?at={}", self.list, self.position)).expect(200).body;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(self.items), "a list that was brought back is whole: {self:?}");
    }
}

/// A number, also as text, and without the mark that positions have after a restore.
pub fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.split('~').next()?.parse().ok()).unwrap_or_default()
}
