//! The socket and HTTP refuse the same.

use serde_json::{Value, json};

use crate::households::{homes, post_as, session};

/// A text of the samples for the things of a household.
fn fill(text: &str, prefix: &str, number: usize) -> String {
    let ids = ["list", "item", "order", "mate"]
        .iter()
        .fold(text.to_owned(), |text, kind| text.replace(&format!("${kind}"), &format!("{prefix}-{kind}-1")));
    let ids = ids.replace("$household", &format!("{prefix}-house")).replace("$product", "p").replace("$store", "s");
    ids.replace("$new", &format!("new-{number}"))
}

/// What HTTP refuses is refused by the socket with the same code: both ask the same table. HTTP itself is held to the table by
/// the tests in `src/http/tests/matrix`, whose samples these are.
#[test]
fn the_socket_refuses_everybody_the_commands_that_http_refuses() {
    let app = homes();
    let samples: Value = serde_json::from_str(include_str!("../fixtures/matrix/commands.json")).unwrap();
    let (mut refused, mut number) = (0, 0);
    for who in ["eve", "gus", "vera", "cleo", "ben", "anna"] {
        let mut wire = session(&app, who);
        for (entity, command) in
            samples.as_object().unwrap().iter().flat_map(|(entity, all)| all.as_array().unwrap().iter().map(move |one| (entity, one)))
        {
            let target = match command["op"].as_str().unwrap() {
                "create" | "place" | "register" => "$new".to_owned(),
                _ => format!("${entity}"),
            };
            for prefix in ["hid", "far"] {
                number += 1;
                let (id, command) = (fill(&target, prefix, number), fill(&command.to_string(), prefix, number));
                let command: Value = serde_json::from_str(&command).unwrap();
                let over_http = post_as(&app, who, &format!("{entity}s/{id}/commands"), &command);
                // What is allowed has changed something, so it is not the same command any more.
                if over_http.status >= 300 {
                    let answer = wire.ask(&json!({ "id": number, "op": "command", "entity": entity, "entity_id": id, "command": command }));
                    assert_eq!(
                        (&answer["type"], answer["code"].as_str()),
                        (&json!("error"), Some(over_http.code())),
                        "{who} {entity} {command}"
                    );
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 300, "{refused}");
}
