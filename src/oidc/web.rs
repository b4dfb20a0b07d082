//! Requests to the provider: bounded in time and size, over TLS, and never redirected.

use std::{sync::OnceLock, time::Duration};

use serde::de::DeserializeOwned;
use ureq::{Agent, Body, http::Response};
use url::{Host, Url};

use super::OidcError;
use crate::tls;

/// Bytes of an answer; a longer one is no answer of a provider.
const ANSWER_BYTES_MAX: u64 = 256 << 10;
/// How it names itself.
const NAME: &str = concat!("aisled/", env!("CARGO_PKG_VERSION"));

/// How long the provider may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To accept a connection.
    pub connect: Duration,
    /// To answer, all in all.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(10) }
    }
}

/// The client of one provider.
pub struct Web {
    limits: Limits,
    /// The provider is on this machine, where http is enough, and no proxy is in between.
    is_loopback: bool,
    /// Made at the first request: it reads the system's certificates.
    agent: OnceLock<Agent>,
}

impl Web {
    /// For the provider at this address.
    pub fn new(issuer: &str, limits: Limits) -> Self {
        let is_loopback = Url::parse(issuer).is_ok_and(|url| is_plain_loopback(&url));
        Self { limits, is_loopback, agent: OnceLock::new() }
    }

    /// The JSON at an address.
    pub fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, OidcError> {
        self.check(address)?;
        let answer = self.agent().get(address).header("accept", "application/json").call().map_err(unavailable)?;
        if answer.status().as_u16() != 200 {
            return Err(OidcError::Unavailable(format!("it answered {} where it describes itself", answer.status().as_u16())));
        }
        read(answer)
    }

    /// Sends a form, and returns the status and the bytes of the answer.
    pub fn post(&self, address: &str, authorization: Option<&str>, form: String) -> Result<Response<Body>, OidcError> {
        self.check(address)?;
        let request = self.agent().post(address).header("accept", "application/json").content_type("application/x-www-form-urlencoded");
        let request = match authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        request.send(form).map_err(unavailable)
    }

    /// An endpoint must be https; where the provider is on this machine, it may be here by http.
    pub fn check(&self, address: &str) -> Result<(), OidcError> {
        let is_safe = |url: Url| url.scheme() == "https" || (self.is_loopback && is_plain_loopback(&url));
        if Url::parse(address).is_ok_and(is_safe) {
            Ok(())
        } else {
            Err(OidcError::Unavailable("it names an endpoint without https".into()))
        }
    }

    fn agent(&self) -> &Agent {
        self.agent.get_or_init(|| {
            let config = Agent::config_builder()
                .http_status_as_error(false)
                .user_agent(NAME)
                // A redirect could carry the code or the secret to another host.
                .max_redirects(0)
                .max_redirects_will_error(false)
                .timeout_connect(Some(self.limits.connect))
                .timeout_global(Some(self.limits.whole));
            if self.is_loopback { config.proxy(None).build().into() } else { config.tls_config(tls::of_system()).build().into() }
        })
    }
}

/// Reads an answer up to the limit.
pub fn read<T: DeserializeOwned>(mut answer: Response<Body>) -> Result<T, OidcError> {
    let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(unavailable)?;
    // Without the parser's message: it may quote the answer.
    serde_json::from_slice(&bytes).map_err(|_| OidcError::Unavailable("its answer is not the JSON that it must be".into()))
}

/// The error of a transport names hosts and times, no contents.
fn unavailable(error: ureq::Error) -> OidcError {
    OidcError::Unavailable(error.to_string())
}

fn is_plain_loopback(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && is_here
}
