//! The one place that wires log, actors, projections and HTTP together, starts them in order and stops them in reverse.

pub mod accounts;
mod admin;
mod authority;
pub mod claims;
pub mod entrance;
mod folder;
pub mod histories;
mod history;
pub mod offline;
pub mod prepare;
mod rebuild;
mod restore;
pub mod schedule;
mod sealed;
mod self_restore;
pub mod snapshot;
mod standing;
mod views;

use std::{io, ops::Deref, sync::Arc};

use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    actors::{
        ActorLimits, CheckpointPlan, Failure, Inspect, Listener, Projector, Registry, Request, Shared, Threads, interest::Interest,
        memos::Memos, shared::Counters,
    },
    config::Config,
    domain::{
        Context,
        system::{ADMIN, System, SystemEvent},
    },
    events::{
        Log, LogError, Position, Served, Skew,
        clock::{Clock, SystemClock},
    },
    live::{Hub, Limits, Rights, Whose},
    log::OpenError,
    past::Past,
    people::{Cost, Ended, Options, People, PeopleError, SetupKeys},
    projections::{SharedViews, Views},
    snapshots::{Operations, WorkError},
};

pub use admin::Admin;
pub use authority::{Authority, catch_up};
pub use entrance::Entrance;
pub use folder::{DataFolder, FolderError};
pub use history::History;
pub use rebuild::{Rebuilt, Switch};
pub use restore::{RestoreOrder, Restored, Undone, blocking};
pub use self_restore::SelfRestored;
pub use standing::gently;
pub use views::saved as saved_views;

/// What every handler uses.
#[derive(Clone)]
pub struct App {
    pub log: Arc<dyn Log>,
    pub registry: Registry,
    pub views: SharedViews,
    /// The position up to which the views have applied the log.
    pub applied: watch::Receiver<Position>,
    pub hub: Arc<Hub>,
    /// Who may do what now.
    pub authority: Arc<Authority>,
    /// The codes that products are about to get.
    pub codes: Arc<claims::CodeClaims>,
    /// The keys of this start.
    pub entrance: Arc<Entrance>,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    /// Identifies this history: positions of different epochs cannot be compared.
    pub epoch: Arc<str>,
    /// How its positions are told from those of another history.
    pub served: Arc<Served>,
    /// How the clock stood to the newest event when this history began to be served.
    pub skew: Skew,
    pub metrics: PrometheusHandle,
    /// The log and its folder, for operations that copy or replace them.
    pub history: History,
    /// What is kept to answer about this history's past.
    pub past: Arc<Past>,
    /// Becomes true when another history replaces it: long-running followers of the log end then.
    pub ended: watch::Receiver<bool>,
}

/// Why the server did not start, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: std::net::SocketAddr, error: io::Error },
    #[error("the demo household could not be recorded: {0}")]
    Demo(String),
    #[error("the accounts cannot be used: {0}")]
    People(PeopleError),
    #[error("the server failed: {0}")]
    Server(io::Error),
}

/// A running server with everything that supports it.
pub struct Running {
    current: ArcSwap<App>,
    threads: Arc<Threads>,
    behind: Mutex<Option<Behind>>,
    operations: Operations,
    self_restored: Mutex<Option<SelfRestored>>,
    /// The keys of this start, until they are shown.
    keys: Mutex<Option<SetupKeys>>,
}

/// What works in the background of the served application.
struct Behind {
    projector: Projector,
    ended: watch::Sender<bool>,
}

/// The application as one request found it. Cheap to clone.
#[derive(Clone)]
pub struct Current(Arc<App>);

impl Deref for Current {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl Running {
    /// Wires everything around an open log. The views are at its head when this returns.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn start(config: Config, history: History, metrics: PrometheusHandle) -> Result<Arc<Self>, AppError> {
        Self::start_with_people(config, history, metrics, people_in_memory(), None)
    }

