//! The servers and the channels: the WebSocket with its handshake, limits, close and error codes, and the same feed over HTTP.

use std::time::Duration;

use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use super::{
    messages::{FEED, FROM_CLIENT, FROM_SERVER, of_channel},
    reference,
    schemas::draft_7,
};
use crate::{
    http::live::{errors::ErrorCode, session::ConnectQuery},
    live::{Close, Limits, encoding::Encoding},
};

/// One server, by both of its protocols.
pub fn servers() -> Value {
    let server = |protocol: &str, description: &str| {
        json!({
            "host": "{host}",
            "protocol": protocol,
            "description": description,
            "variables": { "host": { "default": "127.0.0.1:8080", "description": "Where the server listens, or the proxy in front of it." } },
            "security": [reference("components/securitySchemes/bearer"), reference("components/securitySchemes/session")],
        })
    };
    json!({
        "websocket": server("ws", "WebSocket over HTTP/1.1; `wss` behind a proxy that terminates TLS."),
        "http": server("http", "Server-Sent Events and NDJSON; `https` behind a proxy that terminates TLS."),
    })
}

/// All channels by name.
pub fn channels() -> Value {
    let all = FROM_SERVER.iter().chain(&FROM_CLIENT).map(|(name, _)| *name);
    json!({
        "live": {
            "address": "/api/v1/live",
            "title": "The WebSocket",
            "description": "One connection for everything. In `aisled.v1+json` each message is one JSON object in a text frame, in \
                `aisled.v1+msgpack` the same object as MessagePack with field names in a binary frame.",
            "servers": [reference("servers/websocket")],
            "messages": of_channel(all),
            "bindings": { "ws": { "method": "GET", "query": query::<ConnectQuery>(), "headers": headers(), "bindingVersion": "0.1.0" } },
            "x-close-codes": close_codes(),
            "x-error-codes": error_codes(),
            "x-limits": limits(Limits::default()),
        },
        "sse": {
            "address": "/api/v1/live/sse",
            "title": "Server-Sent Events",
            "description": "Each `data:` is one message, each `id:` a cursor; it comes back as `Last-Event-ID` to continue.",
            "servers": [reference("servers/http")],
            "messages": of_channel(FEED),
        },
        "ndjson": {
            "address": "/api/v1/live/ndjson",
            "title": "NDJSON",
            "description": "One line for each message, with the cursor to continue from. An empty line is a sign of life.",
            "servers": [reference("servers/http")],
            "messages": of_channel(["line"]),
        },
    })
}

/// The parameters of a query as the schema of an object.
pub fn query<P: IntoParams>() -> Value {
    let property = |parameter| {
        let mut parameter = serde_json::to_value(parameter).unwrap_or_default();
        let mut schema = draft_7(parameter["schema"].take());
        if let (Some(schema), description @ Value::String(_)) = (schema.as_object_mut(), parameter["description"].take()) {
            schema.insert("description".into(), description);
        }
        (parameter["name"].as_str().unwrap_or_default().to_owned(), schema)
    };
    let properties: Map<_, _> = P::into_params(|| None).into_iter().map(property).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn headers() -> Value {
    json!({
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {
                "type": "string",
                "enum": Encoding::ALL.map(Encoding::subprotocol),
                "description": "The encoding of the messages; JSON if none is named.",
            },
            "Sec-WebSocket-Extensions": {
                "type": "string",
                "description": "permessage-deflate (RFC 7692) is agreed on if it is offered, without context takeover on either side.",
            },
            "Authorization": {
                "type": "string",
                "description": "`Bearer` and the token, where the server asks for one. Without it the first request must be `refresh`.",
            },
            "Origin": { "type": "string", "description": "A browser's must be the server's own host." },
        },
    })
}

fn close_codes() -> Vec<Value> {
    let row = |close: &Close| {
        json!({
            "code": close.code(),
            "name": close.name(),
            "meaning": close.meaning(),
            "reason": close.reason(),
            "come_back": close.come_back(),
        })
    };
    Close::ALL.iter().map(row).collect()
}

fn error_codes() -> Vec<Value> {
    let row = |error: &ErrorCode| json!({ "code": error.code(), "meaning": error.meaning(), "temporary": error.is_temporary() });
    ErrorCode::ALL.iter().map(row).collect()
}

/// Every limit by its name, with its default. Destructured, so that none is forgotten.
pub fn limits(limits: Limits) -> Value {
    let Limits {
        sessions_max,
        sessions_per_address_max,
        sessions_per_principal_max,
        message_bytes_max,
        topics_per_session_max,
        requests_in_flight_max,
        commands_per_second,
        commands_burst,
        messages_per_second,
        messages_burst,
        outbox_bytes_max,
        worker_bytes_max,
        bad_requests_max,
        recovery_events_max,
        recovery_scan_events_max,
        readers_max,
        snapshot_entries_max,
        answer_bytes_soft_max,
        strangers_per_worker_max,
        authenticate_within,
        ping_interval,
        stalled_max,
        closing_max,
        lifetime,
        farewell,
        presence_interval,
    } = limits;
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    json!({
        "sessions_max": sessions_max,
        "sessions_per_address_max": sessions_per_address_max,
        "sessions_per_principal_max": sessions_per_principal_max,
        "message_bytes_max": message_bytes_max,
        "topics_per_session_max": topics_per_session_max,
        "requests_in_flight_max": requests_in_flight_max,
        "commands_per_second": commands_per_second,
        "commands_burst": commands_burst,
        "messages_per_second": messages_per_second,
        "messages_burst": messages_burst,
        "outbox_bytes_max": outbox_bytes_max,
        "worker_bytes_max": worker_bytes_max,
        "bad_requests_max": bad_requests_max,
        "recovery_events_max": recovery_events_max,
        "recovery_scan_events_max": recovery_scan_events_max,
        "readers_max": readers_max,
        "snapshot_entries_max": snapshot_entries_max,
        "answer_bytes_soft_max": answer_bytes_soft_max,
        "strangers_per_worker_max": strangers_per_worker_max,
        "authenticate_within_ms": ms(authenticate_within),
        "ping_interval_ms": ms(ping_interval),
        "stalled_ms_max": ms(stalled_max),
        "closing_ms_max": ms(closing_max),
        "lifetime_ms": ms(lifetime),
        "farewell_ms": ms(farewell),
        "presence_interval_ms": ms(presence_interval),
    })
}
