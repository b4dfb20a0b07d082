//! `aisled restore`: says what a restore would do, and does it when told so; of a folder, or of a running server with `--url`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    CliError, Ended,
    admin::Remote,
    snapshot::{PlaceFlags, admin},
    watch::watched,
    when::when,
};
use crate::{
    app::offline::Offline,
    config::Config,
    events::At,
    snapshots::{RestorePlan, SnapshotFolder, Target},
};

#[derive(Debug, Args)]
pub(super) struct Restore {
    #[command(flatten)]
    place: PlaceFlags,
    /// The snapshot to restore; see `aisled snapshot list`.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["at", "undo"])]
    snapshot: Option<String>,
    /// Up to this position or moment: 2026-11-24T18:03:00Z, '2h ago', 18:00, 'yesterday 18:00'.
    #[arg(long, value_name = "MOMENT", value_parser = when)]
    at: Option<At>,
    /// Do it: the word that the dry run printed.
    #[arg(long, value_name = "WORD")]
    confirm: Option<String>,
    /// Go back to what the last restore left.
    #[arg(long, conflicts_with_all = ["snapshot", "at", "confirm"])]
    undo: bool,
}

impl Restore {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = self.place.config(file)?;
        let summary = match &self.place.url {
            Some(url) => self.of_server(&Remote::new(url, &config))?,
            None => self.of_folder(config)?,
        };
        println!("{summary}");
        Ok(Ended::Well)
    }

    fn of_server(&self, server: &Remote) -> anyhow::Result<Value> {
        if self.undo {
            return server.run("/api/v1/admin/restore/undo", &json!({}));
        }
        let mut body = json!({ "snapshot": self.snapshot, "at": self.at.map(|at| at.to_string()) });
        if let Some(word) = &self.confirm {
            body["confirm"] = json!(word);
            return server.run("/api/v1/admin/restore", &body);
        }
        let plan = server.post("/api/v1/admin/restore", &body)?;
        self.explain(&plan);
        Ok(plan)
    }

    fn of_folder(&self, config: Config) -> anyhow::Result<Value> {
        let folder = SnapshotFolder::new(&config.snapshots);
        let offline = Offline::open(config)?;
        if let Some(damage) = offline.damage() {
            eprintln!("aisled: the log that is there does not open, and is kept as it is: {damage}");
        }
        if self.undo {
            return Ok(json!({ "position": offline.undo_restore(&admin()?)? }));
        }
        let target = Target::find(offline.log(), &folder, self.snapshot.as_deref(), self.at)?;
        match &self.confirm {
            Some(word) => {
                anyhow::ensure!(*word == target.confirm(offline.epoch()), "the confirmation does not fit: run it without --confirm first");
                Ok(serde_json::to_value(watched(|progress| Ok(offline.restore(target, &admin()?, progress)?))?)?)
            }
            None => {
                let plan: RestorePlan = watched(|progress| Ok(target.plan(offline.head(), offline.epoch(), &folder, progress)?))?;
                let plan = serde_json::to_value(plan)?;
                self.explain(&plan);
                Ok(plan)
            }
        }
    }

    /// Says in words what would happen, and how to have it done.
    fn explain(&self, plan: &Value) {
        let text = |field: &str| plan[field].as_str().unwrap_or_default().to_owned();
        let from = plan["snapshot"].as_str().map_or("a snapshot that is made first".to_owned(), |name| format!("snapshot {name}"));
        eprintln!("This would go back to position {} from {from}.", text("position"));
        let events = plan["events_left"].as_u64().unwrap_or_default();
        match plan["same_history"] == true {
            true if events == 0 => eprintln!("Nothing would be left behind."),
            true => eprintln!("{events} events behind it would be left; `aisled restore --undo` brings them back."),
            false => eprintln!("The snapshot is of another history: all {events} events that are there now would be left."),
        }
        for problem in plan["problems"].as_array().into_iter().flatten() {
            eprintln!(
                "It would be refused: {}: {}",
                problem["file"].as_str().unwrap_or_default(),
                problem["reason"].as_str().unwrap_or_default()
            );
        }
        eprintln!("To do it, run the same again with: --confirm {}", text("confirm"));
    }
}
