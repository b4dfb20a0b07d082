//! `aisled-load log-step`: one step with the long log in a process of its own, so that its memory can be measured and it can be killed.

use std::{path::PathBuf, time::Instant};

use aisled::events::Log;
use anyhow::{Result, ensure};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use super::{
    log_rows,
    long_history::{LongHistory, RESTING, resting},
    server::resident_mb,
    synthetic::Synthetic,
};
use crate::measure::Report;

#[derive(clap::Subcommand)]
pub enum Step {
    /// Continues with the long history.
    Write(Write),
    /// Opens the log, reads idle streams, appends to it, and prints the times.
    Open {
        #[arg(long)]
        data: PathBuf,
        /// Durable appends, each sent when the last one is answered.
        #[arg(long, default_value_t = 0)]
        appends: u64,
    },
}

#[derive(Clone, clap::Args)]
pub struct Write {
    #[arg(long)]
    pub data: PathBuf,
    /// Events of the history that exist.
    #[arg(long)]
    pub from: u64,
    /// Events of the history to reach.
    #[arg(long)]
    pub upto: u64,
    #[arg(long)]
    pub products: u64,
    /// Ends itself with SIGKILL instead of closing the log.
    #[arg(long)]
    pub kill: bool,
}

/// What a step found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Found {
    pub seconds: f64,
    pub events_read: u64,
    pub bytes_read: u64,
    /// What the process grew by while it opened the log.
    pub memory_mb: f64,
    /// The first read of an idle stream, at the median over these streams.
    pub cold_read_ms: f64,
    /// Absent if none was requested.
    pub append_ms: Option<f64>,
}

impl Step {
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Write(write) => write.run(),
            Self::Open { data, appends } => {
                println!("{}", serde_json::to_string(&open(data, *appends)?)?);
                Ok(())
            }
        }
    }
}

impl Write {
    fn run(&self) -> Result<()> {
        let log = log_rows::open_for_writing(&self.data)?;
        let history = LongHistory::after(self.from, self.products);
        log_rows::write(&log, history.take(usize::try_from(self.upto - self.from)?))?;
        if self.kill {
            kill_process(getpid(), Signal::KILL)?;
        }
        Ok(log.close()?)
    }
}

fn open(data: &std::path::Path, appends: u64) -> Result<Found> {
    let before = resident_mb("self")?;
    let opened = log_rows::open_durable(data)?;
    let memory_mb = resident_mb("self")? - before;
    let cold_read_ms = cold_reads(&opened.log)?.quantile_ms(500);
    let append_ms = if appends > 0 { Some(lone_appends(&opened.log, appends)?.quantile_ms(500)) } else { None };
    opened.log.close()?;
    let (seconds, events_read, bytes_read) = (opened.taken.as_secs_f64(), opened.events_read, opened.bytes_read);
    Ok(Found { seconds, events_read, bytes_read, memory_mb, cold_read_ms, append_ms })
}

fn cold_reads(log: &dyn Log) -> Result<Report> {
    let mut report = Report::default();
    for number in 0..RESTING {
        let stream = resting(number);
        // A log that is shorter than usual has not all of them.
        let Some(head) = log.stream_head(&stream) else { continue };
        let begin = Instant::now();
        let events = log.read_stream(&stream, 0, usize::MAX)?;
        report.record(begin.elapsed());
        ensure!(head.version == events.len() as u64, "{stream} was not read whole");
    }
    Ok(report.finish(1.0))
}

fn lone_appends(log: &dyn Log, appends: u64) -> Result<Report> {
    let (synthetic, id, mut report) = (Synthetic::new(), format!("lone-{}", log.head()), Report::default());
    for version in 0..appends {
        let append = synthetic.list(&id, 0, version);
        let begin = Instant::now();
        log.append(append).wait()?;
        report.record(begin.elapsed());
    }
    Ok(report.finish(1.0))
}
