//! A server inside the test, with rights to topics that the test grants and revokes, whatever accounts would say.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use actix_web::dev::ServerHandle;
use aisled::{
    app::{Current, History, Running},
    config::{Config, Secret},
    domain::Principal,
    events::{clock::SystemClock, memory::MemoryLog},
    live::{Grant, Rights, Topic},
    people::Identity,
    serve::server,
    telemetry,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{
    support::{Answer, Client},
    wire::{Opening, Wire},
};

/// The owner's token, which HTTP takes; sessions show tokens of the policy.
const OWNER: &str = "the-owners-own-long-token";

/// Who may follow what, and which tokens there are.
#[derive(Debug, Default)]
pub struct Policy {
    denied: Mutex<HashSet<(String, String)>>,
    tokens: Mutex<HashMap<String, Grant>>,
}

impl Rights for Policy {
    fn may_follow(&self, Identity { who, .. }: &Identity, topic: &Topic) -> bool {
        !self.denied.lock().contains(&(who.to_string(), topic.to_string()))
    }

    fn admit(&self, token: &str) -> Option<Grant> {
        let grant = self.tokens.lock().get(token).cloned();
        grant.filter(|grant| grant.until.is_none_or(|until| until > Instant::now()))
    }

    fn memberships_changed(&self) {}
}

pub fn who(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

/// A running server with a policy.
pub struct Governed {
    pub policy: Arc<Policy>,
    app: Current,
    handle: ServerHandle,
    client: Client,
    thread: Option<thread::JoinHandle<()>>,
}

impl Governed {
    /// Starts a server without data, with lists of these names.
    pub fn with_lists(lists: &[&str]) -> Self {
        let policy = Arc::new(Policy::default());
        let (sender, started) = mpsc::channel();
        let rights = Arc::clone(&policy);
        let thread = thread::spawn(move || actix_rt::System::new().block_on(serve(rights, sender)));
        let (app, address, handle) = started.recv().expect("the server starts");
        let governed = Self { policy, app, handle, client: Client::new(&format!("http://{address}")), thread: Some(thread) };
        lists.iter().for_each(|list| drop(governed.post("/api/v1/lists", &json!({ "id": list, "name": list })).ok()));
        governed
    }

    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// A new token.
    pub fn token(&self, token: &str, who_has_it: &str, until: Option<Instant>) {
        self.policy.tokens.lock().insert(token.to_owned(), Grant { identity: Identity::account(who(who_has_it)), until });
    }

    pub fn deny(&self, who_may_not: &str, topic: &str) {
        self.policy.denied.lock().insert((who_may_not.to_owned(), topic.to_owned()));
        self.app.hub.rights_changed(&who(who_may_not));
    }

    pub fn allow(&self, who_may: &str, topic: &str) {
        self.policy.denied.lock().remove(&(who_may.to_owned(), topic.to_owned()));
        self.app.hub.rights_changed(&who(who_may));
    }

    /// Posts as the owner.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        owner_posts(&self.client, path, body)
    }

    /// A client for another thread.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub fn rename(&self, list: &str, name: &str) {
        self.post(&format!("/api/v1/lists/{list}/commands"), &json!({ "op": "rename", "name": name })).ok();
    }

    /// A session that was asked for a token and has sent none.
    pub fn asked(&self) -> Wire {
        let mut wire = Wire::open(self.url(), Opening::default());
        let asked = wire.next();
        assert_eq!((&asked["type"], &asked["within_seconds"]), (&json!("authenticate"), &json!(10)), "{asked}");
        wire
    }

    /// A session of a principal, with a token that does not expire.
    pub fn session_of(&self, name: &str) -> Wire {
        let token = format!("token of {name}");
        self.token(&token, name, None);
        let mut wire = self.asked();
        let refreshed = wire.ask(&json!({ "id": 1, "op": "refresh", "token": token }));
        assert_eq!((&refreshed["type"], &refreshed["who"], &refreshed["expires_at"]), (&json!("refreshed"), &json!(name), &Value::Null));
        assert_eq!(wire.next()["type"], "hello");
        wire
    }
}

pub fn owner_posts(client: &Client, path: &str, body: &Value) -> Answer {
    client.post_with(path, &[("authorization", &format!("Bearer {OWNER}"))], body)
}

impl Drop for Governed {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

async fn serve(rights: Arc<Policy>, started: mpsc::Sender<(Current, SocketAddr, ServerHandle)>) {
    let config =
        Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), workers: 2, admin_token: Some(Secret::new(OWNER)), ..Config::default() };
    let log = Arc::new(MemoryLog::new(Arc::new(SystemClock)));
    let metrics = telemetry::install().expect("metrics can be counted");
    let running = Running::start_with_rights(config, History::in_memory(log), metrics, rights).expect("an empty log can be read");
    let (server, address) = server::start(Arc::clone(&running)).expect("a port is free");
    started.send((running.current(), address, server.handle())).expect("the test waits");
    server.await.expect("the server serves");
    running.stop().await.expect("the server stops");
}
