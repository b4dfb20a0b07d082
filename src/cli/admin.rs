//! Talks to a running server as an admin, and watches long work until it ends.

use std::{thread, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use ureq::{Agent, http::Response};

use super::watch::Bar;
use crate::config::{Config, Secret};

/// How often the progress of long work is polled.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// A server reached over HTTP.
pub(super) struct Remote {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Remote {
    pub(super) fn new(url: &str, config: &Config) -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        let token = config.admin_token.as_ref().map(|token| format!("Bearer {}", Secret::expose(token)));
        Self { agent, url: url.trim_end_matches('/').to_owned(), token }
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.get(self.at(path)).header("x-aisled-client", "aisled-cli");
        self.answer(match &self.token {
            Some(token) => request.header("authorization", token).call(),
            None => request.call(),
        })
    }

    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.agent.delete(self.at(path)).header("x-aisled-client", "aisled-cli");
        self.answer(match &self.token {
            Some(token) => request.header("authorization", token).call(),
            None => request.call(),
        })
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.agent.post(self.at(path)).header("x-aisled-client", "aisled-cli").content_type("application/json");
        let body = body.to_string();
        self.answer(match &self.token {
            Some(token) => request.header("authorization", token).send(body),
            None => request.send(body),
        })
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

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn answer(&self, answer: Result<Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut answer = answer.with_context(|| format!("cannot reach {}", self.url))?;
        let text = answer.body_mut().read_to_string().context("the server ended the response early")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if answer.status().is_success() {
            return Ok(body);
        }
        match body["detail"].as_str() {
            Some(detail) => bail!("{detail}"),
            None => bail!("{} answered {}: {text}", self.url, answer.status()),
        }
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
