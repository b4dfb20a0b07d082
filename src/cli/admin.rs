//! Talks to a running server as an admin, and watches long work until it ends.

use std::{thread, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use ureq::{RequestBuilder, http::Response};

use super::{remote::client, watch::Bar};
use crate::{client::Client, config::Config};

/// How the log names who sent a command: the header, and the name.
const SENT_BY: (&str, &str) = ("x-aisled-client", "aisled-cli");
/// How often the progress of long work is polled.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// A server reached over HTTP.
pub(super) struct Remote(Client);

impl Remote {
    pub(super) fn new(url: &str, config: &Config) -> Self {
        Self(client(url, config))
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(named(self.0.get(path)).call())
    }

    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(named(self.0.delete(path)).call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(named(self.0.post(path)).content_type("application/json").send(body.to_string()))
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
        let mut answer = answer.with_context(|| format!("cannot reach {}", self.0.url()))?;
        let text = answer.body_mut().read_to_string().context("the server ended the response early")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if answer.status().is_success() {
            return Ok(body);
        }
        match body["detail"].as_str() {
            Some(detail) => bail!("{detail}"),
            None => bail!("{} answered {}: {text}", self.0.url(), answer.status()),
        }
    }
}

fn named<B>(request: RequestBuilder<B>) -> RequestBuilder<B> {
    request.header(SENT_BY.0, SENT_BY.1)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
