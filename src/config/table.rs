//! The one table of settings. A row defines everything about one: `Config`, its defaults, checks, flags and environment variables,
//! `aisled config` and `docs/settings.md` are made from it. How to add one is in `CONTRIBUTING.md`.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    CatalogWriters, Durability, Entries, Issuer, LogFormat, Network, Secret, WebOrigin,
    fields::{Field, TakenBy, Takes, first_of, number, one_of, settings},
};

settings! {
    /// Address and port of the HTTP and WebSocket server. Port 0 picks a free port.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)), Takes::Address, Server;
    /// Folder of the event log and its checkpoints; one process at a time can use it.
    data: PathBuf = PathBuf::from("data"), Takes::Folder, EveryCommand;
    /// Folder of snapshot files.
    snapshots: PathBuf = PathBuf::from("snapshots"), Takes::Folder, Snapshots;
    /// Passphrase that seals the accounts in snapshots, and opens them in a restore; keep it elsewhere. Without it accounts are left out.
    /// Prefer the environment: every user of the machine can read a flag.
    backup_key: Option<Secret> = None, Takes::Passphrase, Snapshots;
    /// Minutes between scheduled snapshots; 0 turns them off.
    snapshot_every_minutes: u64 = 1_440, number("minutes", 0..=525_600), Server;
    /// Number of days for which to keep the newest scheduled snapshot.
    snapshot_keep_daily: usize = 7, number("days", 0..=3_650), Server;
    /// Number of weeks for which to keep the newest scheduled snapshot.
    snapshot_keep_weekly: usize = 4, number("weeks", 0..=520), Server;
    /// Minutes between test restores of the newest snapshot; 0 turns them off.
    self_restore_every_minutes: u64 = 1_440, number("minutes", 0..=525_600), Server;
    /// When a command is acknowledged: `sync` once it is on disk, `flush` and `periodic` once the operating system has it.
    durability: Durability = Durability::default(), one_of::<Durability>(), EveryCommand;
    /// Milliseconds between flushes under `periodic`: the most that a loss of power can take.
    periodic_flush_ms: u64 = 200, number("milliseconds", 1..=60_000), EveryCommand;
    /// Open a log whose acknowledged events are partly lost or damaged, without the lost ones.
    accept_lost_tail: bool = false, Takes::Switch, EveryCommand;
    /// Mebibytes of the log's older files to read and check each second, continuously; 0 turns it off.
    verify_mib_per_second: u64 = 8, number("MiB a second", 0..=1_024), Server;
    /// Token of the server's owner, for machines that set the server up without a person; with it, requests from this machine need a credential as well.
    /// Prefer the environment: every user of the machine can read a flag.
    admin_token: Option<Secret> = None, Takes::Secret, Server;
    /// Addresses under which clients reach this server through a proxy. The server then answers to their names, their pages may write, and
    /// no request is the local owner's by itself.
    public_url: Vec<WebOrigin> = Vec::new(), Takes::List(Entries::Urls), Server;
    /// Proxies whose `Forwarded` or `X-Forwarded-*` headers name the client's address, scheme and host; from others these headers are ignored.
    trusted_proxies: Vec<Network> = Vec::new(), Takes::List(Entries::Networks), Server;
    /// Other origins whose pages may use the API, with a token; none by default.
    cors_origins: Vec<WebOrigin> = Vec::new(), Takes::List(Entries::Origins), Server;
    /// Ask also requests from this machine to sign in. Without it, a program that reaches the server over the loopback is its owner.
    require_sign_in: bool = false, Takes::Switch, Server;
    /// Who may change products, prices, stores and offers: `members` are owners and adults of any household.
    catalog_writers: CatalogWriters = CatalogWriters::default(), one_of::<CatalogWriters>(), Server;
    /// Address of an `OpenID` provider that people may sign in by; none turns it off. See `docs/oidc.md`.
    oidc_issuer: Option<Issuer> = None, Takes::Issuer, Server;
    /// The name under which the provider knows this server.
    oidc_client_id: String = String::from("aisled"), Takes::Text, Server;
    /// The password of that name, if the provider gave one. Prefer the environment: every user of the machine can read a flag.
    oidc_client_secret: Option<Secret> = None, Takes::Secret, Server;
    /// How the button to sign in by the provider calls it.
    oidc_name: String = String::from("your provider"), Takes::Text, Server;
    /// Add the demo household; adding it twice changes nothing.
    demo: bool = false, Takes::Switch, Server;
    /// Threads of the HTTP server; 0 means one per core.
    workers: usize = 0, number("threads", 0..=1_024), Server;
    /// Dedicated actor threads; 0 runs actors on the HTTP workers' threads, which saves two hops a command.
    actor_threads: usize = 0, number("threads", 0..=1_024), Server;
    /// Maximum number of appends that wait for the log's writer; more are answered with 503.
    append_queue_max: usize = 16_384, number("appends", 1..=1_048_576), Server;
    /// Maximum number of actors in memory; beyond it those that were only read are unloaded first, then the longest idle ones.
    actors_alive_max: usize = 100_000, number("actors", 16..=100_000_000), Server;
    /// Maximum memory of actors, by estimate; beyond it they are unloaded in the same order.
    actors_bytes_max: usize = 268_435_456, number("bytes", 1_048_576..=1_099_511_627_776), Server;
    /// Seconds without a command after which an actor is unloaded.
    actor_idle_seconds: u64 = 300, number("seconds", 1..=86_400), Server;
    /// Maximum size of a request body. A bulk request may be longer, each of its lines up to 64 KiB.
    body_bytes_max: usize = 1_048_576, number("bytes", 1_024..=1_073_741_824), Server;
    /// Maximum number of live sessions; more are closed with 3013.
    sessions_max: usize = 10_000, number("sessions", 1..=1_000_000), Server, limit "sessions_max";
    /// Maximum number of live sessions from one address; more are closed with 3014. All clients of a proxy that is not in `trusted_proxies` share its address.
    sessions_per_address_max: usize = 1_000, number("sessions", 1..=1_000_000), Server, limit "sessions_per_address_max";
    /// Maximum number of live sessions of one principal; more are closed with 3015. Without accounts nearly everybody is `local`.
    sessions_per_principal_max: usize = 1_000, number("sessions", 1..=1_000_000), Server, limit "sessions_per_principal_max";
    /// Maximum lifetime of a live session, plus or minus a tenth; then it is closed with 3003.
    session_lifetime_seconds: u64 = 86_400, number("seconds", 1..=31_536_000), Server, limit "lifetime_ms";
    /// Seconds between pings of a live session; one that is silent for two of them is closed with 3002.
    session_ping_seconds: u64 = 25, number("seconds", 1..=3_600), Server, limit "ping_interval_ms";
    /// Events between checkpoints of the projections: about the most that a start replays.
    checkpoint_every_events: u64 = 200_000, number("events", 1_000..=1_000_000_000), Server;
    /// Format of log lines on standard error.
    log_format: LogFormat = LogFormat::default(), one_of::<LogFormat>(), EveryCommand;
    /// Which log lines are shown, in the syntax of `RUST_LOG`.
    log_filter: String = String::from("info"), Takes::Filter, EveryCommand;
}
