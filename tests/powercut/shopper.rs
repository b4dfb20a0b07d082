//! Adds items to one list that every history has.

use std::sync::Arc;

use serde_json::json;

use crate::{
    support::{Answer, Client},
    writer::Command,
};

const LIST: &str = "weekly";

/// Adds this many items, all of which must be accepted.
pub fn shop(client: &Client, name: &str, items: u64) -> Vec<Command> {
    let mut commands: Vec<_> = (0..items).map(|number| add(name, number)).collect();
    for command in &mut commands {
        let answer = command.send(client).expect("the server answers").ok();
        command.acknowledge(&answer);
    }
    commands
}

/// Adds one item, which may not be answered any more.
pub fn shop_once(client: &Client, name: &str) -> Command {
    let mut command = add(name, 0);
    if let Some(answer) = command.send(client).ok().filter(|answer| answer.status < 500) {
        command.acknowledge(&answer.ok());
    }
    command
}

/// Adds one item after the other. A command that is refused because the server is switching histories is sent again.
pub fn shop_until_the_server_dies(client: &Client, name: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for number in 0.. {
        let mut command = add(name, number);
        let answer = send_until_taken(client, &command);
        if let Some(answer) = &answer {
            assert!(answer.status < 400, "{command:?} is refused: {}", answer.text);
            command.acknowledge(answer);
        }
        commands.push(command);
        if answer.is_none() {
            break;
        }
    }
    commands
}

/// The answer; none once the server is dead.
fn send_until_taken(client: &Client, command: &Command) -> Option<Answer> {
    std::iter::repeat_with(|| command.send(client).ok()).find(|answer| answer.as_ref().is_none_or(|answer| answer.status < 500)).flatten()
}

fn add(name: &str, number: u64) -> Command {
    let id = format!("{name}-{number}");
    let body = json!({ "id": id, "name": id, "specification": id });
    let mut command = Command::new(id, "POST", format!("/api/v1/lists/{LIST}/items"), body);
    command.list = Some(Arc::from(LIST));
    command
}
