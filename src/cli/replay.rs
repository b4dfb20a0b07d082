//! `aisled replay`: folds the log into every projection and tells what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::PathBuf,
    time::Instant,
};

use clap::Args;
use serde_json::{Value, json};

use super::{CliError, Ended, flags::DataFlags, open::open_existing, prepare};
use crate::{
    domain::StreamKind,
    events::{Log, LogError, Position, Recorded, names::event_name},
    projections::{Views, totals::Totals},
};

#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    data: DataFlags,
    /// Replay up to and including this position.
    #[arg(long, value_name = "POSITION")]
    until: Option<Position>,
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
        let mut rebuilt = Self::default();
        log.scan(Position::START, &mut |recorded| {
            if until.is_some_and(|until| recorded.position > until) {
                return ControlFlow::Break(());
            }
            rebuilt.apply(&recorded);
            ControlFlow::Continue(())
        })?;
        Ok(rebuilt)
    }

    pub(super) fn apply(&mut self, recorded: &Recorded) {
        // Before the first list nobody needs to hear what changed.
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

    /// Counts one more of a name: there are few, so that walking them is quicker than a map.
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
        let log = open_existing(&config)?;
        let started = Instant::now();
        let rebuilt = Rebuilt::from_log(&*log, self.until).map_err(anyhow::Error::from)?;
        let seconds = started.elapsed().as_secs_f64();
        print(&rebuilt, seconds);
        Ok(Ended::Well)
    }
}

fn print(rebuilt: &Rebuilt, seconds: f64) {
    for (name, count) in rebuilt.by_type.iter().collect::<BTreeSet<_>>() {
        println!("{count:>12}  {name}");
    }
    println!("{}", summary(rebuilt, seconds));
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate to show, no money")]
fn summary(rebuilt: &Rebuilt, seconds: f64) -> Value {
    json!({
        "events": rebuilt.events,
        "last_position": rebuilt.last_position,
        "digests": rebuilt.digests(),
        "seconds": (seconds * 1000.0).round() / 1000.0,
        "events_per_second": (rebuilt.events as f64 / seconds.max(0.001)) as u64,
        "ok": true,
    })
}
