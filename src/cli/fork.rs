//! `aisled fork`: tries commands on a copy of the log in memory; prints their outcomes and the lists' totals before and after.

use std::{
    collections::BTreeMap,
    io::BufRead,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{CliError, Ended, flags::DataFlags, open::open_existing, output::print_json, prepare};
use crate::{
    debug::fork::{self, ForkError, Totals, Verdict, WhatIf},
    domain::{ListId, StreamKind},
    events::Position,
    exchange::files,
};

#[derive(Debug, Args)]
pub(super) struct Fork {
    #[command(flatten)]
    data: DataFlags,
    /// Copy the log up to and including this position.
    #[arg(long, value_name = "POSITION")]
    at: Position,
    /// Commands, one JSON object per line: {"stream":"list/weekly","command":{"op":"check","item":"i1"},"who":"ann"}.
    #[arg(long = "do", value_name = "FILE")]
    commands: PathBuf,
    /// Compare the totals of this list; may be repeated [default: the lists in the commands].
    #[arg(long = "list", value_name = "ID")]
    lists: Vec<ListId>,
}

type AllTotals = BTreeMap<ListId, Option<Totals>>;

impl Fork {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let commands = read_commands(&self.commands)?;
        let lists = self.compared(&commands);
        let log = open_existing(&config)?;
        let mut fork = fork::Fork::at(&*log, self.at).map_err(|error| match error {
            ForkError::Log(error) => CliError::Failed(error.into()),
            ForkError::Position(reason) => CliError::Usage(reason),
        })?;
        let before = totals(&mut fork, &lists)?;
        let (mut done, mut refused) = (0_u64, 0_u64);
        for command in &commands {
            let decided = fork.attempt(command).map_err(anyhow::Error::from)?;
            *(if decided.outcome == Verdict::Refused { &mut refused } else { &mut done }) += 1;
            print_json(&decided)?;
        }
        let after = totals(&mut fork, &lists)?;
        let compared: BTreeMap<_, _> = lists.iter().map(|id| (id, json!({"before": before.get(id), "after": after.get(id)}))).collect();
        print_json(&json!({"position": self.at, "done": done, "refused": refused, "lists": compared, "ok": true}))?;
        Ok(Ended::Well)
    }

    fn compared(&self, commands: &[WhatIf]) -> Vec<ListId> {
        if !self.lists.is_empty() {
            return self.lists.clone();
        }
        let named = commands.iter().filter(|command| command.stream.kind() == StreamKind::List);
        let mut lists: Vec<_> = named.filter_map(|command| ListId::new(command.stream.id()).ok()).collect();
        lists.sort_unstable();
        lists.dedup();
        lists
    }
}

fn totals(fork: &mut fork::Fork<'_>, lists: &[ListId]) -> anyhow::Result<AllTotals> {
    lists.iter().map(|id| Ok((id.clone(), fork.totals(id)?))).collect()
}

fn read_commands(file: &Path) -> Result<Vec<WhatIf>, CliError> {
    let lines = files::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut commands = Vec::new();
    for (line, number) in lines.lines().zip(1_u64..) {
        let line = line.with_context(|| format!("{} cannot be read", file.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let command =
            serde_json::from_str(&line).map_err(|error| CliError::Usage(format!("{}: line {number}: {error}", file.display())))?;
        commands.push(command);
    }
    Ok(commands)
}
