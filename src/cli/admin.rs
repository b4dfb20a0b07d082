//! Talks to a running server as an admin, and watches long work until it ends.

use std::{thread, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use ureq::{RequestBuilder, http::Response};

use super::{remote::client, watch::Bar};
use crate::{client::Client, config::Config, domain::Principal, http::access::ACTING_AS, serve::terminal::Found};

/// How the log names who sent a command: the header, and the name.
const SENT_BY: (&str, &str) = ("x-aisled-client", "aisled-cli");
/// How often the progress of long work is polled.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// How long a server that left its key may take to answer: what has its port now may be something else.
const TRY_OUT_MAX: Duration = Duration::from_secs(10);

/// A server reached over HTTP.
pub(super) struct Remote {
    client: Client,
    /// In whose name, if not in the sender's own.
    acting_for: Option<Principal>,
}

/// What the server refused.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(super) struct Refused {
    pub code: String,
    pub detail: String,
}

impl Remote {
    pub(super) fn new(url: &str, config: &Config) -> Self {
        Self { client: client(url, config), acting_for: None }
    }

    /// The server that left its key in a data folder.
    pub(super) fn of(found: &Found) -> Self {
        Self { client: Client::new(&found.url, Some(&found.key)), acting_for: None }
    }

    /// Whether it answers soon, and takes the key.
    pub(super) fn try_out(&self, path: &str) -> anyhow::Result<()> {
        let request = self.named(self.client.get(path)).config().timeout_global(Some(TRY_OUT_MAX)).build();
        self.answer(request.call()).map(drop)
    }

    /// The same server, asked in somebody's name.
    pub(super) fn acting_for(&self, who: &Principal) -> Self {
        Self { client: self.client.clone(), acting_for: Some(who.clone()) }
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.named(self.client.get(path)).call())
    }

    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.named(self.client.delete(path)).call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.named(self.client.post(path)).content_type("application/json").send(body.to_string()))
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.named(self.client.patch(path)).content_type("application/json").send(body.to_string()))
    }

    /// Starts long work, shows its progress and returns its result.
    pub(super) fn run(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut operation = self.post(path, body)?;
        let place = format!("/api/v1/admin/operations/{}", operation["id"].as_str().context("the server did not start an operation")?);
        let bar = Bar::new();
        while operation["state"] == "running" {
            bar.show(operation["stage"].as_str().unwrap_or_default(), number(&operation["done"]), number(&operation["total"]));
            thread::park_timeout(ASK_EVERY);
            operation = self.get(&place)?;
        }
        bar.clear();
        match operation["error"]["detail"].as_str() {
            None => Ok(operation["result"].take()),
            Some(detail) => bail!("{detail}"),
        }
    }

    fn answer(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut answer = answer.with_context(|| format!("cannot reach {}", self.client.url()))?;
        let text = answer.body_mut().read_to_string().context("the server ended the response early")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if answer.status().is_success() {
            return Ok(body);
        }
        match body["detail"].as_str() {
            Some(detail) => {
                let code = body["code"].as_str().unwrap_or_default();
                Err(Refused { code: code.to_owned(), detail: detail.to_owned() }.into())
            }
            None => bail!("{} answered {}: {text}", self.client.url(), answer.status()),
        }
    }

    fn named<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request.header(SENT_BY.0, SENT_BY.1);
        match &self.acting_for {
            Some(who) => request.header(ACTING_AS.as_str(), who.as_str()),
            None => request,
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
