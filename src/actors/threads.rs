//! The threads that entities run on. On the HTTP workers' own threads a command crosses no thread but the log's writer;
//! separate ones keep entities running when the workers are busy.

use actix_rt::{Arbiter, ArbiterHandle};
use parking_lot::{Mutex, RwLock};

/// Own threads, and those lent by others.
#[derive(Debug, Default)]
pub struct Threads {
    hosts: RwLock<Vec<ArbiterHandle>>,
    own: Mutex<Vec<Arbiter>>,
}

impl Threads {
    /// Starts `own` threads; with none, entities run on the threads that are lent.
    #[must_use]
    pub fn start(own: usize) -> Self {
        let threads = Self::default();
        (0..own).for_each(|_| threads.add_own());
        threads
    }

    /// Lends the current thread, if it runs an arbiter.
    pub fn lend_this(&self) {
        if let Some(host) = Arbiter::try_current() {
            self.lend(host);
        }
    }

    /// Lends a thread, unless there are own ones. It may end later: its entities wake elsewhere.
    pub fn lend(&self, host: ArbiterHandle) {
        if self.own.lock().is_empty() {
            self.hosts.write().push(host);
        }
    }

    /// The thread for an entity, by hash of its id. Threads that have ended are forgotten.
    #[must_use]
    pub fn pick(&self, hash: u64) -> ArbiterHandle {
        loop {
            let hosts = self.hosts.read();
            let place = usize::try_from(hash % hosts.len().max(1) as u64).unwrap_or(0);
            match hosts.get(place).cloned() {
                Some(host) if host.spawn(std::future::ready(())) => return host,
                Some(_) => {
                    drop(hosts);
                    self.hosts.write().retain(|host| host.spawn(std::future::ready(())));
                }
                None => {
                    drop(hosts);
                    self.add_own();
                }
            }
        }
    }

    /// Stops the own threads.
    pub fn stop(&self) {
        for arbiter in self.own.lock().iter() {
            arbiter.stop();
        }
    }

    fn add_own(&self) {
        let arbiter = Arbiter::new();
        self.hosts.write().push(arbiter.handle());
        self.own.lock().push(arbiter);
    }
}
