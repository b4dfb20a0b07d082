//! `aisled salvage`: what is left of a log that cannot be opened, found without sled; with `--apply` a new store is made of it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{
    CliError, Ended,
    flags::DataFlags,
    output::{print_json, write_to},
    prepare,
};
use crate::{
    app::{DataFolder, offline::has_log},
    events::{
        Position,
        sled_log::salvage::{self, Salvaged, Survey},
    },
    exchange::{Exported, Format, Range, write_blocks},
    snapshots::SnapshotFolder,
};

#[derive(Debug, Args)]
pub(super) struct Salvage {
    #[command(flatten)]
    data: DataFlags,
    /// The folder of snapshot files, which may have what the log has lost [default: snapshots].
    #[arg(long, value_name = "DIR")]
    snapshots: Option<PathBuf>,
    /// Build the store anew from the longest whole chain; the old files are kept beside it.
    #[arg(long)]
    apply: bool,
    /// Write the events that are readable behind the first gap as NDJSON; compressed if the name ends in .zst or .gz.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

impl Salvage {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        if !has_log(&config.data).map_err(anyhow::Error::from)? {
            return Err(anyhow::anyhow!("there is no event log in {}", config.data.display()).into());
        }
        let history = DataFolder::open(&config.data).map_err(anyhow::Error::from)?;
        let snapshots = SnapshotFolder::new(self.snapshots.as_ref().unwrap_or(&config.snapshots));
        let alone = salvage::Salvage::examine(&history.log(), []).map_err(anyhow::Error::from)?.survey().clone();
        let saved = snapshots.readable_blocks(|epoch| history.shares_with(epoch));
        let examined = salvage::Salvage::examine(&history.log(), saved).map_err(anyhow::Error::from)?;
        if examined.survey().blocks > alone.blocks {
            let (more, whole_to) = (examined.survey().blocks - alone.blocks, alone.whole_to);
            eprintln!(
                "aisled: {more} blocks are only in the snapshots of this history; without them the chain is whole up to position {whole_to}"
            );
        }
        let survey = examined.survey().clone();
        tell(&survey);
        let exported = self.export.as_deref().map(|path| export_behind(&examined, path)).transpose()?.flatten();
        let applied = if self.apply { Some(apply(examined, &history, &survey)?) } else { None };
        print_json(&summary(&survey, exported.as_ref(), applied.as_ref()))?;
        Ok(if survey.is_whole() { Ended::Well } else { Ended::FoundProblems })
    }
}

/// Says on standard error what is whole and every range that is not.
fn tell(survey: &Survey) {
    eprintln!("aisled: {} whole blocks; the chain is whole up to position {}", survey.blocks, survey.whole_to);
    for gap in &survey.missing {
        eprintln!("aisled: missing: positions {} to {}", gap.from, gap.to);
    }
    if survey.blocks_behind > 0 {
        let behind = survey.blocks_behind;
        eprintln!("aisled: {behind} whole blocks are behind the end of the chain; --export FILE writes their events");
    }
    if let Some(acknowledged) = survey.acknowledged.filter(|acknowledged| *acknowledged > survey.whole_to) {
        eprintln!("aisled: everything up to position {acknowledged} was acknowledged");
    }
}

fn export_behind(examined: &salvage::Salvage, path: &Path) -> anyhow::Result<Option<Exported>> {
    // Without an end, so that nobody takes the file for a whole export.
    let range = Range { after: examined.survey().whole_to, to: Position(u64::MAX) };
    write_to(Some(path), |out| Ok(write_blocks(examined.behind(), range, Format::Ndjson, "", out)?))
}

fn apply(examined: salvage::Salvage, history: &DataFolder, survey: &Survey) -> anyhow::Result<Salvaged> {
    let salvaged = examined.apply().context("the log cannot be built anew; it is as it was")?;
    if !survey.is_whole() {
        // Positions will be given out again: nobody may go on from one of the lost.
        history.begin_history(salvaged.last)?;
    }
    eprintln!("aisled: the log is built anew up to position {}; the old files are kept in {}", salvaged.last, salvaged.kept.display());
    Ok(salvaged)
}

fn summary(survey: &Survey, exported: Option<&Exported>, applied: Option<&Salvaged>) -> Value {
    json!({
        "blocks": survey.blocks,
        "whole_to": survey.whole_to,
        "seen": survey.seen,
        "acknowledged": survey.acknowledged,
        "missing": survey.missing,
        "blocks_behind": survey.blocks_behind,
        "exported_events": exported.map(|exported| exported.events),
        "applied": applied.is_some(),
        "kept": applied.map(|salvaged| salvaged.kept.display().to_string()),
        "ok": survey.is_whole(),
    })
}
