//! `aisled-load bench`: measures the rows of `docs/performance.md`, each on a folder of its own, and prints one table.
//! Nothing here fails a build: a row that cannot be measured states why.

mod append_rows;
mod cold_rows;
mod contest;
mod data_rows;
mod doubling_rows;
mod folder;
mod growth_rows;
pub mod live;
mod live_bench;
mod live_rows;
mod live_state_rows;
mod log_rows;
pub mod log_step;
mod long_history;
pub mod long_log;
mod members_rows;
mod peer;
mod rights_rows;
mod server;
mod server_rows;
mod sign_in_rows;
mod snapshot_rows;
mod synthetic;
mod table;
mod travel_rows;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};

use self::table::Table;

/// How often each short measurement is repeated; the median is shown.
const RUNS: usize = 3;

#[derive(Clone, clap::Args)]
pub struct Options {
    /// The server's binary, built for release.
    #[arg(long, default_value = "target/dist/aisled")]
    server: PathBuf,
    /// The folder of the real data sets; rows that need them are left out, with a note, if it is absent.
    #[arg(long, env = "AISLED_SHARED_DATA", default_value = "../shared/data")]
    data: PathBuf,
    /// The folder of the stack that is replaced; comparisons are left out, with a note, if it is absent.
    #[arg(long, env = "AISLED_PEER", default_value = "../shared/peers/replaced-stack")]
    peer: PathBuf,
    /// Where the folders of the measured servers go; on the disk that is to be measured.
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Only these rows, such as 1,2,16.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<u8>,
    /// Events of the large synthetic logs of rows 7 and 26.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Households of row 28, each with five members.
    #[arg(long, default_value_t = 10_000)]
    households: usize,
    /// Reads of row 31, and the orders that they go round.
    #[arg(long, default_value_t = 1_000_000)]
    cold_reads: usize,
    #[arg(long, default_value_t = 200_000)]
    cold_orders: usize,
    /// Accounts that sign in in row 29.
    #[arg(long, default_value_t = 200)]
    sign_ins: usize,
}

/// What every row needs.
struct Bench {
    options: Options,
    scratch: tempfile::TempDir,
    table: Table,
}

impl Bench {
    /// Whether the row was asked for.
    fn wants(&self, row: u8) -> bool {
        self.options.rows.is_empty() || self.options.rows.contains(&row)
    }

    /// A new folder for one server or log.
    fn folder(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Measures a group of rows, unless none of them was asked for; a failure becomes a line of the table.
    fn group(&mut self, rows: &[u8], name: &str, measure: impl FnOnce(&mut Self) -> Result<()>) {
        if !rows.iter().any(|row| self.wants(*row)) {
            return;
        }
        let begin = Instant::now();
        eprintln!("measuring {name} …");
        if let Err(error) = measure(self) {
            for row in rows.iter().filter(|row| self.options.rows.is_empty() || self.options.rows.contains(row)) {
                self.table.missing(*row, name, &format!("{error:#}"));
            }
        }
        eprintln!("  {:.1} s", begin.elapsed().as_secs_f64());
    }
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let scratch = scratch_folder(options.scratch.as_deref())?;
    let load_before = load_average();
    let mut bench = Bench { options: options.clone(), scratch, table: Table::default() };
    bench.group(&[20], "the empty server", server_rows::empty_server);
    bench.group(&[1, 2, 3], "commands, the floor and the replaced stack in turn", contest::commands);
    bench.group(&[1, 16, 9], "commands, reads and live totals", server_rows::http);
    bench.group(&[4], "log append", append_rows::append);
    bench.group(&[17], "time travel", travel_rows::travel);
    bench.group(&[6, 8, 19, 5, 7, 18], "the real data", data_rows::real_data);
    bench.group(&[7], "a large log", data_rows::large_log);
    bench.group(&[26], "growth of the log", growth_rows::growth);
    bench.group(&[27], "requests with a member's token", rights_rows::rights);
    bench.group(&[28], "memory of households", members_rows::memory);
    bench.group(&[29], "sign-in", sign_in_rows::sign_in);
    bench.group(&[30], "collections that double", |bench| {
        doubling_rows::doubling(bench);
        Ok(())
    });
    bench.group(&[31], "cold reads", cold_rows::cold_reads);
    println!("{}", bench.table);
    println!("load average before: {load_before}; after: {}; {} cores; client and servers share them", load_average(), cores());
    Ok(())
}

/// A folder of its own for everything that is measured, removed at the end.
fn scratch_folder(within: Option<&Path>) -> Result<tempfile::TempDir> {
    within.map_or_else(tempfile::tempdir, tempfile::tempdir_in).context("no folder for what is measured")
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(0, std::num::NonZero::get)
}
