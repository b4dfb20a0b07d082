//! Row 4: appends through the library, without HTTP, next to a bare file that takes the same bytes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use aisled::events::Log;
use anyhow::Result;

use super::{
    Bench, RUNS,
    log_rows::{Frames, Window, groups, open_durable},
    synthetic::Synthetic,
    table::Budget::AtLeast,
};
use crate::{
    floor::FloorFile,
    measure::{count, median},
};

/// How long each run takes.
const APPENDING: Duration = Duration::from_secs(2);
/// Groups sealed beforehand, so that the bare file does nothing but write them.
const GROUPS_SEALED: usize = 256;

/// One round: events a second of each, on groups of the same size.
struct Round {
    ours: f64,
    group: f64,
    /// Groups that were sealed beforehand: write and sync only.
    bare: f64,
    /// Groups that are sealed, then written, by one thread.
    sealed: f64,
    group_bytes: f64,
}

/// Single-event commands, with enough under way that the writer finds groups of about the wanted size.
pub fn append(bench: &mut Bench) -> Result<()> {
    for (group, must, aim) in [(64, 150e3, 190e3), (1_024, 400e3, 550e3)] {
        let rounds = (0..RUNS).map(|run| round(&bench.folder(&format!("append-{group}-{run}")), group)).collect::<Result<Vec<_>>>()?;
        let middle = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect(), |value| *value).unwrap_or_default();
        let (found, bytes) = (middle(|round| round.group), middle(|round| round.group_bytes));
        let what = format!("log append, fdatasync, groups of {found:.0} events");
        bench.table.figure(4, what, middle(|round| round.ours), "events/s", AtLeast { must, aim });
        let what = format!("their rate by that of a bare file, groups of {found:.0} events");
        bench.table.figure(4, what, middle(|round| round.ours / round.bare), "x", AtLeast { must: 0.85, aim: 0.95 });
        let per_second = |rate: f64| format!("{:.0} k events/s", rate / 1e3);
        let what = format!("a bare file: the {bytes:.0} bytes of such a group and one fdatasync, again and again");
        bench.table.note(4, what, per_second(middle(|round| round.bare)));
        let what = format!("one thread that encodes, packs and hashes {found:.0} events, writes them and syncs, in turn");
        let (rate, ratio) = (middle(|round| round.sealed), middle(|round| round.ours / round.sealed));
        bench.table.note(4, what, format!("{}, ours {ratio:.2} x", per_second(rate)));
    }
    Ok(())
}

fn round(folder: &Path, group: usize) -> Result<Round> {
    let (ours, found) = append_run(folder, group)?;
    let size = count(found).max(1);
    let (bare, group_bytes) = bare_run(&folder.with_extension("bare"), size)?;
    let sealed = sealing_run(&folder.with_extension("sealed"), size)?;
    Ok(Round { ours, group: found, bare, sealed, group_bytes })
}

/// Events per second, and the mean size of the groups that the writer made.
fn append_run(folder: &Path, group: usize) -> Result<(f64, f64)> {
    let log = open_durable(folder)?.log;
    let (mut window, mut synthetic) = (Window::new(&log, 2 * group), Synthetic::new());
    let (begin, mut appended) = (Instant::now(), 0_u64);
    while begin.elapsed() < APPENDING {
        for _ in 0..group {
            window.push(synthetic.next())?;
        }
        appended += group as u64;
    }
    window.drain()?;
    let rate = appended as f64 / begin.elapsed().as_secs_f64();
    let (events, groups) = groups(&log);
    log.close()?;
    Ok((rate, events as f64 / groups.max(1) as f64))
}

/// Events per second of the bare file, and the mean bytes of a group.
fn bare_run(file: &Path, group: usize) -> Result<(f64, f64)> {
    let (mut frames, mut synthetic) = (Frames::new()?, Synthetic::new());
    let sealed = (0..GROUPS_SEALED).map(|_| frames.group((0..group).map(|_| synthetic.next()))).collect::<Result<Vec<_>>>()?;
    let mut groups = sealed.iter().cycle();
    let rate = commits_per_second(file, || Ok(groups.next().cloned().unwrap_or_default()))?;
    let bytes: usize = sealed.iter().map(Vec::len).sum();
    Ok((rate * group as f64, bytes as f64 / GROUPS_SEALED as f64))
}

fn sealing_run(file: &Path, group: usize) -> Result<f64> {
    let (mut frames, mut synthetic) = (Frames::new()?, Synthetic::new());
    let rate = commits_per_second(file, || frames.group((0..group).map(|_| synthetic.next())))?;
    Ok(rate * group as f64)
}

/// Groups that a file takes in a second, one `fdatasync` each.
fn commits_per_second(file: &Path, mut group: impl FnMut() -> Result<Vec<u8>>) -> Result<f64> {
    let mut file = FloorFile::create(file)?;
    let (begin, mut commits) = (Instant::now(), 0_u64);
    while begin.elapsed() < APPENDING {
        file.commit(&group()?)?;
        commits += 1;
    }
    Ok(commits as f64 / begin.elapsed().as_secs_f64())
}