    /// Like `start`, with these accounts, and the key of this machine's terminal.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn start_with_people(
        config: Config,
        history: History,
        metrics: PrometheusHandle,
        people: People,
        operator: Option<&str>,
    ) -> Result<Arc<Self>, AppError> {
        let authority = Arc::new(Authority::of(&config, people, operator));
        Self::start_with(config, history, metrics, Arc::clone(&authority), authority)
    }

    /// Like `start`, with other rights to live topics than the authority's, for tests of the live protocol.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn start_with_rights(
        config: Config,
        history: History,
        metrics: PrometheusHandle,
        rights: Arc<dyn Rights>,
    ) -> Result<Arc<Self>, AppError> {
        let authority = Arc::new(Authority::of(&config, people_in_memory(), None));
        Self::start_with(config, history, metrics, authority, rights)
    }

    fn start_with(
        config: Config,
        history: History,
        metrics: PrometheusHandle,
        authority: Arc<Authority>,
        rights: Arc<dyn Rights>,
    ) -> Result<Arc<Self>, AppError> {
        let replayed = views::load(&*history.log, history.folder.as_ref())?;
        let hub = Arc::new(Hub::new(Limits::of(&config), rights));
        end_sockets_with_credentials(&authority.people, &hub);
        let threads = Arc::new(Threads::start(config.actor_threads));
        let (entrance, keys) = Entrance::new(&config);
        let frame = Frame { hub, authority, entrance, config: Arc::new(config), clock: Arc::new(SystemClock), metrics };
        let self_restored = Mutex::new(SelfRestored::read(&frame.config.snapshots));
        let (app, behind) = frame.around(history, replayed, &threads);
        Ok(Arc::new(Self {
            current: ArcSwap::from_pointee(app),
            threads,
            behind: Mutex::new(Some(behind)),
            operations: Operations::default(),
            self_restored,
            keys: Mutex::new(Some(keys)),
        }))
    }

    /// The application for a request that begins now.
    #[must_use]
    pub fn current(&self) -> Current {
        Current(self.current.load_full())
    }

    /// The keys of this start, once, for the person who started the server.
    #[must_use]
    pub fn take_keys(&self) -> Option<SetupKeys> {
        self.keys.lock().take()
    }

    /// Running and past admin operations.
    #[must_use]
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// Has the views inspected at exactly the position committed when their turn comes.
    pub(crate) fn look(&self, position: impl FnOnce() -> Position + Send + 'static, inspect: Inspect) {
        if let Some(behind) = &*self.behind.lock() {
            behind.projector.look(position, inspect);
        }
    }

    /// Lends the current thread to entities, if it runs an arbiter and there are no threads of their own.
    pub fn lend_this_thread(&self) {
        self.threads.lend_this();
    }

    /// Stops in the order of the flow: commands first, then the views, then the log.
    ///
    /// # Errors
    /// When the log's last write failed.
    pub async fn stop(&self) -> Result<(), AppError> {
        self.end_history().await?;
        self.threads.stop();
        Ok(())
    }

    /// Lets entities finish, saves the views, and closes the log. The history is read-only afterwards.
    async fn end_history(&self) -> Result<(), AppError> {
        let app = self.current();
        app.registry.stop().await;
        let Some(behind) = self.behind.lock().take() else { return Ok(()) };
        let closing = tokio::task::spawn_blocking(move || behind.end(&*app.log));
        closing.await.map_err(|error| AppError::Server(io::Error::other(error)))?.map_err(AppError::Log)
    }
}

impl Behind {
    /// Saves the views, ends the log's followers, and closes it. Blocks.
    fn end(self, log: &dyn Log) -> Result<(), LogError> {
        self.projector.stop();
        self.ended.send_replace(true);
        log.close()
    }
}

/// What remains when a history is replaced.
pub(super) struct Frame {
    hub: Arc<Hub>,
    authority: Arc<Authority>,
    entrance: Arc<Entrance>,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    metrics: PrometheusHandle,
}

impl Frame {
    fn of(app: &App) -> Self {
        let App { hub, authority, entrance, config, clock, metrics, .. } = app;
        let (hub, authority, entrance) = (Arc::clone(hub), Arc::clone(authority), Arc::clone(entrance));
        Self { hub, authority, entrance, config: Arc::clone(config), clock: Arc::clone(clock), metrics: metrics.clone() }
    }

