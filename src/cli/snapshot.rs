//! `aisled snapshot`: creates, lists, checks and deletes snapshots of a folder, or of a running server with `--url`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    CliError, Ended,
    admin::Remote,
    flags::{DataFlags, SnapshotFlags},
    open::open_offline,
    output::quoted,
    prepare,
    watch::watched,
};
use crate::{
    app::{
        AppError,
        offline::{Offline, has_log},
    },
    config::Config,
    domain::Principal,
    log::OpenError,
    snapshots::{SnapshotFolder, retention::Retention, verify},
};

#[derive(Debug, Args)]
pub(super) struct Snapshot {
    #[command(flatten)]
    place: PlaceFlags,
    #[command(subcommand)]
    what: What,
}

/// Where the data and the snapshots are.
#[derive(Debug, Clone, Args)]
pub(super) struct PlaceFlags {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    snapshots: SnapshotFlags,
    /// A running server, such as <http://127.0.0.1:8080>; required while it has the folder open.
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create a snapshot of everything recorded so far.
    Create,
    /// List the snapshots.
    List,
    /// Show what a snapshot holds.
    Inspect { name: String },
    /// Read every file of a snapshot and report all problems.
    Verify { name: String },
    /// Delete a snapshot.
    Delete { name: String },
    /// Delete scheduled snapshots that retention does not keep.
    Prune {
        /// Number of days for which to keep the newest [default: as configured].
        #[arg(long, value_name = "DAYS")]
        keep_daily: Option<usize>,
        /// Number of weeks for which to keep the newest [default: as configured].
        #[arg(long, value_name = "WEEKS")]
        keep_weekly: Option<usize>,
        /// Only show which would be deleted.
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a running server restore its newest snapshot into a scratch folder and verify it.
    Try,
}

impl PlaceFlags {
    /// The configuration with these flags.
    pub(super) fn config(&self, file: Option<PathBuf>) -> Result<Config, CliError> {
        let mut flags = self.data.values();
        flags.extend(self.snapshots.values());
        Ok(prepare(file, flags)?.config)
    }

    /// The same location flags for another command line, a space before each flag.
    pub(super) fn in_shell(&self, file: Option<&Path>) -> String {
        let given = [
            ("--config", file.map(|path| path.display().to_string())),
            ("--data", self.data.text("data").map(str::to_owned)),
            ("--snapshots", self.snapshots.text("snapshots").map(str::to_owned)),
            ("--url", self.url.clone()),
        ];
        let flags = given.into_iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted(&value?))));
        flags.collect()
    }
}

impl Snapshot {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = self.place.config(file)?;
        let summary = match &self.place.url {
            Some(url) => self.what.of_server(&Remote::new(url, &config))?,
            None => self.what.of_folder(config)?,
        };
        if let (What::Create, Some(notice)) = (&self.what, summary["people"]["left_out"].as_str()) {
            eprintln!("aisled: {notice}");
        }
        println!("{summary}");
        Ok(if summary["ok"] == false { Ended::FoundProblems } else { Ended::Well })
    }
}

impl What {
    fn of_server(&self, server: &Remote) -> anyhow::Result<Value> {
        let of = |name: &str| format!("/api/v1/admin/snapshots/{name}");
        match self {
            Self::Create => Ok(server.run("/api/v1/admin/snapshots", &json!({}))?),
            Self::List => {
                let listed = server.get("/api/v1/admin/snapshots")?;
                listed["snapshots"].as_array().into_iter().flatten().for_each(print_row);
                Ok(json!({ "snapshots": listed["snapshots"].as_array().map_or(0, Vec::len) }))
            }
            Self::Inspect { name } => server.get(&of(name)),
            Self::Verify { name } => Ok(judged(server.run(&format!("{}/verify", of(name)), &json!({}))?)),
            Self::Delete { name } => server.delete(&of(name)).map(|_| json!({ "deleted": name })),
            Self::Prune { keep_daily, keep_weekly, dry_run } => {
                let body = json!({ "keep_daily": keep_daily, "keep_weekly": keep_weekly, "dry_run": dry_run });
                server.post("/api/v1/admin/snapshots/prune", &body)
            }
            Self::Try => server.run("/api/v1/admin/self-restore", &json!({})),
        }
    }

