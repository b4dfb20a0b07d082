//! A browser: it shows a cookie and nothing else, and says that it is one.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
pub const PASSWORD: &str = "correct horse battery";

/// A browser with its cookies.
pub struct Browser {
    client: Client,
    cookie: RefCell<String>,
}

impl Browser {
    pub fn of(app: &TestApp) -> Self {
        Self { client: app.client().clone(), cookie: RefCell::default() }
    }

    /// The browser of the owner, after set-up, on a server that was started with these arguments.
    pub fn of_owner(app: &TestApp) -> Self {
        let browser = Self::of(app);
        let owner = json!({ "key": code(app), "login": "anna", "name": "Anna", "password": PASSWORD });
        browser.post("/api/v1/setup", &owner).expect(201);
        browser
    }

    /// A member of a household, invited by its owner.
    pub fn invited(app: &TestApp, by: &Self, household: &str, login: &str, invitation: &Value) -> Self {
        let invited = by.post(&format!("/api/v1/households/{household}/invitations"), invitation).expect(201);
        let browser = Self::of(app);
        browser.accept(invited.body["code"].as_str().unwrap(), login).expect(201);
        browser
    }

    pub fn accept(&self, invitation: &str, login: &str) -> Answer {
        let newcomer = json!({ "invitation": invitation, "login": login, "name": login, "password": PASSWORD });
        self.post("/api/v1/invitations/accept", &newcomer)
    }

    pub fn sign_in(&self, login: &str, password: &str) -> Answer {
        self.post("/api/v1/session", &json!({ "login": login, "password": password }))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body.to_string()))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string()))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub fn send(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        self.send_with(method, path, &[("x-aisled-client", "browser")], body)
    }

    /// A request with these headers beside the browser's own.
    pub fn send_with(&self, method: &str, path: &str, more: &[(&str, &str)], body: Option<String>) -> Answer {
        let cookie = self.cookie.borrow().clone();
        let mut headers = vec![("user-agent", AGENT)];
        headers.extend_from_slice(more);
        if !cookie.is_empty() {
            headers.push(("cookie", &cookie));
        }
        let answer = self.client.send(method, path, &headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().unwrap_or_default();
            *self.cookie.borrow_mut() = if pair.ends_with('=') { String::new() } else { pair.to_owned() };
        }
        answer
    }

    /// The cookie as it would be sent.
    pub fn cookie(&self) -> String {
        self.cookie.borrow().clone()
    }

    /// Another browser that was given this one's cookie.
    pub fn stolen(&self) -> Self {
        Self { client: self.client.clone(), cookie: RefCell::new(self.cookie()) }
    }

    pub fn set_cookie(&self, cookie: &str) {
        self.cookie.replace(cookie.to_owned());
    }
}

/// The code that a start printed.
pub fn code(app: &TestApp) -> String {
    let line = app.server().line_with("type the code ");
    line.split("type the code ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

/// The secret of the link that a start printed.
pub fn link(app: &TestApp) -> String {
    let line = app.server().line_with("/setup#");
    line.split("/setup#").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}
