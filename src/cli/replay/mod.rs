//! `aisled replay`: folds the log into every projection and prints the result; with `--compare`, whether the live state is the same.

mod compare;
mod filter;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::PathBuf,
    time::Instant,
};

use clap::Args;
use serde_json::{Value, json};

use self::filter::Filter;
use super::{
    CliError, Ended,
    flags::DataFlags,
    open::{open_existing, open_existing_with_folder, or_ask},
    prepare,
};
use crate::{
    config::Config,
    domain::StreamKind,
    events::{Log, LogError, Position, Recorded, names::event_name},
    projections::{Views, totals::Totals},
};

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    filter: Filter,
    /// Print the digest of this projection only.
    #[arg(long, value_name = "NAME")]
    projection: Option<String>,
    /// Compare with the views that the server last saved in the folder; with --url, with its current views.
    #[arg(long)]
    compare: bool,
    /// Compare with a running server instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "compare")]
    url: Option<String>,
}

/// Projection → BLAKE3 digest of its state.
pub(super) type Digests = BTreeMap<&'static str, String>;

/// Everything that follows from the log.
#[derive(Default)]
pub(super) struct Rebuilt {
    views: Views,
    totals: Totals,
    events: u64,
    last_position: Position,
    by_type: Vec<(&'static str, u64)>,
}

impl Rebuilt {
    /// Folds a log from its start.
    ///
    /// # Errors
    /// When the log cannot be read on.
    pub(super) fn from_log(log: &dyn Log, until: Option<Position>) -> Result<Self, LogError> {
        Self::filtered(log, &Filter::up_to(until))
    }

    fn filtered(log: &dyn Log, filter: &Filter) -> Result<Self, LogError> {
        let mut rebuilt = Self::default();
        log.scan(filter.after(), &mut |recorded| {
            if filter.is_behind(recorded.position) {
                return ControlFlow::Break(());
            }
            if filter.wants(&recorded) {
                rebuilt.apply(&recorded);
            }
            ControlFlow::Continue(())
        })?;
        Ok(rebuilt)
    }

    pub(super) fn apply(&mut self, recorded: &Recorded) {
        // Before the first list no changes need reporting.
        if self.totals.is_empty() && recorded.stream.kind() != StreamKind::List {
            self.views.absorb(recorded);
        } else {
            let changes = self.views.apply(recorded);
            self.totals.apply(recorded, &changes, &self.views);
        }
        self.events += 1;
        self.last_position = recorded.position;
        self.count(event_name(&recorded.event));
    }

    /// Adds one to a name: there are few, so that a scan is faster than a map.
    fn count(&mut self, name: &'static str) {
        match self.by_type.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => self.by_type.push((name, 1)),
        }
    }

    pub(super) fn digests(&self) -> Digests {
        let mut digests = self.views.digests();
        digests.insert("totals", self.totals.digest());
        digests
    }
}

impl Replay {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        self.check_projection()?;
        if self.compare && !self.filter.is_none() {
            let reason = "--compare needs the whole log: remove the filters";
            return Err(CliError::Usage(reason.into()));
        }
        match &self.url {
            Some(url) => compare::with_server(url, &config),
            None if self.compare => self.compare_with_folder(&config),
            None => self.replay(&config),
        }
    }

    fn replay(&self, config: &Config) -> Result<Ended, CliError> {
        let log = open_existing(config)?;
        self.filter.check(log.head()).map_err(CliError::Usage)?;
        let started = Instant::now();
        let rebuilt = Rebuilt::filtered(&*log, &self.filter).map_err(anyhow::Error::from)?;
        let seconds = started.elapsed().as_secs_f64();
        for (name, count) in rebuilt.by_type.iter().collect::<BTreeSet<_>>() {
            println!("{count:>12}  {name}");
        }
        println!("{}", self.summary(&rebuilt, seconds));
        Ok(Ended::Well)
    }

    fn compare_with_folder(&self, config: &Config) -> Result<Ended, CliError> {
        let (log, folder) = open_existing_with_folder(config).map_err(or_ask)?;
        compare::with_folder(&*log, &folder)
    }

    fn check_projection(&self) -> Result<(), CliError> {
        let known = Rebuilt::default().digests();
        match self.projection.as_deref().filter(|name| !known.contains_key(name)) {
            None => Ok(()),
            Some(name) => {
                let known: Vec<_> = known.into_keys().collect();
                Err(CliError::Usage(format!("unknown projection {name:?}; the projections are {}", known.join(", "))))
            }
        }
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate to show, no money")]
    fn summary(&self, rebuilt: &Rebuilt, seconds: f64) -> Value {
        let mut digests = rebuilt.digests();
        digests.retain(|name, _| self.projection.as_deref().is_none_or(|wanted| wanted == *name));
        json!({
            "events": rebuilt.events,
            "last_position": rebuilt.last_position,
            "digests": digests,
            "seconds": (seconds * 1000.0).round() / 1000.0,
            "events_per_second": (rebuilt.events as f64 / seconds.max(0.001)) as u64,
            "ok": true,
        })
    }
}
