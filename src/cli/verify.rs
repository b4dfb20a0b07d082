//! `aisled verify`: checks the log without trusting it, then replays it twice and compares the results.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use serde_json::{Value, json};

use super::{
    CliError, Ended,
    flags::DataFlags,
    open::open_existing,
    prepare,
    replay::{Digests, Rebuilt},
};
use crate::{
    config::Config,
    events::{Log, Position},
    log::verify::{VerifyReport, verify_chain},
};

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    data: DataFlags,
}

impl Verify {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let started = Instant::now();
        let found = verify(&config).unwrap_or_else(|error| Found::nothing(format!("{error:#}")));
        for problem in &found.problems {
            eprintln!("aisled: {problem}");
        }
        println!("{}", found.summary(started.elapsed().as_secs_f64()));
        Ok(if found.problem_count == 0 { Ended::Well } else { Ended::FoundProblems })
    }
}

/// What is known of the log in the end.
struct Found {
    events: u64,
    last_position: Position,
    digests: Digests,
    problems: Vec<String>,
    problem_count: u64,
}

impl Found {
    fn nothing(problem: String) -> Self {
        Self { events: 0, last_position: Position::START, digests: Digests::default(), problems: vec![problem], problem_count: 1 }
    }

    fn of(report: &VerifyReport, digests: Digests) -> Self {
        let problems = report.problems.iter().map(|problem| format!("position {}: {}", problem.position, problem.reason)).collect();
        Self { events: report.events, last_position: report.last_position, digests, problems, problem_count: report.problem_count }
    }

    fn summary(&self, seconds: f64) -> Value {
        json!({
            "events": self.events,
            "last_position": self.last_position,
            "digests": self.digests,
            "seconds": (seconds * 1000.0).round() / 1000.0,
            "problems": self.problem_count,
            "ok": self.problem_count == 0,
        })
    }
}

fn verify(config: &Config) -> anyhow::Result<Found> {
    let log = open_existing(config)?;
    let mut first = Rebuilt::default();
    let report = verify_chain(&log, &mut |recorded| first.apply(&recorded))?;
    let digests = first.digests();
    drop(first);
    let mut found = Found::of(&report, digests);
    if found.problem_count == 0 {
        compare(&*log, &mut found)?;
    }
    Ok(found)
}

/// The second replay: the same events must give the same state, byte for byte.
fn compare(log: &dyn Log, found: &mut Found) -> anyhow::Result<()> {
    let again = Rebuilt::from_log(log, None)?.digests();
    for (projection, digest) in &found.digests {
        if again.get(projection) != Some(digest) {
            found.problems.push(format!("position {}: two replays differ in {projection}", found.last_position));
            found.problem_count += 1;
        }
    }
    Ok(())
}
