//! Power cuts at moments that must be waited for: a journal being sealed, a first start, one start after the other.

use std::time::Duration;

use crate::{
    cutter::wait,
    load::{Clients, Load, prepare, write_until_cut},
    machine::Machine,
    support::wait_for,
    watch::log_files,
};

/// Acknowledgements after which no sealing is waited for any more: with large values journals are full long before.
const ACKNOWLEDGED_MAX: u64 = 200;
/// How long after the first file has changed the cut comes at the latest.
const SEALING_LONGEST: Duration = Duration::from_millis(15);
/// Longer than a start on a folder with little in it.
const START_LONGEST: Duration = Duration::from_millis(400);

/// Cuts the power just after the log has made or renamed a file.
pub fn cut_a_sealing(machine: &mut Machine) {
    let cutter = machine.disk.arm();
    let clients = Clients::start(machine, Load::Large);
    clients.hear(machine.random.below(ACKNOWLEDGED_MAX / 4));
    let data = machine.disk.root().join("data");
    let before = log_files(&data);
    let mut heard = 0;
    wait_for("a journal to be sealed, or many acknowledgements", || {
        heard += u64::from(clients.has_heard());
        (heard >= ACKNOWLEDGED_MAX || log_files(&data) != before).then_some(())
    });
    let time = machine.moment(SEALING_LONGEST);
    machine.cut_after(cutter, time);
    clients.end(machine);
}

/// Cuts the first start on an empty disk, or what is written directly after it, and sees that the next start works.
pub fn cut_the_first_start(machine: &mut Machine) {
    machine.format();
    if machine.random.below(2) == 0 {
        cut_a_start(machine);
        machine.boot();
        prepare(machine, Load::Small);
    } else {
        machine.boot();
        prepare(machine, Load::Small);
        write_until_cut(machine, Load::Small, 10, Duration::from_millis(1));
        machine.recover();
    }
    machine.end();
}

/// Writes, ends the server by a power cut or a kill, then lets some starts not come far, each in one or the other way.
pub fn cut_starts(machine: &mut Machine) {
    write_until_cut(machine, Load::Large, 100, Duration::from_millis(5));
    machine.disk.remount();
    if machine.random.below(2) == 0 {
        machine.boot();
        machine.end();
    }
    for _ in 0..=machine.random.below(2) {
        for _ in 0..machine.random.below(3) {
            let time = machine.moment(START_LONGEST);
            let _starting = machine.begin_start();
            wait(time);
        }
        cut_a_start(machine);
    }
    machine.recover();
}

/// Cuts the power during a start, then restores it.
fn cut_a_start(machine: &mut Machine) {
    let time = machine.moment(START_LONGEST);
    cut_a_start_after(machine, time);
}

/// Cuts the power this long after a start has begun, then restores it.
pub fn cut_a_start_after(machine: &mut Machine, time: Duration) {
    let cutter = machine.disk.arm();
    let starting = machine.begin_start();
    cutter.cut_after(time);
    machine.cuts += 1;
    drop(starting);
    machine.disk.remount();
}
