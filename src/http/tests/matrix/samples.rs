//! For every route a request that succeeds for whom it is allowed to.

use crate::domain::rights::Action;

/// A request of a route.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub method: &'static str,
    pub path: &'static str,
    /// With its question mark.
    pub query: &'static str,
    /// JSON with placeholders, empty for none.
    pub body: &'static str,
    /// What the request takes, where the body decides that.
    pub action: Option<Action>,
}

/// The sample of a route.
pub fn sample(method: &str, path: &str) -> Option<Sample> {
    SAMPLES.iter().copied().find(|sample| (sample.method, sample.path) == (method, path))
}

impl Sample {
    /// Its path with the placeholder of the thing that it names.
    pub fn target(&self) -> String {
        let kind = self.path.split('/').nth(3).unwrap_or_default();
        let thing = match kind {
            "lists" => "$list",
            "products" => "$product",
            "stores" => "$store",
            "orders" => "$order",
            "households" => "$household",
            _ => "none",
        };
        let path = self.path.replace("{id}", thing).replace("{item}", "$item");
        let path = CREDENTIALS.iter().fold(path, |path, named| path.replace(named, "none"));
        format!("{path}{}", self.query)
    }
}

/// What paths name that no household holds; here nothing has these names.
pub const CREDENTIALS: [&str; 6] = ["{name}", "{session}", "{token}", "{who}", "{invitation}", "{link}"];

const fn get(path: &'static str, query: &'static str) -> Sample {
    Sample { method: "GET", path, query, body: "", action: None }
}

const fn post(path: &'static str, body: &'static str) -> Sample {
    Sample { method: "POST", path, query: "", body, action: None }
}

const fn patch(path: &'static str, body: &'static str) -> Sample {
    Sample { method: "PATCH", ..post(path, body) }
}

const fn delete(path: &'static str, query: &'static str) -> Sample {
    Sample { method: "DELETE", ..get(path, query) }
}

const ORDER: &str = r#"{"id": "$new", "household": "$household", "list": "$list", "store": "s", "placed_at": "2026-01-01", "lines":
    [{"line": 1, "name": "Tea", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "2.00", "currency": "EUR"}}]}"#;
const PRICE: &str = r#"{"store": "s", "price": {"amount": "2.00", "currency": "EUR"}, "observed_at": "2026-01-01"}"#;
const PRICES: &str = r#"{"product": "$product", "store": "s", "price": {"amount": "2.00", "currency": "EUR"}}"#;
const BASKET: &str = r#"{"store": "s", "items": [{"product": "p", "quantity": {"amount": "1", "unit": "each"}}]}"#;
const BUDGET: &str = r#"{"op": "set_budget", "monthly": {"amount": "10.00", "currency": "EUR"}}"#;

