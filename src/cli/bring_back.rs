//! `aisled restore --list …`: restores one list or household on a running server by new events. The first run only shows what would change.

use anyhow::bail;
use serde_json::{Value, json};

use super::{
    Ended,
    admin::Remote,
    output::{print_json, print_plan, quoted},
};
use crate::events::At;

/// What to restore, from where, and to which moment.
pub(super) struct BringBack<'a> {
    /// `list` or `household`.
    pub kind: &'a str,
    pub id: &'a str,
    pub at: Option<At>,
    /// From the server's own log if absent.
    pub snapshot: Option<&'a str>,
    /// The location flags to repeat in the printed command line.
    pub places: &'a str,
}

impl BringBack<'_> {
    /// Prints every change and the command line that applies them; with the confirmation token, applies them.
    ///
    /// # Errors
    /// When the server refuses, or the token does not match.
    pub(super) fn run(&self, server: &Remote, confirm: Option<&str>) -> anyhow::Result<Ended> {
        let preview = self.ask(server, true, self.at)?;
        let position = preview["to"]["position"].as_str().or(preview["to"].as_str()).unwrap_or_default().to_owned();
        let token = self.token(&position);
        match confirm {
            Some(given) if given == token => print_json(&self.ask(server, false, position.parse().ok())?)?,
            Some(_) => bail!("the token does not match: run it without --confirm, then run the command line that it prints"),
            None => {
                print_plan(&preview)?;
                self.explain(&preview, &position, &token);
            }
        }
        Ok(Ended::Well)
    }

    fn ask(&self, server: &Remote, preview: bool, at: Option<At>) -> anyhow::Result<Value> {
        let (at, Self { kind, id, .. }) = (at.map(|at| at.to_string()), self);
        match self.snapshot {
            Some(snapshot) => {
                let body = json!({ "stream": format!("{kind}/{id}"), "snapshot": snapshot, "at": at, "preview": preview });
                server.post("/api/v1/admin/restore/stream", &body)
            }
            None => server.post(&format!("/api/v1/{kind}s/{id}/restore"), &json!({ "at": at, "preview": preview })),
        }
    }

    /// Only the command line that a preview printed contains it.
    fn token(&self, position: &str) -> String {
        let named = format!("{} {} {} {position}", self.kind, self.id, self.snapshot.unwrap_or_default());
        blake3::hash(named.as_bytes()).to_hex()[..8].to_owned()
    }

    fn explain(&self, preview: &Value, position: &str, token: &str) {
        let Self { kind, id, places, .. } = self;
        let changes = &preview["changes"];
        let entries = |field: &str| changes[field].as_array().cloned().unwrap_or_default();
        let fields = |of: &Value| of["changes"].as_array().cloned().unwrap_or_default();
        eprintln!("{kind} {id}, back to position {position}:");
        fields(changes).iter().for_each(|change| eprintln!("  {}", line(change)));
        entries("added").iter().for_each(|item| eprintln!("  + “{}” comes back", text(item, "name")));
        entries("removed").iter().for_each(|item| eprintln!("  - “{}” is removed", text(item, "name")));
        for item in entries("changed") {
            fields(&item).iter().for_each(|change| eprintln!("  ~ “{}”: {}", text(&item, "name"), line(change)));
        }
        preview["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|note| eprintln!("  ! {note}"));
        if preview["commands"] == 0 {
            return eprintln!("  Nothing would change.");
        }
        let snapshot = self.snapshot.map(|name| format!(" --snapshot {}", quoted(name))).unwrap_or_default();
        eprintln!("To do it:\n  aisled restore --{kind} {}{snapshot} --at {position} --confirm {token}{places}", quoted(id));
    }
}

fn line(change: &Value) -> String {
    format!("{}: {} → {}", text(change, "field"), change["before"], change["after"])
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}
