//! The one place that wires log, actors, projections and HTTP together, starts them in order and stops them in reverse.

mod folder;
mod machine;
mod serve;
mod views;

use std::{io, sync::Arc};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::{
    actors::{ActorLimits, Audience, CheckpointPlan, Projector, Registry, Shared, interest::Interest, memos::Memos, shared::Counters},
    config::Config,
    events::{
        Log, LogError, Position,
        clock::{Clock, SystemClock},
        sled_log::OpenError,
    },
    http::live::{self, Hub, OwnerRights, Rights},
    projections::SharedViews,
};

pub use folder::{DataFolder, FolderError};
pub use serve::serve;
pub use views::saved as saved_views;

/// What every handler works with.
#[derive(Clone)]
pub struct App {
    pub log: Arc<dyn Log>,
    pub registry: Registry,
    pub views: SharedViews,
    /// The position up to which the views have applied the log.
    pub applied: watch::Receiver<Position>,
    pub hub: Arc<Hub>,
    pub config: Arc<Config>,
    pub clock: Arc<dyn Clock>,
    /// Names this history; another epoch means that positions cannot be compared.
    pub epoch: Arc<str>,
    pub metrics: PrometheusHandle,
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
    #[error("the server failed: {0}")]
    Server(io::Error),
}

/// A running server with everything behind it.
pub struct Running {
    pub app: App,
    projector: Projector,
}

impl Running {
    /// Wires everything around an open log. The views are at its head when this returns.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn start(config: Config, log: Arc<dyn Log>, folder: Option<&DataFolder>, metrics: PrometheusHandle) -> Result<Self, AppError> {
        let rights = Arc::new(OwnerRights::of(&config));
        Self::start_with_rights(config, log, folder, metrics, rights)
    }

    /// As `start`, with other rights to live topics than the owner's.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn start_with_rights(
        config: Config,
        log: Arc<dyn Log>,
        folder: Option<&DataFolder>,
        metrics: PrometheusHandle,
        rights: Arc<dyn Rights>,
    ) -> Result<Self, AppError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let epoch: Arc<str> = folder.map_or_else(|| Arc::from("memory"), |folder| Arc::from(folder.epoch()));
        let (views, checkpoint) = views::load(&*log, folder)?;
        let views: SharedViews = Arc::new(parking_lot::RwLock::new(views));
        let hub = Arc::new(Hub::new(live::Limits::of(&config), rights));
        // The views are at the head: whatever comes before it will never be published.
        hub.advance(log.head());
        let shared = Arc::new(Shared {
            log: Arc::clone(&log),
            views: Arc::clone(&views),
            audience: Arc::clone(&hub) as Arc<dyn Audience>,
            clock: Arc::clone(&clock),
            interest: Interest::default(),
            memos: folder.map_or_else(Memos::none, |folder| Memos::at(&folder.memos())),
            limits: limits(&config),
            counters: Counters::default(),
        });
        let projector = Projector::start(Arc::clone(&shared), folder.map(|folder| checkpoint_plan(&config, folder, checkpoint, &log)));
        let applied = projector.applied();
        let app = App { log, registry: Registry::start(shared), views, applied, hub, config: Arc::new(config), clock, epoch, metrics };
        Ok(Self { app, projector })
    }

    /// Stops in the order of the flow: commands first, then the views, then the log.
    ///
    /// # Errors
    /// When the log's last write failed.
    pub async fn stop(self) -> Result<(), AppError> {
        self.app.registry.stop().await;
        let (projector, log) = (self.projector, Arc::clone(&self.app.log));
        let closing = tokio::task::spawn_blocking(move || {
            projector.stop();
            log.close()
        });
        closing.await.map_err(|error| AppError::Server(io::Error::other(error)))?.map_err(AppError::Log)
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
        idle_seconds: u32::try_from(config.actor_idle_seconds).unwrap_or(u32::MAX),
        threads: config.actor_threads,
    }
}
