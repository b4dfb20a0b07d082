//! The AsyncAPI document of the live protocol, made from the types that are sent. Served at `/api/v1/asyncapi.json` and kept in
//! `docs/asyncapi.json`.

mod channels;
mod messages;
mod operations;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The version of AsyncAPI the document is written in.
const ASYNCAPI_VERSION: &str = "3.0.0";

/// The document.
#[must_use]
pub fn document() -> Value {
    json!({
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "aisled live",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Changes as they happen. Many topics on one connection, resumed from a position without a gap, and commands on the same \
                connection. Positions are opaque text; money and quantities are decimal text. `docs/live.md` walks through it; the HTTP side \
                is described at `/api/v1/openapi.json`.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": channels::servers(),
        "channels": channels::channels(),
        "operations": operations::operations(),
        "components": {
            "messages": messages::messages(),
            "schemas": schemas::schemas(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, the configured admin token, or the end of a link to a list. A client that cannot send the header \
                        sends the token in its first message, `refresh`.",
                },
                "session": {
                    "type": "httpApiKey",
                    "in": "cookie",
                    "name": "aisled_session",
                    "description": "The session of a browser; on https the cookie is `__Host-aisled_session`. Programs on the server's own machine \
                        need neither, unless the server requires it.",
                },
            },
        },
    })
}

/// The document as it is served and kept.
#[must_use]
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));
    &TEXT
}

/// A reference into the document.
fn reference(path: impl std::fmt::Display) -> Value {
    json!({ "$ref": format!("#/{path}") })
}
