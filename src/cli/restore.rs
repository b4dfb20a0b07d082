//! `aisled restore`: shows what a restore would do, and does it when confirmed; on a folder, or on a running server with `--url`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    CliError, Ended,
    admin::Remote,
    bring_back::BringBack,
    open::open_offline,
    output::{print_json, print_plan, quoted},
    snapshot::{PlaceFlags, admin},
    watch::watched,
    when::when,
};
use crate::{
    app::accounts::Accounts,
    config::Config,
    events::At,
    serve::terminal,
    snapshots::{FileProblem, RestorePlan, SnapshotError, SnapshotFolder, Target},
};

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    place: PlaceFlags,
    /// The snapshot to restore; see `aisled snapshot list`.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["at", "undo"])]
    snapshot: Option<String>,
    /// Up to this position or time: 2026-11-24T18:03:00Z, '2h ago', 18:00, 'yesterday 18:00'.
    #[arg(long, value_name = "MOMENT", value_parser = when)]
    at: Option<At>,
    /// Do it: the confirmation token that the dry run printed.
    #[arg(long, value_name = "TOKEN")]
    confirm: Option<String>,
    /// Undo the last restore: serve the history that it replaced.
    #[arg(long, conflicts_with_all = ["snapshot", "at", "confirm", "list", "household"])]
    undo: bool,
    /// Restore only this list, by new events; everything else stays as it is. Needs a running server.
    #[arg(long, value_name = "ID", conflicts_with = "household")]
    list: Option<String>,
    /// Restore only this household.
    #[arg(long, value_name = "ID")]
    household: Option<String>,
}

impl Restore {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let places = self.place.in_shell(file.as_deref());
        let config = self.place.config(file)?;
        let one = self.list.as_deref().map(|id| ("list", id)).or(self.household.as_deref().map(|id| ("household", id)));
        Ok(match (&self.place.url, one) {
            (url, Some((kind, id))) => {
                let own = terminal::find(&config.data).map_or_else(|| format!("http://{}", config.listen), |found| found.url);
                let what = BringBack { kind, id, at: self.at, snapshot: self.snapshot.as_deref(), places: &places };
                what.run(&Remote::new(url.as_ref().unwrap_or(&own), &config), self.confirm.as_deref())?
            }
            (Some(url), None) => self.of_server(&Remote::new(url, &config), &places)?,
            (None, None) => self.of_folder(config, &places)?,
        })
    }

    fn of_server(&self, server: &Remote, places: &str) -> anyhow::Result<Ended> {
        if self.undo {
            return done(&server.run("/api/v1/admin/restore/undo", &json!({}))?);
        }
        let mut body = json!({ "snapshot": self.snapshot, "at": self.at.map(|at| at.to_string()) });
        if let Some(token) = &self.confirm {
            body["confirm"] = json!(token);
            return done(&server.run("/api/v1/admin/restore", &body)?);
        }
        self.explain(&server.post("/api/v1/admin/restore", &body)?, "The folder is empty.", places)
    }

    fn of_folder(&self, config: Config, places: &str) -> anyhow::Result<Ended> {
        let folder = SnapshotFolder::new(&config.snapshots);
        // Before a data folder is made for a snapshot that is not there.
        if let Some(name) = &self.snapshot {
            folder.open(name)?;
        }
        let offline = open_offline(config)?;
        if let Some(damage) = offline.damage() {
            eprintln!("aisled: the existing log does not open, and is kept as it is: {damage}");
        }
        if self.undo {
            return done(&json!({ "position": offline.undo_restore(&admin()?)? }));
        }
        let target = Target::find(offline.log(), &folder, self.snapshot.as_deref(), self.at)?;
        match &self.confirm {
            Some(token) => {
                anyhow::ensure!(*token == target.confirm(offline.epoch()), "the token does not match: run it without --confirm first");
                let (proof, note) = watched(|progress| Ok(offline.restore(target, &admin()?, progress)?))?;
                eprintln!("aisled: {note}");
                done(&proof)
            }
            None => {
                let accounts = target.snapshot.as_ref().map(|manifest| offline.accounts(&folder.open(&manifest.name)?)).transpose();
                let mut plan: RestorePlan = watched(|progress| Ok(target.plan(offline.head(), offline.epoch(), &folder, progress)?))?;
                tell_of_accounts(&mut plan, accounts);
                let nothing =
                    offline.damage().map_or("The folder is empty.", |_| "The restored history would replace the whole existing log.");
                self.explain(&serde_json::to_value(plan)?, nothing, places)
            }
        }
    }

    /// Explains what would happen, and prints the command line to run last. `nothing` describes a log without events.
    fn explain(&self, plan: &Value, nothing: &str, places: &str) -> anyhow::Result<Ended> {
        print_plan(plan)?;
        let text = |field: &str| plan[field].as_str().unwrap_or_default();
        let from = plan["snapshot"].as_str().map_or("a snapshot that is created first".to_owned(), |name| format!("snapshot {name}"));
        eprintln!("This would go back to position {} from {from}.", text("position"));
        eprintln!("{}", left_behind(plan, nothing));
        plan["notes"].as_array().into_iter().flatten().filter_map(Value::as_str).for_each(|note| eprintln!("Note: {note}."));
        let problems = plan["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
        for problem in problems {
            let part = |field: &str| problem[field].as_str().unwrap_or_default();
            eprintln!("The restore would be refused: {}: {}", part("file"), part("reason"));
        }
        if !problems.is_empty() {
            eprintln!("Use another snapshot (aisled snapshot list), or another copy of this one.");
            return Ok(Ended::FoundProblems);
        }
        let snapshot = self.snapshot.as_ref().map(|name| format!(" --snapshot {}", quoted(name))).unwrap_or_default();
        eprintln!("To do it:\n  aisled restore{snapshot} --at {} --confirm {}{places}", text("position"), text("confirm"));
        Ok(Ended::Well)
    }
}

/// Adds what would become of the accounts, or why the restore would be refused for them.
fn tell_of_accounts(plan: &mut RestorePlan, accounts: Result<Option<Accounts>, SnapshotError>) {
    match accounts {
        Ok(accounts) => plan.notes.extend(accounts.map(|accounts| accounts.note().to_owned())),
        // A damaged file is among the problems already.
        Err(error) if plan.problems.is_empty() => {
            let file = format!("{}.people.sealed", plan.snapshot.as_deref().unwrap_or_default());
            plan.problems.push(FileProblem { file, position: None, reason: error.to_string() });
        }
        Err(_) => {}
    }
}

/// Which current events a restore would not keep.
fn left_behind(plan: &Value, nothing: &str) -> String {
    let events = plan["events_left"].as_u64().unwrap_or_default();
    match plan["same_history"] == true {
        true if events == 0 => "No newer events would be left out.".into(),
        true => format!("{events} events after it would be left out; `aisled restore --undo` brings them back."),
        false if events == 0 => nothing.into(),
        false => format!("The snapshot is of another history: all {events} current events would be left out."),
    }
}

fn done(summary: &impl Serialize) -> anyhow::Result<Ended> {
    print_json(summary).map(|()| Ended::Well)
}