    fn of_folder(&self, config: Config) -> anyhow::Result<Value> {
        let folder = SnapshotFolder::new(&config.snapshots);
        match self {
            Self::Create => {
                anyhow::ensure!(has_log(&config.data)?, "there is no event log in {}", config.data.display());
                let offline = open_offline(config)?;
                Ok(serde_json::to_value(watched(|progress| Ok(offline.snapshot(&admin()?, false, progress)?))?)?)
            }
            Self::List => {
                let listed = folder.list();
                listed.iter().filter_map(|one| serde_json::to_value(one).ok()).for_each(|row| print_row(&row));
                Ok(json!({ "snapshots": listed.len() }))
            }
            Self::Inspect { name } => Ok(serde_json::to_value(folder.open(name)?.manifest)?),
            Self::Verify { name } => {
                let (snapshot, _hold) = (folder.open(name)?, folder.hold()?);
                Ok(judged(serde_json::to_value(watched(|progress| Ok(verify(&snapshot, progress)))?)?))
            }
            Self::Delete { name } => delete(config, std::slice::from_ref(name), false).map(|()| json!({ "deleted": name })),
            Self::Prune { keep_daily, keep_weekly, dry_run } => prune(config, &folder, (*keep_daily, *keep_weekly), *dry_run),
            Self::Try => {
                anyhow::bail!(
                    "add the server that runs the test with --url, or restore into a new folder with `aisled restore --data NEW_FOLDER`"
                )
            }
        }
    }
}

/// Removes snapshots. The log of the data folder, if it has one, records it: then no server may have it open.
fn delete(config: Config, names: &[String], scheduled: bool) -> anyhow::Result<()> {
    if !has_log(&config.data)? {
        let folder = SnapshotFolder::new(&config.snapshots);
        let claim = folder.claim()?;
        return Ok(names.iter().try_for_each(|name| folder.delete(name, &claim))?);
    }
    let offline = Offline::open(config).map_err(|error| match error {
        AppError::Open(OpenError::InUse { .. }) => anyhow::anyhow!("{error}; add --url, so that the server removes it and records it"),
        other @ (AppError::Folder(_)
        | AppError::Open(_)
        | AppError::Log(_)
        | AppError::Listen { .. }
        | AppError::Demo(_)
        | AppError::People(_)
        | AppError::Server(_)) => other.into(),
    })?;
    if let Some(damage) = offline.damage() {
        eprintln!("aisled: this is not recorded in the log, because the log cannot be opened: {damage}");
    }
    Ok(offline.delete_snapshots(names, &admin()?, scheduled)?)
}

fn prune(config: Config, folder: &SnapshotFolder, (daily, weekly): (Option<usize>, Option<usize>), dry_run: bool) -> anyhow::Result<Value> {
    let kept = config.retention();
    let retention = Retention { daily: daily.unwrap_or(kept.daily), weekly: weekly.unwrap_or(kept.weekly) };
    let removed = retention.expired(&folder.whole());
    if !dry_run && !removed.is_empty() {
        delete(config, &removed, true)?;
    }
    Ok(json!({ "removed": removed, "dry_run": dry_run }))
}

/// The result of a verification with the verdict scripts look for.
fn judged(mut verified: Value) -> Value {
    let problems = verified["problems"].as_array().cloned().unwrap_or_default();
    for problem in &problems {
        let position = problem["position"].as_str().map(|position| format!(", position {position}")).unwrap_or_default();
        eprintln!("aisled: {}{position}: {}", problem["file"].as_str().unwrap_or_default(), problem["reason"].as_str().unwrap_or_default());
    }
    verified["ok"] = json!(problems.is_empty());
    verified
}

fn print_row(row: &Value) {
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    if let Some(problem) = row["problem"].as_str() {
        return println!("{:<28} BROKEN: {problem}", text("name"));
    }
    let kind = if row["scheduled"] == true { "scheduled" } else { "by hand" };
    let megabytes = row["bytes"].as_u64().unwrap_or_default() / 1_000_000;
    println!("{:<28} position {:>10}  up to {:<28} {megabytes:>5} MB  {kind}", text("name"), text("position"), text("last_at"));
}

/// The principal recorded for work at a terminal.
pub(super) fn admin() -> anyhow::Result<Principal> {
    Ok(Principal::new("admin")?)
}
