//! `aisled-load live <scenario>`: loads on the live gateway of a running server. Publications go out in an open loop, latency counts
//! from the intended time, and every client checks that it misses nothing and receives nothing twice.

mod chart;
mod checks;
mod churn;
mod client;
pub mod floor;
pub mod handshake;
pub mod idle;
mod meter;
mod outcome;
pub mod plans;
pub mod publish;
pub mod publisher;
mod schedule;
pub mod slow_readers;
mod soak;
mod stage;
pub mod stalled_memory;
pub mod storm;
mod strace;
mod tally;
mod watch;

use anyhow::Result;

pub use self::{outcome::Outcome, stage::Common};

/// What is done to the server.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Scenario {
    FanOut(plans::FanOut),
    ManyTopics(plans::ManyTopics),
    Burst(plans::Burst),
    Spike(plans::Spike),
    Storm(storm::Storm),
    SlowReaders(slow_readers::SlowReaders),
    StalledMemory(stalled_memory::StalledMemory),
    Churn(churn::Churn),
    Soak(soak::Soak),
    Idle(idle::Idle),
    Handshake(handshake::Handshake),
}

impl Scenario {
    pub async fn run(&self) -> Result<Outcome> {
        match self {
            Self::FanOut(options) => publish::run(&options.common, options.plan()).await,
            Self::ManyTopics(options) => publish::run(&options.common, options.plan()).await,
            Self::Burst(options) => publish::run(&options.common, options.plan()).await,
            Self::Spike(options) => publish::run(&options.common, options.plan()).await,
            Self::Storm(options) => storm::run(options).await,
            Self::SlowReaders(options) => slow_readers::run(options).await,
            Self::StalledMemory(options) => stalled_memory::run(options).await,
            Self::Churn(options) => churn::run(options).await,
            Self::Soak(options) => soak::run(options).await,
            Self::Idle(options) => idle::run(options).await,
            Self::Handshake(options) => handshake::run(options).await,
        }
    }

    fn common(&self) -> &Common {
        match self {
            Self::FanOut(options) => &options.common,
            Self::ManyTopics(options) => &options.common,
            Self::Burst(options) => &options.common,
            Self::Spike(options) => &options.common,
            Self::Storm(options) => &options.common,
            Self::SlowReaders(options) => &options.common,
            Self::StalledMemory(options) => &options.common,
            Self::Churn(options) => &options.common,
            Self::Soak(options) => &options.common,
            Self::Idle(options) => &options.common,
            Self::Handshake(options) => &options.common,
        }
    }
}

/// Runs one scenario and reports its outcome.
pub async fn run(scenario: &Scenario) -> Result<()> {
    scenario.run().await?.tell(scenario.common().out.as_deref())
}
