//! Power cuts on a real file system: whatever the server was doing, everything that it had acknowledged is there when it starts again,
//! once and whole. Needs root and loop devices; without them these tests say so and do nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod admin;
mod big_list;
mod cutter;
mod disk;
mod fork;
mod histories;
mod known;
#[allow(dead_code, reason = "each disk is read from its first event anyway")]
#[path = "../crash/ledger.rs"]
mod ledger;
mod load;
mod machine;
mod needs;
mod shopper;
mod stages;
#[path = "../support/mod.rs"]
mod support;
mod upgrade;
mod watch;
#[allow(dead_code, reason = "only the crash test looks at the items")]
#[path = "../crash/writer.rs"]
mod writer;

use std::{
    env,
    io::{self, Write},
    str::FromStr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use load::{Load, prepare, write_until_cut};
use machine::Machine;

/// Of all tests together, which share them.
const CUTS_DEFAULT: u64 = 20;
/// Cuts on one disk; then a new one, so that reading all of it again stays quick.
const CUTS_PER_DISK: u64 = 8;

#[test]
fn a_power_cut_under_load_loses_nothing_that_was_acknowledged() {
    powercuts("under load", 3, |machine| {
        new_or_booted(machine, Load::Small);
        write_until_cut(machine, Load::Small, 250, Duration::from_millis(2));
        machine.recover();
        machine.end();
    });
}

#[test]
fn a_power_cut_under_large_values_loses_nothing_that_was_acknowledged() {
    powercuts("under large values", 3, |machine| {
        new_or_booted(machine, Load::Large);
        write_until_cut(machine, Load::Large, 150, Duration::from_millis(20));
        machine.recover();
        machine.end();
    });
}

#[test]
fn a_power_cut_while_a_journal_is_sealed_loses_nothing_that_was_acknowledged() {
    powercuts("while a journal is sealed", 3, |machine| {
        new_or_booted(machine, Load::Large);
        stages::cut_a_sealing(machine);
        machine.recover();
        machine.end();
    });
}

#[test]
fn a_power_cut_at_the_first_start_leaves_a_folder_that_works() {
    powercuts("at the first start", 2, stages::cut_the_first_start);
}

#[test]
fn power_cuts_and_kills_of_one_start_after_the_other_lose_nothing_that_was_acknowledged() {
    powercuts("at a start", 2, |machine| {
        new_or_booted(machine, Load::Large);
        stages::cut_starts(machine);
        machine.end();
    });
}

#[test]
fn a_power_cut_during_a_snapshot_leaves_all_of_it_or_nothing() {
    powercuts("during a snapshot", 2, histories::cut_a_snapshot);
}

#[test]
fn a_power_cut_during_a_restore_leaves_the_one_or_the_other_history_whole() {
    powercuts("during a restore", 2, histories::cut_a_restore);
}

#[test]
fn a_power_cut_while_a_restore_is_undone_leaves_the_one_or_the_other_history_whole() {
    powercuts("during the undo of a restore", 1, histories::cut_an_undo);
}

#[test]
fn a_power_cut_during_the_upgrade_of_an_old_folder_loses_nothing_of_it() {
    powercuts("during an upgrade", 2, upgrade::cut_an_upgrade);
}

/// Cuts as often as a test's share requires, on a new disk now and then, and reports it.
fn powercuts(when: &str, share: u64, mut round: impl FnMut(&mut Machine)) {
    if !needs::are_met() {
        return;
    }
    let wanted = (setting("AISLED_POWERCUTS").unwrap_or(CUTS_DEFAULT) * share).div_ceil(CUTS_DEFAULT);
    let seed =
        setting("AISLED_POWERCUT_SEED").unwrap_or_else(|| u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()));
    println!("{wanted} power cuts {when}; the same chances again with AISLED_POWERCUT_SEED={seed}");
    let (begun, mut cuts, mut acknowledged) = (Instant::now(), 0, 0);
    while cuts < wanted {
        let mut machine = Machine::new(seed.wrapping_add(cuts));
        while machine.cuts < CUTS_PER_DISK && cuts + machine.cuts < wanted {
            round(&mut machine);
        }
        (cuts, acknowledged) = (cuts + machine.cuts, acknowledged + machine.acknowledged());
    }
    let seconds = begun.elapsed().as_secs_f32();
    let _ = writeln!(io::stderr(), "power cuts {when}: {cuts}, {acknowledged} acknowledged commands, {seconds:.1} s");
}

/// Starts the server, and furnishes it if the disk is new.
fn new_or_booted(machine: &mut Machine, load: Load) {
    machine.boot();
    if machine.cuts == 0 {
        prepare(machine, load);
    }
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
