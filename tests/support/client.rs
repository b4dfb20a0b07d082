//! A small HTTP client: a request in, status, headers and JSON out; errors of the transport are values, because servers die here.

use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, http::Request};

use super::PATIENCE;

/// Talks to one server.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    url: String,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    /// The body as JSON, null if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The answer itself, if its status is as expected; else the test fails with the whole answer.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "unexpected answer: {}", self.text);
        self
    }

    /// The answer itself, if the command was accepted.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "refused with {}: {}", self.status, self.text);
        self
    }

    /// The lines of an NDJSON answer.
    pub fn lines(&self) -> Vec<Value> {
        self.text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }
}

impl Client {
    pub fn new(url: &str) -> Self {
        Self::with_patience(url, PATIENCE)
    }

    /// A client with a timeout.
    pub fn with_patience(url: &str, patience: Duration) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(patience)).proxy(None).build();
        Self { agent: config.into(), url: url.to_owned() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    #[track_caller]
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body)
    }

    #[track_caller]
    pub fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", path, headers, Some(body.to_string())).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Posts a text unchanged: malformed bodies and NDJSON.
    #[track_caller]
    pub fn post_text(&self, path: &str, content_type: &str, body: &str) -> Answer {
        let headers = [("content-type", content_type)];
        self.send("POST", path, &headers, Some(body.to_owned())).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    #[track_caller]
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, &[], Some(body.to_string())).unwrap_or_else(|error| panic!("PATCH {path}: {error}"))
    }

    #[track_caller]
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// Sends a request; after an error its fate is unknown.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = response.into_body().with_config().limit(1 << 30).read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, headers, text, body })
    }
}
