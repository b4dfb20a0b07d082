//! Processor time and memory of a process and the kernel's sockets, from `/proc`.

use std::{fs, time::Instant};

/// The watched process; `None` if not given.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    pid: Option<u32>,
}

/// What was used up to a moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    at: Instant,
    server_cpu: Option<f64>,
    client_cpu: Option<f64>,
}

/// What was used between two moments.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    pub seconds: f64,
    pub server_cpu: Option<f64>,
    /// Of this process, publisher included.
    pub client_cpu: f64,
}

impl Watch {
    pub fn new(pid: Option<u32>) -> Self {
        Self { pid }
    }

    pub fn pid(self) -> Option<u32> {
        self.pid
    }

    pub fn usage(self) -> Usage {
        Usage { at: Instant::now(), server_cpu: self.pid.and_then(|pid| cpu_seconds(&pid.to_string())), client_cpu: cpu_seconds("self") }
    }

    pub fn since(self, before: Usage) -> Spent {
        let now = self.usage();
        let between = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
        Spent {
            seconds: (now.at - before.at).as_secs_f64(),
            server_cpu: between(now.server_cpu, before.server_cpu),
            client_cpu: between(now.client_cpu, before.client_cpu).unwrap_or(0.0),
        }
    }

    /// Resident memory in kilobytes of 1,024 bytes.
    pub fn resident_kib(self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid?)).ok()?;
        field(&status, "VmRSS:")
    }
}

/// Kernel memory in kibibytes: what the TCP sockets of the machine hold, and all slabs.
pub fn kernel_kib() -> Option<(f64, f64)> {
    let sockets = fs::read_to_string("/proc/net/sockstat").ok()?;
    let tcp = sockets.lines().find(|line| line.starts_with("TCP:"))?;
    let pages: f64 = tcp.split_whitespace().skip_while(|word| *word != "mem").nth(1)?.parse().ok()?;
    let slab = field(&fs::read_to_string("/proc/meminfo").ok()?, "Slab:")?;
    Some((pages * rustix::param::page_size() as f64 / 1_024.0, slab))
}

pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// User and system time, children not included.
pub fn cpu_seconds(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields after it do not.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / rustix::param::clock_ticks_per_second() as f64)
}

fn field(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
