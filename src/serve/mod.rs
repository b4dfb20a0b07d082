//! Serving: open the data folder, listen, and stop in order on a signal.

mod machine;
pub mod server;
pub mod terminal;
mod welcome;

use terminal::Terminal;

use std::{
    io, process,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use actix_web::dev::ServerHandle;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::signal::unix;

use crate::{
    app::{App, AppError, DataFolder, History, Running, accounts, entrance, schedule},
    config::Config,
    events::{
        Log,
        clock::{Clock, SystemClock},
    },
    http::access::owner_is_local,
    people::{People, Secret},
};

/// How long a graceful stop waits for requests under way; together with the actors and the checkpoint it stays under ten seconds.
const STOP_REQUESTS_WAIT: Duration = Duration::from_secs(3);

pub use crate::people::FOLDER as PEOPLE;

/// How often the last uses of credentials are written down.
const TIDY_EVERY: Duration = Duration::from_mins(5);

/// How long a stop may take in all. What then still hangs, such as a disk that never answers, ends with the process.
const STOP_MAX: Duration = Duration::from_secs(9);

/// Serves until a stop signal. Prints one line `listening on http://…` when ready.
///
/// # Errors
/// When the folder, the log or the address cannot be used, or the last write failed.
pub async fn serve(config: Config, metrics: PrometheusHandle) -> Result<(), AppError> {
    machine::prepare();
    let history = open_history(&config).await?;
    if config.demo {
        seed_demo(Arc::clone(&history.log)).await?;
    }
    let alive = Arc::new(());
    if let Err(error) = crate::telemetry::start_upkeep(metrics.clone(), &alive) {
        tracing::warn!(%error, "metrics are aggregated only when they are scraped");
    }
    let people = open_people(&config).await?;
    let (key, require) = (Secret::for_operator(), !owner_is_local(&config));
    let running = Running::start_with_people(config, history, metrics, people, Some(key.expose()))?;
    entrance::recover(&running.current()).await;
    let address = running.current().config.listen;
    let (server, bound) = server::start(Arc::clone(&running)).map_err(|error| AppError::Listen { address, error })?;
    let signals = Signals::hear();
    end_in_any_case();
    let terminal = Terminal::open(&running.current(), bound, &key);
    announce(&running.current(), bound);
    welcome::print(&running, bound, require);
    let tidying = actix_rt::spawn(keep_people(Arc::clone(&running)));
    let scheduled = actix_rt::spawn(schedule::follow(Arc::clone(&running)));
    let stopping = actix_rt::spawn(stop_on_signal(signals, server.handle(), Arc::clone(&running)));
    let served = server.await;
    stopping.abort();
    tidying.abort();
    drop(terminal);
    scheduled.abort();
    running.stop().await?;
    tracing::info!("stopped: everything acknowledged is in the log");
    served.map_err(AppError::Server)
}

async fn open_people(config: &Config) -> Result<People, AppError> {
    let data = config.data.clone();
    let opened = tokio::task::spawn_blocking(move || accounts::open(&data)).await;
    opened.map_err(|error| AppError::Server(io::Error::other(error)))?.map_err(AppError::People)
}

/// Writes down now and then when credentials were last used, removes those that ended long ago, and completes acceptances that an error cut off.
async fn keep_people(running: Arc<Running>) {
    let mut ticks = actix_rt::time::interval(TIDY_EVERY);
    loop {
        ticks.tick().await;
        let app = running.current();
        entrance::recover(&app).await;
        let people = app.authority.people.clone();
        let tidied = tokio::task::spawn_blocking(move || people.tidy(SystemClock.now())).await;
        if let Ok(Err(error)) = tidied {
            tracing::warn!(%error, "the last uses of credentials could not be written down");
        }
    }
}

async fn open_history(config: &Config) -> Result<History, AppError> {
    let mut folder = DataFolder::open(&config.data)?;
    let own = config.clone();
    let opened = tokio::task::spawn_blocking(move || folder.open_log(&own).map(|opened| (folder, opened))).await;
    let (folder, (log, report)) = opened.map_err(|error| AppError::Server(io::Error::other(error)))??;
    tracing::info!(?report, durability = ?config.durability, "the log is open");
    Ok(History::in_folder(log, folder))
}

async fn seed_demo(log: Arc<dyn Log>) -> Result<(), AppError> {
    let seeded = tokio::task::spawn_blocking(move || crate::demo::seed(&log)).await;
    let tally = seeded.map_err(|error| AppError::Demo(error.to_string()))?.map_err(|error| AppError::Demo(error.to_string()))?;
    tracing::info!(events = tally.events_appended, unchanged = tally.unchanged, "the demo household is ready");
    Ok(())
}

/// The line with the address; tests and people wait for it.
fn announce(app: &App, bound: std::net::SocketAddr) {
    use std::io::Write as _;
    let mut out = io::stdout().lock();
    let told = writeln!(out, "listening on http://{bound}").and_then(|()| out.flush());
    if let Err(error) = told {
        tracing::warn!(%error, "standard output cannot be written");
    }
    tracing::info!(data = %app.config.data.display(), durability = ?app.config.durability, head = %app.log.head(), "try http://{bound}/");
}

/// The stop signals. Handled before the server reports that it listens, so that a process that waits for that can stop it in order.
struct Signals(unix::Signal, unix::Signal);

impl Signals {
    fn hear() -> io::Result<Self> {
        Ok(Self(unix::signal(unix::SignalKind::terminate())?, unix::signal(unix::SignalKind::interrupt())?))
    }

    /// Waits for the first one.
    async fn first(mut self) {
        tokio::select! { _ = self.0.recv() => {}, _ = self.1.recv() => {} }
    }
}

/// Starts a thread that ends the process some time after a signal, if it has not ended in order by then. It handles the signals itself, so
/// that nothing that hangs can block it.
fn end_in_any_case() {
    let started = thread::Builder::new().name("last-resort".into()).spawn(|| {
        let heard = tokio::runtime::Builder::new_current_thread().enable_io().build().and_then(|runtime| {
            let _entered = runtime.enter();
            Signals::hear().map(|signals| runtime.block_on(signals.first()))
        });
        if let Err(error) = heard {
            return tracing::warn!(%error, "end a stop that hangs with SIGKILL; nothing acknowledged is lost");
        }
        let end = Instant::now() + STOP_MAX;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
        tracing::error!(seconds = STOP_MAX.as_secs(), "the stop hangs: exiting now; everything acknowledged is in the log");
        process::exit(1);
    });
    if let Err(error) = started {
        tracing::warn!(%error, "end a stop that hangs with SIGKILL; nothing acknowledged is lost");
    }
}

/// Closes live sessions with a reason, lets every entity finish, then lets requests finish within their time.
async fn stop_on_signal(signals: io::Result<Signals>, server: ServerHandle, running: Arc<Running>) {
    let Ok(signals) = signals else {
        return tracing::error!("cannot listen for signals; stop the process with SIGKILL; nothing acknowledged is lost");
    };
    signals.first().await;
    tracing::info!("stopping: no new requests, finishing those in progress");
    let app = running.current();
    app.hub.say_farewell().await;
    // Entities finish and rest while the threads they may borrow still run.
    app.registry.stop().await;
    if tokio::time::timeout(STOP_REQUESTS_WAIT, server.stop(true)).await.is_err() {
        server.stop(false).await;
    }
}
