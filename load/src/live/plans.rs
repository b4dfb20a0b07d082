//! Fan-out, many topics, burst and spike: the same publications to subscribers, in other numbers.

use std::time::Duration;

use super::{
    publish::Plan,
    publisher::{Publications, Subject},
    schedule::Schedule,
    stage::Common,
};

/// Before measuring: code and connections are warm.
const WARM_UP: Duration = Duration::from_millis(500);

/// What the scenarios with publications take.
#[derive(Debug, Clone, clap::Args)]
pub struct Texts {
    /// What is changed by a publication.
    #[arg(long, value_enum, default_value_t)]
    pub subject: Subject,
    /// Length of the text in a publication; a product's name has at most 280 bytes, a list's note 1,900.
    #[arg(long, default_value_t = 64)]
    pub payload: usize,
    /// Connections of the publisher: this many publications can be under way.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
}

/// N clients follow the same topics.
#[derive(Debug, Clone, clap::Args)]
pub struct FanOut {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub texts: Texts,
    #[arg(long, default_value_t = 1_000)]
    pub clients: usize,
    /// Publications a second.
    #[arg(long, default_value_t = 50.0)]
    pub rate: f64,
    /// Publications that are due at the same time.
    #[arg(long, default_value_t = 1)]
    pub burst: usize,
    /// Topics that the publications go round; every client follows them all.
    #[arg(long, default_value_t = 1)]
    pub topics: usize,
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
}

impl FanOut {
    pub fn plan(&self) -> Plan {
        let seconds = Duration::from_secs_f64(self.seconds);
        let schedule = Schedule::default().phase("warm-up", self.rate, self.burst, self.topics, WARM_UP).unmeasured().phase(
            "latency",
            self.rate,
            self.burst,
            self.topics,
            seconds,
        );
        let publications = self.texts.publications(self.burst);
        Plan { scenario: "fan-out", clients: self.clients, topics: self.topics, topics_each: self.topics, publications, schedule }
    }
}

/// N clients follow M topics each, of many.
#[derive(Debug, Clone, clap::Args)]
pub struct ManyTopics {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub texts: Texts,
    #[arg(long, default_value_t = 1_000)]
    pub clients: usize,
    /// Topics there are.
    #[arg(long, default_value_t = 500)]
    pub topics: usize,
    /// Topics of each client.
    #[arg(long, default_value_t = 20)]
    pub each: usize,
    /// Publications a second, going round the topics.
    #[arg(long, default_value_t = 500.0)]
    pub rate: f64,
    #[arg(long, default_value_t = 10.0)]
    pub seconds: f64,
}

impl ManyTopics {
    pub fn plan(&self) -> Plan {
        let schedule = Schedule::default().phase("warm-up", self.rate, 1, self.topics, WARM_UP).unmeasured().phase(
            "latency",
            self.rate,
            1,
            self.topics,
            Duration::from_secs_f64(self.seconds),
        );
        let (topics_each, publications) = (self.each.min(self.topics), self.texts.publications(1));
        Plan { scenario: "many-topics", clients: self.clients, topics: self.topics, topics_each, publications, schedule }
    }
}

/// Nothing for a while, then many publications at once, repeatedly.
#[derive(Debug, Clone, clap::Args)]
pub struct Burst {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub texts: Texts,
    #[arg(long, default_value_t = 1_000)]
    pub clients: usize,
    /// Publications at once.
    #[arg(long, default_value_t = 100)]
    pub publications: usize,
    /// Topics they go round; every client follows them all.
    #[arg(long, default_value_t = 10)]
    pub topics: usize,
    #[arg(long, default_value_t = 3)]
    pub repeats: usize,
    /// Seconds from one burst to the next.
    #[arg(long, default_value_t = 3.0)]
    pub idle: f64,
}

impl Burst {
    pub fn plan(&self) -> Plan {
        let idle = Duration::from_secs_f64(self.idle);
        let quiet =
            Schedule::default().phase("warm-up", 10.0, 1, self.topics, WARM_UP).unmeasured().phase("idle", 0.0, 1, 1, idle).unmeasured();
        let schedule = (0..self.repeats).fold(quiet, |schedule, _| schedule.burst("burst", self.publications, self.topics, idle));
        let publications = self.texts.publications(self.publications);
        Plan { scenario: "burst", clients: self.clients, topics: self.topics, topics_each: self.topics, publications, schedule }
    }
}

/// A rate, ten times of it, and the rate again.
#[derive(Debug, Clone, clap::Args)]
pub struct Spike {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub texts: Texts,
    #[arg(long, default_value_t = 200)]
    pub clients: usize,
    /// Publications a second before and after.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    #[arg(long, default_value_t = 10.0)]
    pub factor: f64,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
}

impl Spike {
    pub fn plan(&self) -> Plan {
        let seconds = Duration::from_secs_f64(self.seconds);
        let schedule = Schedule::default()
            .phase("warm-up", self.rate, 1, 1, WARM_UP)
            .unmeasured()
            .phase("before", self.rate, 1, 1, seconds)
            .phase("spike", self.rate * self.factor, 1, 1, seconds)
            .phase("after", self.rate, 1, 1, seconds);
        Plan { scenario: "spike", clients: self.clients, topics: 1, topics_each: 1, publications: self.texts.publications(1), schedule }
    }
}

impl Texts {
    /// Enough connections for the publications that are due together.
    pub fn publications(&self, together: usize) -> Publications {
        Publications { subject: self.subject, payload_bytes: self.payload, connections: self.connections.max(together.min(64)) }
    }
}
