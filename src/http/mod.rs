//! The edge: the table of routes below, wire types, one error mapping, and the way from a request to a command and back.

#![allow(elided_lifetimes_in_paths, reason = "the descriptions of routes name types as clients know them, without lifetimes")]

pub mod access;
pub mod admin;
pub mod baskets;
pub mod body;
pub mod bulk;
pub mod caller;
pub mod commands;
mod current;
pub mod deals;
pub mod diff;
pub mod docs;
pub mod edge;
pub mod error;
pub mod events;
pub mod health;
pub mod households;
pub mod items;
pub mod lines;
pub mod lists;
pub mod live;
pub mod mistakes;
pub mod orders;
pub mod past;
pub mod prices;
pub mod products;
pub mod protocol;
pub mod query;
pub mod reads;
pub mod restore;
pub mod routes;
pub mod service;
pub mod site;
pub mod stores;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod totals;
pub mod travel;
pub mod undo;
pub mod unrouted;

use routes::routes;

// Every route, with its description at the handler. The first are tried first, so the busiest are at the top.
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
