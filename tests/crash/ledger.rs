//! What the log must hold: read back through the API and compared with what the clients know.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::{
    support::TestApp,
    writer::{Command, Fate},
};

/// Every event seen so far, by its command.
#[derive(Default)]
pub struct Ledger {
    read_to: u64,
    /// Positions of each command's events.
    positions: HashMap<String, Vec<u64>>,
    /// The items of each list, and whether they are ticked, as the events say.
    lists: BTreeMap<String, BTreeMap<String, bool>>,
    acknowledged: HashMap<String, u64>,
}

impl Ledger {
    /// Where a command is recorded.
    pub fn position_of(&self, command: &str) -> Option<u64> {
        self.positions.get(command).and_then(|positions| positions.first().copied())
    }

    /// Reads new events and checks the commands against them. Returns how many of unknown fate were applied.
    pub fn check(&mut self, app: &TestApp, commands: &[Command]) -> usize {
        self.read_on(app);
        let mut applied = 0;
        for command in commands {
            let positions = self.positions.get(&command.id).map_or(&[][..], Vec::as_slice);
            match command.fate {
                Fate::Acknowledged { position } => {
                    assert_eq!(positions, [position], "an acknowledged command is recorded once, where it was said: {command:?}");
                    self.acknowledged.insert(command.id.clone(), position);
                }
                Fate::Unknown => {
                    assert!(positions.len() <= 1, "a command of one event is recorded at most once: {command:?} at {positions:?}");
                    applied += positions.len();
                }
            }
        }
        let lists: BTreeSet<_> = commands.iter().filter_map(|command| command.list.as_deref()).collect();
        lists.into_iter().for_each(|list| self.compare_list(app, list));
        applied
    }

    /// Reads the whole log from its first event and finds every acknowledged command again.
    pub fn check_everything_again(self, app: &TestApp) {
        let mut again = Self::default();
        again.read_on(app);
        for (command, position) in &self.acknowledged {
            assert_eq!(again.positions.get(command), Some(&vec![*position]), "{command} is there once in the end");
        }
        self.lists.keys().for_each(|list| again.compare_list(app, list));
    }

    /// Reads the events after the last that was read: positions must continue without a gap.
    fn read_on(&mut self, app: &TestApp) {
        let events = app.get(&format!("/api/v1/events?after={}", self.read_to)).expect(200);
        events.lines().iter().for_each(|event| self.record(event));
    }

    fn record(&mut self, event: &Value) {
        let position = event["position"].as_str().and_then(|text| text.split('~').next()?.parse().ok()).unwrap_or(0);
        assert_eq!(position, self.read_to + 1, "positions are gapless: {event}");
        self.read_to = position;
        if let Some(command) = event["command_id"].as_str() {
            self.positions.entry(command.to_owned()).or_default().push(position);
        }
        let Some(list) = event["stream"].as_str().and_then(|stream| stream.strip_prefix("list/")) else { return };
        let items = self.lists.entry(list.to_owned()).or_default();
        let item = || event["data"]["item"].as_str().unwrap_or_else(|| panic!("no item in {event}")).to_owned();
        match event["type"].as_str() {
            Some("list.item_added") => assert_eq!(items.insert(item(), false), None, "an item is added once: {event}"),
            Some("list.item_checked") => assert_eq!(items.insert(item(), true), Some(false), "an item is ticked once: {event}"),
            _ => {}
        }
    }

    /// The list as it is read must be the fold of its events.
    fn compare_list(&self, app: &TestApp, list: &str) {
        let answer = app.get(&format!("/api/v1/lists/{list}")).expect(200);
        let shown: BTreeMap<_, _> = answer.body["items"]
            .as_array()
            .unwrap_or_else(|| panic!("no items in {}", answer.text))
            .iter()
            .map(|item| (item["id"].as_str().unwrap_or_default().to_owned(), !item["checked"].is_null() && item["checked"] != false))
            .collect();
        assert_eq!(Some(&shown), self.lists.get(list), "{list} is the fold of its events");
    }
}
