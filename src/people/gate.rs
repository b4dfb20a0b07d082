//! How many passwords are hashed at once: each takes 19 MiB and a core.

use parking_lot::{Condvar, Mutex};

/// Hashes at once.
const RUNNING_MAX: usize = 2;
/// Hashes that wait for one of them; the next is refused.
const WAITING_MAX: usize = 32;

/// A line in front of the hashes.
#[derive(Debug, Default)]
pub struct Gate {
    line: Mutex<Line>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    running: usize,
    waiting: usize,
}

/// The right to hash, given back when dropped.
#[derive(Debug)]
pub struct Pass<'a>(&'a Gate);

impl Gate {
    /// Waits in line, or returns `None` where it is full. Blocks: call on a thread that may.
    pub fn enter(&self) -> Option<Pass<'_>> {
        let mut line = self.line.lock();
        if line.running >= RUNNING_MAX && line.waiting >= WAITING_MAX {
            return None;
        }
        line.waiting += 1;
        self.freed.wait_while(&mut line, |line| line.running >= RUNNING_MAX);
        line.waiting -= 1;
        line.running += 1;
        Some(Pass(self))
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.line.lock().running -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_line_is_full_the_next_is_refused_and_a_freed_place_is_given() {
        let gate = Gate::default();
        let first = gate.enter().expect("the gate is free");
        let _second = gate.enter().expect("a second may run");
        gate.line.lock().waiting = WAITING_MAX;
        assert!(gate.enter().is_none(), "the line is full");
        gate.line.lock().waiting = 0;
        drop(first);
        assert!(gate.enter().is_some());
    }

    #[test]
    fn those_who_wait_run_two_at_a_time_and_all_come_through() {
        let (gate, most) = (Gate::default(), Mutex::new(0));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let _pass = gate.enter().expect("twenty fit into the line");
                    let running = gate.line.lock().running;
                    let mut most = most.lock();
                    *most = running.max(*most);
                });
            }
        });
        assert!((1..=RUNNING_MAX).contains(&*most.lock()));
        let line = gate.line.lock();
        assert_eq!((line.running, line.waiting), (0, 0));
    }
}
