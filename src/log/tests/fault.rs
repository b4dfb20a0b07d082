//! Steps that fail or hang, and how all of them are tried.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use rustix::io::Errno;

use super::states::quick_folder;
use crate::disk::watch::{Observer, Step, observe};

const KINDS: [&str; 11] =
    ["open", "create", "allocate", "write", "sync", "sync_folder", "rename", "link", "remove", "create_folder", "remove_folder"];
/// Whatever fails, nothing may take longer.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Makes a step fail.
pub struct Fault {
    pub kind: &'static str,
    pub number: u64,
    and_later: bool,
    errno: Errno,
    seen: AtomicU64,
    is_over: AtomicBool,
}

impl Fault {
    pub fn new(kind: &'static str, number: u64, and_later: bool, errno: Errno) -> Arc<Self> {
        Arc::new(Self { kind, number, and_later, errno, seen: AtomicU64::new(0), is_over: AtomicBool::new(false) })
    }

    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Observer for Fault {
    fn before(&self, step: &Step<'_>) -> io::Result<()> {
        if step.kind() != self.kind || self.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = number == self.number || (self.and_later && number > self.number);
        if fails { Err(self.errno.into()) } else { Ok(()) }
    }
}

/// Fails a test that hangs, with a message.
pub fn bounded<T: Send + 'static>(what: String, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waits) = mpsc::channel();
    let worker = thread::spawn(move || drop(done.send(work())));
    match waits.recv_timeout(PATIENCE) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: it hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(worker.join().unwrap_err()),
    }
}

/// Tries every fault; otherwise, where that takes long, only one of several.
const ALL_VARIABLE: &str = "AISLED_FAULTS_ALL";
const WAYS: [(Errno, bool); 4] = [(Errno::IO, false), (Errno::NOSPC, true), (Errno::NOSPC, false), (Errno::IO, true)];

/// Tries faults in what is done to a folder: of each kind as many as there are steps, and one more.
pub fn try_all(one_of: u64, prepare: impl Fn(&Path), act: impl Fn(&Path, &Fault) + Clone + Send + 'static, check: impl Fn(&Path, &str)) {
    let one_of = if std::env::var(ALL_VARIABLE).is_ok() { 1 } else { one_of };
    let (mut tried, mut turn) = (0, 0);
    for kind in KINDS {
        for number in 1.. {
            let mut steps = number;
            for (way, (errno, and_later)) in (0..).zip(WAYS) {
                if number > 1 && (number + turn + way) % one_of != 0 {
                    continue;
                }
                let fault = Fault::new(kind, number, and_later, errno);
                try_one(&fault, &prepare, act.clone(), &check);
                steps = fault.seen.load(Ordering::Relaxed);
                tried += 1;
            }
            turn += 1;
            if steps < number {
                break;
            }
        }
    }
    println!("{tried} faults were tried");
}

fn try_one(fault: &Arc<Fault>, prepare: &impl Fn(&Path), act: impl Fn(&Path, &Fault) + Send + 'static, check: &impl Fn(&Path, &str)) {
    let (dir, again) = (quick_folder(), if fault.and_later { " and later" } else { "" });
    prepare(dir.path());
    let what = format!("{} {}{again} fails with {:?}", fault.kind, fault.number, fault.errno);
    let observation = observe(dir.path(), fault.clone());
    let (there, known) = (dir.path().to_owned(), Arc::clone(fault));
    bounded(what.clone(), move || act(&there, &known));
    drop(observation);
    check(dir.path(), &what);
}

/// Blocks inside one sync of a journal until released.
#[derive(Default)]
pub struct Hang {
    hangs: Mutex<bool>,
    changed: Condvar,
}

impl Observer for Hang {
    fn before(&self, step: &Step<'_>) -> io::Result<()> {
        if matches!(step, Step::Sync(path) if path.extension().is_some_and(|kind| kind == "journal")) {
            self.changed.wait_while(&mut self.hangs.lock(), |hangs| *hangs);
        }
        Ok(())
    }
}

impl Hang {
    pub fn set(&self, hangs: bool) {
        *self.hangs.lock() = hangs;
        self.changed.notify_all();
    }
}
