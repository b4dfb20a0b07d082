//! All routes in one file. The first of the table are tried first, so the busiest are at the top.

use std::{cell::OnceCell, time::Duration};

use actix_web::{
    HttpRequest, Route,
    guard::{self, Guard, GuardContext},
    http::StatusCode,
    web,
};
use metrics::{Counter, Histogram, counter, histogram};

use super::{
    admin, baskets, bulk, deals, diff, docs, events, health, households, items, lists, live, orders, prices, products, restore, stores,
    timeline, totals, undo, unrouted,
};
use crate::telemetry::{HTTP_REQUESTS, HTTP_SECONDS};

macro_rules! routes {
    ($( $path:literal: $( $method:ident $handler:path ),+; )+) => {
        /// Every route: method and path.
        pub const ROUTES: &[(&str, &str)] = &[ $( $( (stringify!($method), $path), )+ )+ ];

        /// Attaches every route, and the answers for unknown paths and methods.
        pub fn configure(config: &mut web::ServiceConfig) {
            let mut number = 0_u16;
            $(
                let resource = web::resource($path);
                $(
                    let resource = resource.route(numbered(stringify!($method), number).to($handler));
                    number += 1;
                )+
                let other = |request: HttpRequest| async move {
                    unrouted::method_not_allowed(&request, &[$( stringify!($method) ),+].join(", "))
                };
                config.service(resource.default_service(web::to(other)));
            )+
            debug_assert_eq!(usize::from(number), ROUTES.len());
            docs::attach(config);
            config.default_service(web::to(unrouted::no_such_route));
        }
    };
}

routes! {
    "/api/v1/lists/{id}": GET lists::show, PATCH lists::change;
    "/api/v1/lists/{id}/items": POST items::add;
    "/api/v1/products/{id}/best": GET prices::best;
    "/api/v1/products/{id}/prices": GET prices::show, POST prices::observe, DELETE prices::withdraw;
    "/api/v1/lists/{id}/items/{item}": PATCH items::change, DELETE items::remove;
    "/api/v1/lists/{id}/commands": POST lists::command;
    "/api/v1/live": GET live::session::connect;
    "/api/v1/live/sse": GET live::feed::sse;
    "/api/v1/live/ndjson": GET live::feed::ndjson;
    "/api/v1/products/{id}": GET products::show, PATCH products::change;
    "/api/v1/prices": POST bulk::prices;
    "/api/v1/lists": GET lists::index, POST lists::create;
    "/api/v1/lists/{id}/totals": GET totals::totals;
    "/api/v1/lists/{id}/events": GET events::of_list;
    "/api/v1/lists/{id}/clear-checked": POST lists::clear_checked;
    "/api/v1/lists/{id}/check-out": POST lists::check_out;
    "/api/v1/lists/{id}/members": POST lists::share;
    "/api/v1/products": GET products::index, POST products::create;
    "/api/v1/products/{id}/commands": POST products::command;
    "/api/v1/stores": GET stores::index, POST stores::create;
    "/api/v1/stores/{id}": GET stores::show, PATCH stores::change;
    "/api/v1/stores/{id}/commands": POST stores::command;
    "/api/v1/baskets/price": POST baskets::price;
    "/api/v1/deals": GET deals::index;
    "/api/v1/orders": GET orders::index, POST orders::create;
    "/api/v1/orders/{id}": GET orders::show;
    "/api/v1/orders/{id}/commands": POST orders::command;
    "/api/v1/households": GET households::index, POST households::create;
    "/api/v1/households/{id}": GET households::show;
    "/api/v1/households/{id}/commands": POST households::command;
    "/api/v1/households/{id}/spend": GET households::spend;
    "/api/v1/undo": POST undo::undo;
    "/api/v1/lists/{id}/timeline": GET timeline::of_list;
    "/api/v1/lists/{id}/items/{item}/timeline": GET timeline::of_item;
    "/api/v1/lists/{id}/diff": GET diff::of_list;
    "/api/v1/lists/{id}/restore": POST restore::of_list;
    "/api/v1/households/{id}/timeline": GET timeline::of_household;
    "/api/v1/households/{id}/diff": GET diff::of_household;
    "/api/v1/households/{id}/restore": POST restore::of_household;
    "/api/v1/events": GET events::all;
    "/api/v1/admin/snapshots": GET admin::snapshots::index, POST admin::snapshots::create;
    "/api/v1/admin/snapshots/prune": POST admin::snapshots::prune;
    "/api/v1/admin/snapshots/{name}": GET admin::snapshots::show, DELETE admin::snapshots::remove;
    "/api/v1/admin/snapshots/{name}/verify": POST admin::snapshots::check;
    "/api/v1/admin/self-restore": POST admin::snapshots::self_restore;
    "/api/v1/admin/restore": POST admin::restore::restore;
    "/api/v1/admin/restore/undo": POST admin::restore::undo;
    "/api/v1/admin/restore/stream": POST admin::bring_back::bring_back_from;
    "/api/v1/admin/operations": GET admin::operations::index;
    "/api/v1/admin/operations/{id}": GET admin::operations::show;
    "/api/v1/admin/digests": GET admin::views::digests;
    "/api/v1/admin/views/rebuild": POST admin::views::rebuild;
    "/api/v1/openapi.json": GET docs::openapi;
    "/api/v1/asyncapi.json": GET docs::asyncapi;
    "/healthz": GET health::alive;
    "/readyz": GET health::ready;
    "/metrics": GET health::metrics;
    "/": GET docs::welcome;
}

/// The route of a method that stores its number with the request, for counting.
fn numbered(method: &str, number: u16) -> Route {
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

/// The route of the table that serves a request. As a guard it only stores itself with the request.
#[derive(Debug, Clone, Copy)]
pub struct RouteNumber(u16);

impl Guard for RouteNumber {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        context.req_data_mut().insert(*self);
        true
    }
}

impl RouteNumber {
    /// The route of a request, if any.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        use actix_web::HttpMessage;
        request.extensions().get().copied()
    }
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
