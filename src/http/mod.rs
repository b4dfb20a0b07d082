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
pub mod permit;
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

// Every route, with its description at the handler and the right that it takes: `May` is checked before the handler, `Decided` by the
// entity that decides the command. The first are tried first, so the busiest are at the top.
routes! {
    "/api/v1/lists/{id}": GET lists::show [May SeeList], PATCH lists::change [Decided EditList];
    "/api/v1/lists/{id}/items": POST items::add [Decided FillList];
    "/api/v1/products/{id}/best": GET prices::best [May SeeCatalog];
    "/api/v1/products/{id}/prices": GET prices::show [May SeeCatalog], POST prices::observe [Decided EditCatalog], DELETE prices::withdraw [Decided EditCatalog];
    "/api/v1/lists/{id}/items/{item}": PATCH items::change [Decided FillList], DELETE items::remove [Decided EditList];
    "/api/v1/lists/{id}/commands": POST lists::command [Decided FillList];
    "/api/v1/live": GET live::session::connect [May Enter];
    "/api/v1/live/sse": GET live::feed::sse [May Enter];
    "/api/v1/live/ndjson": GET live::feed::ndjson [May Enter];
    "/api/v1/products/{id}": GET products::show [May SeeCatalog], PATCH products::change [Decided EditCatalog];
    "/api/v1/prices": POST bulk::prices [May EditCatalog];
    "/api/v1/lists": GET lists::index [May SeeCatalog], POST lists::create [Decided FoundHousehold];
    "/api/v1/lists/{id}/totals": GET totals::totals [May SeeList];
    "/api/v1/lists/{id}/events": GET events::of_list [May SeeListHistory];
    "/api/v1/lists/{id}/clear-checked": POST lists::clear_checked [Decided EditList];
    "/api/v1/lists/{id}/check-out": POST lists::check_out [Decided EditList];
    "/api/v1/lists/{id}/members": POST lists::share [Decided ShareList];
    "/api/v1/products": GET products::index [May SeeCatalog], POST products::create [Decided EditCatalog];
    "/api/v1/products/{id}/commands": POST products::command [Decided EditCatalog];
    "/api/v1/stores": GET stores::index [May SeeCatalog], POST stores::create [Decided EditCatalog];
    "/api/v1/stores/{id}": GET stores::show [May SeeCatalog], PATCH stores::change [Decided EditCatalog];
    "/api/v1/stores/{id}/commands": POST stores::command [Decided EditCatalog];
    "/api/v1/baskets/price": POST baskets::price [May SeeCatalog];
    "/api/v1/deals": GET deals::index [May SeeCatalog];
    "/api/v1/orders": GET orders::index [May SeeCatalog], POST orders::create [Decided EditHousehold];
    "/api/v1/orders/{id}": GET orders::show [May SeeOrder];
    "/api/v1/orders/{id}/commands": POST orders::command [Decided EditOrder];
    "/api/v1/households": GET households::index [May SeeCatalog], POST households::create [Decided FoundHousehold];
    "/api/v1/households/{id}": GET households::show [May SeeHousehold];
    "/api/v1/households/{id}/commands": POST households::command [Decided EditHousehold];
    "/api/v1/households/{id}/spend": GET households::spend [May SeeSpending];
    "/api/v1/undo": POST undo::undo [Decided FillList];
    "/api/v1/lists/{id}/timeline": GET timeline::of_list [May SeeListHistory];
    "/api/v1/lists/{id}/items/{item}/timeline": GET timeline::of_item [May SeeListHistory];
    "/api/v1/lists/{id}/diff": GET diff::of_list [May SeeListHistory];
    "/api/v1/lists/{id}/restore": POST restore::of_list [May EditList];
    "/api/v1/households/{id}/timeline": GET timeline::of_household [May SeeHousehold];
    "/api/v1/households/{id}/diff": GET diff::of_household [May SeeHousehold];
    "/api/v1/households/{id}/restore": POST restore::of_household [May ManageHousehold];
    "/api/v1/events": GET events::all [May RunServer];
    "/api/v1/admin/snapshots": GET admin::snapshots::index [May RunServer], POST admin::snapshots::create [May RunServer];
    "/api/v1/admin/snapshots/prune": POST admin::snapshots::prune [May RunServer];
    "/api/v1/admin/snapshots/{name}": GET admin::snapshots::show [May RunServer], DELETE admin::snapshots::remove [May RunServer];
    "/api/v1/admin/snapshots/{name}/verify": POST admin::snapshots::check [May RunServer];
    "/api/v1/admin/self-restore": POST admin::snapshots::self_restore [May RunServer];
    "/api/v1/admin/restore": POST admin::restore::restore [May RunServer];
    "/api/v1/admin/restore/undo": POST admin::restore::undo [May RunServer];
    "/api/v1/admin/restore/stream": POST admin::bring_back::bring_back_from [May RunServer];
    "/api/v1/admin/operations": GET admin::operations::index [May RunServer];
    "/api/v1/admin/operations/{id}": GET admin::operations::show [May RunServer];
    "/api/v1/admin/digests": GET admin::views::digests [May RunServer];
    "/api/v1/admin/views/rebuild": POST admin::views::rebuild [May RunServer];
    "/api/v1/openapi.json": GET docs::openapi [May Enter];
    "/api/v1/asyncapi.json": GET docs::asyncapi [May Enter];
    "/healthz": GET health::alive [May Enter];
    "/readyz": GET health::ready [May Enter];
    "/metrics": GET health::metrics [May RunServer];
    "/": GET docs::welcome [May Enter];
}
