//! What is wrong with a value, by the sentence of its reader: a stable code, and a pointer at the field.

use crate::{domain::json::push_name, events::served::HISTORY_CHANGED};

/// Parts of the messages of value errors, and the stable code of each: serde passes on only the message.
const VALUE_CODES: [(&str, &str); 7] = [
    ("is not a known ISO 4217", "currency_unknown"),
    ("an amount must be decimal text", "amount_malformed"),
    ("the amount has more than", "amount_too_precise"),
    ("the amount is larger", "amount_too_large"),
    ("a quantity's amount must be", "quantity_malformed"),
    ("a quantity has at most", "quantity_too_precise"),
    ("the quantity is larger", "quantity_too_large"),
];

/// Recognises the usual mistakes by serde's messages, and completes the pointer with the field they name.
pub fn classify(detail: &str, mut pointer: String) -> (&'static str, String) {
    let named = detail.split('`').nth(1);
    let code = if detail.starts_with("unknown field") {
        "unknown_field"
    } else if detail.starts_with("missing field") {
        "missing_field"
    } else if detail.starts_with("duplicate field") {
        "duplicate_field"
    } else if detail.starts_with("unknown variant") {
        return ("unknown_value", pointer);
    } else if detail.starts_with(HISTORY_CHANGED) {
        return ("history_changed", pointer);
    } else if detail.starts_with("an id m") {
        return ("invalid_id", pointer);
    } else {
        let code = VALUE_CODES.into_iter().find(|(sentence, _)| detail.contains(sentence)).map_or("invalid_value", |(_, code)| code);
        // The text of an amount is checked when its object ends, so the path ends there too.
        if !pointer.is_empty() && (code.starts_with("amount_") || code.starts_with("quantity_")) {
            pointer.push_str("/amount");
        }
        return (code, pointer);
    };
    if let Some(name) = named
        && pointer.rsplit('/').next() != Some(name)
    {
        push_name(&mut pointer, name);
    }
    (code, pointer)
}
