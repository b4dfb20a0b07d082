//! A browser: it keeps cookies, follows nothing by itself, and remembers each address that it saw.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use ureq::{Agent, http::Request};

use super::support::TestApp;

/// One person's browser. The cookies of all hosts are one jar: each test has one server.
pub struct Browser {
    agent: Agent,
    pub cookies: BTreeMap<String, String>,
    pub seen: Vec<String>,
}

/// What a browser gets.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    location: Option<String>,
    pub text: String,
}

impl Page {
    pub fn location(&self) -> &str {
        self.location.as_deref().unwrap_or_else(|| panic!("no redirect: {self:?}"))
    }

    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of a page that refuses.
    pub fn refusal(&self) -> (u16, &str) {
        let code = self.text.split_once("data-code=\"").and_then(|(_, rest)| rest.split('"').next());
        (self.status, code.unwrap_or_else(|| panic!("no refusal: {self:?}")))
    }
}

impl Browser {
    pub fn new() -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).max_redirects_will_error(false).proxy(None);
        let agent = config.timeout_global(Some(Duration::from_mins(1))).build().into();
        Self { agent, cookies: BTreeMap::new(), seen: Vec::new() }
    }

    pub fn get(&mut self, url: &str) -> Page {
        self.send("GET", url, None)
    }

    pub fn post(&mut self, app: &TestApp, path: &str, body: &Value) -> Page {
        self.send("POST", &format!("{}{path}", app.server().url()), Some(body.to_string()))
    }

    pub fn delete(&mut self, app: &TestApp, path: &str) -> Page {
        self.send("DELETE", &format!("{}{path}", app.server().url()), None)
    }

    /// Who the browser is to the server.
    pub fn session(&mut self, app: &TestApp) -> Value {
        self.get(&format!("{}/api/v1/session", app.server().url())).body()
    }

    fn send(&mut self, method: &str, url: &str, body: Option<String>) -> Page {
        self.seen.push(url.to_owned());
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            Request::builder().method(method).uri(url).header("user-agent", "Mozilla/5.0 (a test)").header("cookie", cookies.join("; "));
        let request = request.header("x-aisled-client", "browser").header("content-type", "application/json");
        let answer = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        self.cookies.retain(|_, value| !value.is_empty());
        let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        Page { status, location, text: answer.into_body().read_to_string().unwrap() }
    }
}
