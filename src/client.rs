//! Requests to a running server, for the command line and for imports: one agent with its time-out, its name and its token.

use std::{sync::Arc, time::Duration};

use crate::tls;
use ureq::{
    Agent, RequestBuilder,
    typestate::{WithBody, WithoutBody},
};

/// How long a server may take to accept a connection. Answers take as long as they need: some follow a log without end.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Idle connections kept open: twice as many as an import has threads.
const IDLE_CONNECTIONS_MAX: usize = 64;
/// How it names itself.
const NAME: &str = concat!("aisled/", env!("CARGO_PKG_VERSION"));

/// A server reached over HTTP. Clones share their connections. Any status is an answer, no error.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    url: Arc<str>,
    authorization: Option<Arc<str>>,
}

impl Client {
    /// Of the server at a URL; nothing is sent yet.
    #[must_use]
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(NAME)
            .timeout_connect(Some(CONNECT_MAX))
            .max_idle_connections_per_host(IDLE_CONNECTIONS_MAX);
        let is_secure = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let agent = if is_secure { config.tls_config(tls::of_system()).build() } else { config.build() };
        let authorization = token.map(|token| format!("Bearer {token}").into());
        Self { agent: agent.into(), url: url.trim_end_matches('/').into(), authorization }
    }

    /// Where the server is, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request that reads.
    #[must_use]
    pub fn get(&self, path: &str) -> RequestBuilder<WithoutBody> {
        self.signed(self.agent.get(self.at(path)))
    }

    /// A request that deletes.
    #[must_use]
    pub fn delete(&self, path: &str) -> RequestBuilder<WithoutBody> {
        self.signed(self.agent.delete(self.at(path)))
    }

    /// A request that changes something with a body.
    #[must_use]
    pub fn patch(&self, path: &str) -> RequestBuilder<WithBody> {
        self.signed(self.agent.patch(self.at(path)))
    }

    /// A request that sends a body.
    #[must_use]
    pub fn post(&self, path: &str) -> RequestBuilder<WithBody> {
        self.signed(self.agent.post(self.at(path)))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", &**authorization),
            None => request,
        }
    }
}
