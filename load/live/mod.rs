//! `aisled-load live <scenario>`: loads on the live gateway of a running server. Publications go out in an open loop, latency counts
//! from the intended time, and every client checks that it misses nothing and hears nothing twice.

mod chart;
mod checks;
mod client;
mod outcome;
mod publish;
mod publisher;
mod schedule;
mod stage;
mod strace;
mod tally;
mod watch;

use anyhow::Result;

pub use self::{
    outcome::Outcome,
    publish::{Burst, FanOut, ManyTopics, Spike, Texts},
    publisher::Subject,
    stage::{Common, raise_open_files},
};

/// What is done to the server.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Scenario {
    FanOut(FanOut),
    ManyTopics(ManyTopics),
    Burst(Burst),
    Spike(Spike),
}

impl Scenario {
    pub async fn run(&self) -> Result<Outcome> {
        match self {
            Self::FanOut(options) => publish::run(&options.common, options.plan()).await,
            Self::ManyTopics(options) => publish::run(&options.common, options.plan()).await,
            Self::Burst(options) => publish::run(&options.common, options.plan()).await,
            Self::Spike(options) => publish::run(&options.common, options.plan()).await,
        }
    }

    fn common(&self) -> &Common {
        match self {
            Self::FanOut(options) => &options.common,
            Self::ManyTopics(options) => &options.common,
            Self::Burst(options) => &options.common,
            Self::Spike(options) => &options.common,
        }
    }
}

/// Runs one scenario and tells what came of it.
pub async fn run(scenario: &Scenario) -> Result<()> {
    scenario.run().await?.tell(scenario.common().out.as_deref())
}
