//! What is wrong with the request itself, whatever it is for.

use super::{Code, Group};
use crate::http::{openapi::walk::Row, route::Need};

fn is_write(row: Row) -> bool {
    row.method != "GET"
}

fn has_body(row: Row) -> bool {
    row.method != "GET"
}

fn is_command(row: Row) -> bool {
    matches!(row.need, Need::Decided(_) | Need::DecidedShows(_))
        || row.operation.starts_with("bringBack")
        || joins(row)
        || row.operation == "observePrices"
}

/// Who accepts an invitation joins a household by its command.
pub fn joins(row: Row) -> bool {
    row.operation == "acceptInvitation"
}

fn takes_command_headers(row: Row) -> bool {
    is_command(row) || matches!(row.operation, "createLink" | "createInvitation") || row.path.starts_with("/api/v1/admin/")
}

fn is_read(row: Row) -> bool {
    row.method == "GET" || row.operation == "priceBasket"
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "Any request",
        whose: "every operation",
        applies: |_| true,
        codes: &[
            Code(400, "bad_request", "The request cannot be read as HTTP, or its path not as text."),
            Code(400, "malformed_forwarded", "A proxy sent a `Forwarded` header that cannot be read."),
            Code(400, "contradicting_forwarded", "A proxy's headers contradict each other about the sender."),
            Code(400, "invalid_id", "A part of the path is not an id: 1 to 64 letters, digits, `.`, `_`, `:` or `-`."),
            Code(400, "unknown_parameter", "The query has a parameter that this operation does not know."),
            Code(400, "missing_parameter", "The query lacks a parameter."),
            Code(400, "duplicate_parameter", "The query has a parameter twice."),
            Code(400, "invalid_parameter", "A parameter of the query cannot be read, or is out of its range."),
            Code(400, "invalid_principal", "`X-Aisled-As` does not name a principal."),
            Code(401, "not_authenticated", "Nobody is signed in: sign in, or send a token."),
            Code(401, "credential_unknown", "The session, token or link is not known here."),
            Code(401, "credential_expired", "The session, token or link has ended."),
            Code(401, "credential_disabled", "The account of the session or token is disabled."),
            Code(403, "acting_not_permitted", "Only an admin of the server may act for somebody else."),
            Code(403, "custom_header_required", "A write that a cookie signs needs `X-Aisled-Client`."),
            Code(403, "foreign_origin", "A page of another site sent it. The operator allows sites with `allowed_origins`."),
            Code(403, "not_permitted", "You may not do this here."),
            Code(409, "history_changed", "What you saw is of another history than the one served now, as after a restore: read again."),
            Code(403, "scope_missing", "The credential has not the scope that this takes."),
            Code(
                421,
                "foreign_host",
                "The server does not answer for the host that the request names. The operator names it with `public_url` or `allowed_hosts`.",
            ),
            Code(500, "internal", "A fault of the server; its log has the cause under the request id."),
            Code(503, "people_locked", "The accounts are used by another process."),
            Code(503, "people_damaged", "The accounts cannot be read; the server's log says why."),
            Code(503, "people_failed", "The accounts cannot be read or written now; the server's log says why."),
        ],
    },
    Group {
        title: "No operation",
        whose: "requests that no route serves",
        applies: |_| false,
        codes: &[
            Code(404, "route_not_found", "Nothing is served at this path."),
            Code(405, "method_not_allowed", "The path does not know the method; `Allow` names those it does."),
        ],
    },
    Group {
        title: "Bodies",
        whose: "writes: what needs no body refuses one that says something",
        applies: has_body,
        codes: &[
            Code(400, "malformed_json", "The body, or a line of it, is not JSON."),
            Code(400, "body_incomplete", "The body ended before it was complete."),
            Code(400, "not_utf8", "The body is not UTF-8 text."),
            Code(400, "malformed_encoding", "The body cannot be decoded as its `Content-Encoding` says."),
            Code(503, "bodies_busy", "Too many bytes of bodies are being read at once: try again."),
            Code(408, "body_too_slow", "The body did not arrive in time."),
            Code(413, "body_too_large", "The body has more bytes than allowed."),
            Code(415, "unsupported_media_type", "This operation does not read the body's content type."),
            Code(415, "unsupported_encoding", "The server does not read the body's `Content-Encoding`."),
            Code(422, "unknown_field", "A field is not known; `errors` points at it."),
            Code(422, "missing_field", "A field is missing."),
            Code(422, "duplicate_field", "A field is given twice."),
            Code(422, "unknown_value", "The field does not allow this value."),
            Code(422, "invalid_value", "A value has the wrong type or form."),
            Code(422, "invalid_id", "A value is not an id: 1 to 64 letters, digits, `.`, `_`, `:` or `-`."),
            Code(422, "currency_unknown", "A currency is not an ISO 4217 code."),
            Code(422, "amount_malformed", "An amount of money is not decimal text."),
            Code(422, "amount_too_precise", "An amount has more decimals than its currency."),
            Code(422, "amount_too_large", "An amount, or a sum of them, is too large."),
            Code(422, "quantity_malformed", "A quantity is not decimal text."),
            Code(422, "quantity_too_precise", "A quantity has more than three decimals."),
            Code(422, "quantity_too_large", "A quantity is too large."),
        ],
    },
    Group {
        title: "Headers of writes",
        whose: "writes that record something in the log",
        applies: |row| is_write(row) && takes_command_headers(row),
        codes: &[
            Code(400, "invalid_client", "`X-Aisled-Client` is not a name of a client."),
            Code(400, "invalid_idempotency_key", "`Idempotency-Key` is empty, too long, or not visible ASCII."),
            Code(400, "invalid_if_match", "`If-Match` is not one tag as an `ETag` showed it, or has no meaning here."),
        ],
    },
    Group {
        title: "Commands",
        whose: "commands of lists, products, stores, orders and households",
        applies: is_command,
        codes: &[
            Code(400, "two_command_ids", "`Idempotency-Key` and `command_id` name two commands."),
            Code(409, "key_reused", "The command id was used for another command."),
            Code(412, "history_changed", "The tag in `If-Match` is of another history than the one served now: read again."),
            Code(412, "version_mismatch", "The entity has another version than `If-Match` says: read it again."),
            Code(422, "text_empty", "A text is empty."),
            Code(422, "text_too_long", "A text is too long."),
            Code(422, "text_control_character", "A text contains a control character."),
            Code(422, "command_too_large", "The command's events do not fit one block of the log."),
            Code(500, "history_unreadable", "The history of this entity cannot be read; everything else works."),
            Code(503, "overloaded", "A queue is full: nothing was recorded, try again."),
            Code(503, "outcome_unknown", "It is not known whether the command was recorded: repeat it with the same command id."),
            Code(503, "read_only", "The log is read-only until an operator restarts the server."),
            Code(503, "disk_full", "The disk is full: nothing was recorded."),
        ],
    },
    Group {
        title: "Reads",
        whose: "reads that wait for a position, travel in time, or read the log",
        applies: is_read,
        codes: &[
            Code(400, "position_unknown", "The log has not reached this position."),
            Code(400, "at_with_after", "`at` and `after` exclude each other."),
            Code(400, "invalid_cursor", "A cursor does not come from this listing."),
            Code(400, "time_reversed", "A span ends before it begins."),
            Code(404, "before_first_event", "Nothing was recorded yet at that moment."),
            Code(404, "empty_log", "Nothing is recorded yet."),
            Code(500, "history_unreadable", "The log cannot be read at a position; what does not need it works."),
            Code(503, "position_not_reached", "The views did not reach the position in time: try again."),
            Code(503, "past_busy", "Too many look at the past at once: try again."),
            Code(503, "overloaded", "A queue is full: try again."),
        ],
    },
];
