//! What the document says beside the routes, and the descriptions of all routes as utoipa collects them.

use utoipa::OpenApi;

use crate::http::{Routes, bulk};

/// The part of the document that no route says.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "aisled",
        description = "A live grocery server on one event log. Every write is a command and answers with its outcome, the entity's version and the log position. \
            Any write may carry `Idempotency-Key` (repeatable) and `If-Match: \"<version>\"` (conditional). Errors are RFC 9457 problems with a stable `code`: \
            each answer below lists its codes, and `docs/errors.md` explains them. Money and quantities are decimal text."
    ),
    components(schemas(
        bulk::BulkSummary, crate::projections::HeldPrice, crate::snapshots::Verified, crate::app::Restored, crate::app::Undone,
        crate::app::Rebuilt, crate::app::SelfRestored
    )),
    tags(
        (name = "lists", description = "Shopping lists, their items and totals"),
        (name = "products", description = "What can be bought"),
        (name = "prices", description = "Prices as they were seen, and deals"),
        (name = "stores", description = "Shops and their sales channels"),
        (name = "orders", description = "From basket to receipt and refund"),
        (name = "households", description = "Who shares lists and a budget"),
        (name = "people", description = "Signing in, devices, tokens, invitations, links and accounts"),
        (name = "undo", description = "What happened, taking it back, and bringing a list or household back"),
        (name = "events", description = "The log itself"),
        (name = "live", description = "Changes as they happen"),
        (name = "admin", description = "Snapshots, restores and rebuilds"),
        (name = "operation", description = "For those who run the server"),
    )
)]
struct Frame;

/// The frame with the description of every route of the table.
pub fn described() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    document.merge(Routes::openapi());
    document
}