#[rustfmt::skip]
const SAMPLES: &[Sample] = &[
    get("/api/v1/lists/{id}", ""),
    patch("/api/v1/lists/{id}", r#"{"name": "$new"}"#),
    post("/api/v1/lists/{id}/items", r#"{"name": "$new"}"#),
    get("/api/v1/products/{id}/best", ""),
    get("/api/v1/products/{id}/prices", ""),
    post("/api/v1/products/{id}/prices", PRICE),
    delete("/api/v1/products/{id}/prices", "?store=s"),
    patch("/api/v1/lists/{id}/items/{item}", r#"{"note": "$new"}"#),
    delete("/api/v1/lists/{id}/items/{item}", ""),
    post("/api/v1/lists/{id}/commands", r#"{"op": "check", "item": "$item"}"#),
    // Without what a live session needs, an admitted request is a mistake, and ends. `tests/live` opens real ones.
    get("/api/v1/live", ""),
    get("/api/v1/live/sse", ""),
    get("/api/v1/live/ndjson", ""),
    get("/api/v1/products/{id}", ""),
    patch("/api/v1/products/{id}", r#"{"name": "$new"}"#),
    post("/api/v1/prices", PRICES),
    get("/api/v1/lists", ""),
    Sample { action: Some(Action::EditHousehold), ..post("/api/v1/lists", r#"{"id": "$new", "name": "$new", "household": "$household"}"#) },
    get("/api/v1/lists/{id}/totals", ""),
    get("/api/v1/lists/{id}/events", ""),
    post("/api/v1/lists/{id}/clear-checked", ""),
    post("/api/v1/lists/{id}/check-out", r#"{"order": "$new"}"#),
    post("/api/v1/lists/{id}/members", r#"{"member": "$new", "role": "viewer"}"#),
    get("/api/v1/products", ""),
    post("/api/v1/products", r#"{"id": "$new", "name": "$new"}"#),
    post("/api/v1/products/{id}/commands", r#"{"op": "report_stock", "store": "s", "stock": "low"}"#),
    get("/api/v1/stores", ""),
    post("/api/v1/stores", r#"{"id": "$new", "name": "$new", "currency": "EUR"}"#),
    get("/api/v1/stores/{id}", ""),
    patch("/api/v1/stores/{id}", r#"{"name": "$new"}"#),
    post("/api/v1/stores/{id}/commands", r#"{"op": "learn_aisle_order", "categories": ["fruit"]}"#),
    post("/api/v1/baskets/price", BASKET),
    get("/api/v1/deals", ""),
    get("/api/v1/orders", ""),
    post("/api/v1/orders", ORDER),
    get("/api/v1/orders/{id}", ""),
    post("/api/v1/orders/{id}/commands", r#"{"op": "cancel", "reason": null}"#),
    get("/api/v1/households", ""),
    post("/api/v1/households", r#"{"id": "$new", "name": "$new"}"#),
    get("/api/v1/households/{id}", ""),
    post("/api/v1/households/{id}/commands", BUDGET),
    get("/api/v1/households/{id}/spend", ""),
    post("/api/v1/undo", r#"{"position": "$position"}"#),
    get("/api/v1/lists/{id}/timeline", ""),
    get("/api/v1/lists/{id}/items/{item}/timeline", ""),
    get("/api/v1/lists/{id}/diff", "?from=$position"),
    post("/api/v1/lists/{id}/restore", r#"{"at": "$position"}"#),
    get("/api/v1/households/{id}/timeline", ""),
    get("/api/v1/households/{id}/diff", "?from=$now"),
    post("/api/v1/households/{id}/restore", r#"{"at": "$now"}"#),
    get("/api/v1/events", "?limit=1"),
    get("/api/v1/admin/snapshots", ""),
    post("/api/v1/admin/snapshots", ""),
    post("/api/v1/admin/snapshots/prune", ""),
    get("/api/v1/admin/snapshots/{name}", ""),
    delete("/api/v1/admin/snapshots/{name}", ""),
    post("/api/v1/admin/snapshots/{name}/verify", ""),
    post("/api/v1/admin/self-restore", ""),
    post("/api/v1/admin/restore", r#"{"snapshot": "none"}"#),
    post("/api/v1/admin/restore/undo", ""),
    post("/api/v1/admin/restore/stream", r#"{"stream": "list/none", "snapshot": "none"}"#),
    get("/api/v1/admin/operations", ""),
    get("/api/v1/admin/operations/{id}", ""),
    get("/api/v1/admin/digests", ""),
    post("/api/v1/admin/views/rebuild", ""),
    post("/api/v1/setup", r#"{"key": "none", "login": "x", "name": "X", "password": "a good password"}"#),
    get("/api/v1/session", ""),
    post("/api/v1/session", r#"{"key": "none"}"#),
    delete("/api/v1/session", ""),
    get("/api/v1/sessions", ""),
    delete("/api/v1/sessions/{session}", ""),
    post("/api/v1/password", r#"{"password": "a good password"}"#),
    get("/api/v1/tokens", ""),
    post("/api/v1/tokens", r#"{"name": "x", "scopes": "read"}"#),
    delete("/api/v1/tokens/{token}", ""),
    get("/api/v1/users", ""),
    post("/api/v1/users", r#"{"login": "$new"}"#),
    get("/api/v1/users/{who}", ""),
    patch("/api/v1/users/{who}", r#"{"name": "X"}"#),
    get("/api/v1/households/{id}/people", ""),
    get("/api/v1/households/{id}/invitations", ""),
    post("/api/v1/households/{id}/invitations", r#"{"role": "child"}"#),
    delete("/api/v1/households/{id}/invitations/{invitation}", ""),
    post("/api/v1/invitations/accept", r#"{"invitation": "none", "login": "x", "name": "X", "password": "a good password"}"#),
    get("/api/v1/lists/{id}/links", ""),
    post("/api/v1/lists/{id}/links", ""),
    delete("/api/v1/lists/{id}/links/{link}", ""),
    get("/api/v1/oidc/start", ""),
    post("/api/v1/oidc/start", r#"{"invitation": "none"}"#),
    get("/api/v1/oidc/callback", ""),
    post("/api/v1/oidc/link", ""),
    delete("/api/v1/oidc/link", ""),
    get("/sign-in", ""),
    get("/setup", ""),
    get("/join", ""),
    get("/view", ""),
    get("/people", ""),
    get("/people.js", ""),
    get("/people.css", ""),
    get("/api/v1/openapi.json", ""),
    get("/api/v1/asyncapi.json", ""),
    get("/healthz", ""),
    get("/readyz", ""),
    get("/metrics", ""),
    get("/", ""),
];
