//! What becomes of the table of routes: each is served, described, and counted by its number.

use std::{cell::OnceCell, time::Duration};

use actix_web::{Route, guard, http::StatusCode, web};
use metrics::{Counter, Histogram, counter, histogram};

use super::{ROUTES, route::RouteNumber};
use crate::telemetry::{HTTP_REQUESTS, HTTP_SECONDS};

/// Makes a table of routes: what is served, and what is described.
macro_rules! routes {
    ($( $path:literal: $( $method:ident $($handler:ident)::+ as $operation:ident [$need:ident $action:ident] ),+; )+) => {
        /// Every route: method and path.
        pub const ROUTES: &[(&str, &str)] = &[ $( $( (stringify!($method), $path), )+ )+ ];

        /// The name of each route's operation in the OpenAPI document. Generated clients name their functions by it: it stays.
        pub const OPERATIONS: &[&str] = &[ $( $( stringify!($operation), )+ )+ ];

        /// What each route needs.
        pub const NEEDS: &[route::Need] = &[ $( $( route::Need::$need(crate::domain::rights::Action::$action), )+ )+ ];

        /// The description of every route.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths( $( $( $($handler)::+ ),+ ),+ ))]
        struct Routes;

        /// Attaches every route, and the answers for unknown paths and methods.
        pub fn configure(config: &mut actix_web::web::ServiceConfig) {
            use actix_web::web;
            let mut number = 0_u16;
            $(
                let resource = web::resource($path);
                $(
                    let resource = resource.route(routes::numbered(stringify!($method), number).to(permit::Permitted($($handler)::+)));
                    number += 1;
                )+
                let other = |request: actix_web::HttpRequest| async move { unrouted::other_method(&request, &[$( stringify!($method) ),+]) };
                config.service(resource.default_service(web::to(other)));
            )+
            debug_assert_eq!(usize::from(number), ROUTES.len());
            docs::attach(config);
            config.default_service(web::to(unrouted::no_such_route));
        }
    };
}

pub(super) use routes;

/// The route of a method that stores its number with the request, for counting.
pub(super) fn numbered(method: &str, number: u16) -> Route {
    let route = web::route();
    let route = match method {
        // Every GET also answers HEAD.
        "GET" => route.guard(guard::Any(guard::Get()).or(guard::Head())),
        "POST" => route.guard(guard::Post()),
        "PATCH" => route.guard(guard::Patch()),
        _ => route.guard(guard::Delete()),
    };
    route.guard(RouteNumber(number))
}

/// The counters of one worker, each looked up once.
#[derive(Default)]
pub struct Counted {
    routes: Vec<OnceCell<RouteCounters>>,
    unrouted: OnceCell<RouteCounters>,
}

struct RouteCounters {
    /// By status class, `1xx` first.
    answers: [Counter; 5],
    seconds: Histogram,
}

impl RouteCounters {
    fn of(method: &'static str, path: &'static str) -> Self {
        let class = |class: &'static str| counter!(HTTP_REQUESTS, "method" => method, "route" => path, "status" => class);
        Self {
            answers: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            seconds: histogram!(HTTP_SECONDS, "method" => method, "route" => path),
        }
    }
}

impl Counted {
    #[must_use]
    pub fn new() -> Self {
        Self { routes: ROUTES.iter().map(|_| OnceCell::new()).collect(), unrouted: OnceCell::new() }
    }

    /// Counts an answer and the time it took.
    pub fn count(&self, route: Option<RouteNumber>, status: StatusCode, took: Duration) {
        let place = route.map(|route| usize::from(route.0)).and_then(|number| Some((self.routes.get(number)?, ROUTES.get(number)?)));
        let counters = match place {
            Some((cell, (method, path))) => cell.get_or_init(|| RouteCounters::of(method, path)),
            None => self.unrouted.get_or_init(|| RouteCounters::of("any", "none")),
        };
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        counters.answers[class].increment(1);
        counters.seconds.record(took.as_secs_f64());
    }
}
