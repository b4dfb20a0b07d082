//! The whole service over a memory log, called without a socket.

use std::{rc::Rc, sync::Arc};

use actix_http::Request;
use actix_web::{
    FromRequest, HttpMessage,
    body::{BoxBody, MessageBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header::HeaderMap},
    test::{self, TestRequest},
    web::{Bytes, Data},
};
use futures_util::future::{FutureExt, LocalBoxFuture};
use serde_json::{Value, json};

use crate::{
    app::{Current, History, Running},
    commands::Caller,
    config::Config,
    domain::{
        Context, Principal,
        list::{ListCommand, Lists},
    },
    events::{Log, clock::SystemClock, memory::MemoryLog},
    http::{
        access::{Access, Proven},
        service,
        site::Site,
    },
    people::Identity,
    telemetry,
};

/// A service with its log.
pub struct Rig {
    pub app: Current,
    running: Arc<Running>,
}

/// A service that takes requests.
pub struct Line(Box<dyn Fn(Request) -> LocalBoxFuture<'static, Answer>>);

impl Line {
    /// Sends a request and takes the whole answer.
    pub async fn send(&self, request: TestRequest) -> Answer {
        (self.0)(request.to_request()).await
    }
}

/// The answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status, code and pointer of a problem.
    pub fn problem(&self) -> (u16, String, String) {
        let body = self.json();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(self.header("content-type"), "application/problem+json", "{body}");
        assert_eq!(text(&body["request_id"]), self.header("x-request-id"));
        (self.status.as_u16(), text(&body["code"]), text(&body["errors"][0]["pointer"]))
    }
}

impl Rig {
    /// A server with nothing in its log.
    pub fn empty() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        Self::of(config, Arc::new(MemoryLog::new(Arc::new(SystemClock))))
    }

    /// A server on a log that holds something.
    pub fn on(log: Arc<dyn Log>) -> Self {
        Self::of(Config::default(), log)
    }

    fn of(config: Config, log: Arc<dyn Log>) -> Self {
        let metrics = telemetry::install().expect("metrics can be recorded");
        let running = Running::start(config, History::in_memory(log), metrics).expect("an empty log can be read");
        Self { app: running.current(), running }
    }

    /// A server that knows the store `s` (EUR), the product `p` at 2.00 there, and the list `l`.
    pub async fn furnished() -> Self {
        let rig = Self::empty();
        rig.done("POST", "/api/v1/stores", json!({"id": "s", "name": "Shop", "currency": "EUR"})).await;
        rig.done("POST", "/api/v1/products", json!({"id": "p", "name": "Milk"})).await;
        rig.done("POST", "/api/v1/products/p/prices", price("2.00", "EUR")).await;
        rig.done("POST", "/api/v1/lists", json!({"id": "l", "name": "Weekly", "store": "s"})).await;
        rig
    }

    /// Sends a request and takes the whole answer.
    pub async fn send(&self, request: TestRequest) -> Answer {
        self.send_each([request]).await.remove(0)
    }

    /// Sends requests one after the other to one service.
    pub async fn send_each(&self, requests: impl IntoIterator<Item = TestRequest>) -> Vec<Answer> {
        let line = self.line().await;
        let mut answers = Vec::new();
        for request in requests {
            answers.push(line.send(request).await);
        }
        answers
    }

    /// One service, for many requests.
    pub async fn line(&self) -> Line {
        let (site, access) = (Arc::new(Site::of(&self.app.config)), Arc::new(Access::of(&self.app)));
        let service = Rc::new(test::init_service(service::service(Data::from(Arc::clone(&self.running)), site, access)).await);
        Line(Box::new(move |request| {
            let service = Rc::clone(&service);
            async move { collect(&*service, request).await }.boxed_local()
        }))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(local(Method::GET, path)).await
    }

    pub async fn write(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(local(method_of(method), path).set_json(body)).await
    }

    /// A caller, for what a handler calls.
    pub async fn caller(&self) -> Caller {
        let request = TestRequest::default().app_data(Data::from(Arc::clone(&self.running)));
        let request = request.to_http_request();
        request.extensions_mut().insert(Proven { identity: Ok(Rc::new(Identity::owner())), by_cookie: false });
        Caller::extract(&request).await.expect("the headers are fine")
    }

    /// Commands for the list `l` as one, past HTTP, where a test needs many.
    pub async fn tell(&self, who: &str, mut commands: Vec<ListCommand>) {
        let command = commands.remove(0);
        let context = Context::of_admin(Principal::new(who).expect("an id"), self.app.clock.now());
        let request = crate::actors::Request { command, more: commands, context, key: None, client: None, if_version: None };
        self.app.registry.execute::<Lists>("l", request).await.expect("the list takes them");
    }

    /// A write that must succeed.
    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.write(method, path, body).await;
        assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
        answer.json()
    }
}

async fn collect<S, B>(service: &S, request: Request) -> Answer
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let response = service.call(request).await.expect("problems are answers, not errors").map_into_boxed_body();
    let (status, headers) = (response.status(), response.headers().clone());
    let body: BoxBody = response.into_body();
    Answer { status, headers, body: to_bytes(body).await.expect("the body can be read") }
}

pub fn method_of(name: &str) -> Method {
    name.parse().expect("a method")
}

/// A request as it comes over the loopback.
pub fn local(method: Method, path: &str) -> TestRequest {
    TestRequest::default().method(method).uri(path).insert_header(("host", "localhost")).peer_addr(([127, 0, 0, 1], 1_024).into())
}

pub fn price(amount: &str, currency: &str) -> Value {
    json!({"store": "s", "price": {"amount": amount, "currency": currency}, "observed_at": "2026-01-01"})
}