    /// Wires the flow around a history whose views are at its head.
    fn around(self, history: History, (views, checkpoint): (Views, Position), threads: &Arc<Threads>) -> (App, Behind) {
        let Self { hub, authority, entrance, config, clock, metrics } = self;
        let views: SharedViews = Arc::new(parking_lot::RwLock::new(views));
        authority.begin_history(&views);
        // The views are at the head: nothing before it will ever be published.
        hub.begin_history(history.epoch(), history.log.head());
        let (served, skew) = (history.served(), history.skew(&*clock));
        let shared = Arc::new(Shared {
            log: Arc::clone(&history.log),
            views: Arc::clone(&views),
            listener: Arc::clone(&hub) as Arc<dyn Listener>,
            clock: Arc::clone(&clock),
            interest: Interest::default(),
            memos: history.folder.as_ref().map_or_else(Memos::none, |folder| Memos::at(&folder.memos())),
            lineage: served.lineage.clone(),
            limits: limits(&config),
            counters: Counters::default(),
        });
        let plan = history.folder.as_ref().map(|folder| checkpoint_plan(&config, folder, checkpoint, &history.log));
        let projector = Projector::start(Arc::clone(&shared), plan);
        let (ended_sender, ended) = watch::channel(false);
        let app = App {
            log: Arc::clone(&history.log),
            registry: Registry::start(shared, Arc::clone(threads)),
            views,
            applied: projector.applied(),
            hub,
            authority,
            codes: Arc::default(),
            entrance,
            config,
            clock,
            epoch: history.epoch(),
            served,
            skew,
            metrics,
            history,
            past: Arc::default(),
            ended,
        };
        (app, Behind { projector, ended: ended_sender })
    }
}

/// Accounts that are gone with the process.
fn people_in_memory() -> People {
    let options = Options { cost: Cost::LEAST, ..Options::default() };
    People::in_memory(options).expect("a store in memory opens because no disk is asked")
}

/// A session that ended, or a token that was revoked, ends the open sockets that it opened.
fn end_sockets_with_credentials(people: &People, hub: &Arc<Hub>) {
    let hub = Arc::downgrade(hub);
    people.on_end(move |ended| {
        let Some(hub) = hub.upgrade() else { return };
        match ended {
            Ended::Credential(id) => hub.sign_out(Whose::Credential(*id)),
            Ended::Account(who) => hub.sign_out(Whose::Person(who.clone())),
        }
    });
}

/// Records what an admin did.
///
/// # Errors
/// When the log does not accept it.
async fn record(app: &App, admin: &Admin, event: SystemEvent) -> Result<(), WorkError> {
    let context = Context { by: admin.by.clone(), ..Context::of_admin(admin.who.clone(), app.clock.now()) };
    let request = Request { command: event, more: Vec::new(), context, key: None, client: None, if_version: None };
    let done = app.registry.execute::<System>(ADMIN, request).await;
    done.map(drop).map_err(|failure| match failure {
        Failure::NoRoom(reason) => WorkError::Full(format!("there is no room to record it: {reason}")),
        other @ (Failure::Refused(_)
        | Failure::VersionMismatch { .. }
        | Failure::HistoryChanged(_)
        | Failure::KeyReused { .. }
        | Failure::Overloaded { .. }
        | Failure::Poisoned { .. }
        | Failure::OutcomeUnknown(_)
        | Failure::Contended(_)
        | Failure::ReadOnly(_)
        | Failure::Unreadable(_)
        | Failure::Internal(_)) => WorkError::NotRecorded(format!("{other:?}")),
    })
}

/// Records what an admin did, even if the log does not accept it: a full disk must not hide a result.
async fn record_or_warn(app: &App, admin: &Admin, event: SystemEvent) {
    if let Err(error) = record(app, admin, event).await {
        tracing::warn!(%error, "an admin action is not in the log");
    }
}

fn checkpoint_plan(config: &Config, folder: &DataFolder, saved: Position, log: &Arc<dyn Log>) -> CheckpointPlan {
    let (file, epoch, log) = (folder.views_checkpoint(), folder.epoch().to_owned(), Arc::clone(log));
    CheckpointPlan {
        saved,
        every_events: config.checkpoint_every_events,
        save: Box::new(move |views| views::save(views, &file, &epoch, &*log)),
    }
}

fn limits(config: &Config) -> ActorLimits {
    ActorLimits {
        alive_max: config.actors_alive_max,
        bytes_max: config.actors_bytes_max,
        idle_seconds: u32::try_from(config.actor_idle_seconds).unwrap_or(u32::MAX),
    }
}
