//! System calls per delivery, counted by `strace` where it is installed. The server is much slower meanwhile.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use super::outcome::Outcome;

/// A count under way, or why there is none.
pub struct Strace(Result<Counting, String>);

struct Counting {
    child: Child,
    summary: tempfile::NamedTempFile,
}

impl Strace {
    pub fn start(pid: Option<u32>) -> Self {
        Self(Self::count(pid))
    }

    fn count(pid: Option<u32>) -> Result<Counting, String> {
        let pid = pid.ok_or("system calls are not counted: --pid is missing")?.to_string();
        let summary = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        let mut command = Command::new("strace");
        command.args(["-c", "-f", "-U", "calls,name", "-p", &pid, "-o"]).arg(summary.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("system calls are not counted: strace: {error}"))?;
        Ok(Counting { child, summary })
    }

    /// Ends the count and adds what was found.
    pub fn tell(self, outcome: &mut Outcome, deliveries: u64) {
        match self.0.and_then(Counting::finish) {
            Ok(calls) => {
                let all: u64 = calls.iter().map(|(_, count)| count).sum();
                outcome.figure("system_calls_per_delivery", all as f64 / deliveries.max(1) as f64);
                for (name, count) in calls.iter().take(6) {
                    outcome.figure(format!("system_calls_{name}"), *count as f64);
                }
            }
            Err(why) => outcome.note(why),
        }
    }
}

impl Counting {
    /// Calls by name, the most frequent first.
    fn finish(mut self) -> Result<Vec<(String, u64)>, String> {
        let wait = |error: std::io::Error| error.to_string();
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().map_err(wait)?;
        self.child.wait().map_err(wait)?;
        let text = fs::read_to_string(self.summary.path()).map_err(wait)?;
        let mut calls: Vec<_> = text.lines().filter_map(call).collect();
        calls.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        if calls.is_empty() { Err("strace counted nothing: may it attach?".into()) } else { Ok(calls) }
    }
}

/// A line such as `  1234 sendto`.
fn call(line: &str) -> Option<(String, u64)> {
    let mut words = line.split_whitespace();
    let (count, name) = (words.next()?.parse().ok()?, words.next()?);
    (name != "total").then(|| (name.to_owned(), count))
}
