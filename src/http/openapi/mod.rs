//! The OpenAPI document: what the code says of itself, brought into a form that generators of clients and validators understand.
//! Each pass below mends one kind of thing over the whole document, so that a new route or type is right without further work.

mod answers;
mod bodies;
pub mod codes;
mod examples;
mod flat;
mod frame;
mod inline;
mod names;
mod parameters;
mod security;
mod shared;
mod types;
mod unions;
pub mod walk;

use std::sync::LazyLock;

use serde_json::Value;

/// The document, made once.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let mut document = serde_json::to_value(frame::described()).expect("this holds because the description is plain data");
        for pass in PASSES {
            pass(&mut document);
        }
        document
    });
    &DOCUMENT
}

/// In the order in which they build on each other.
const PASSES: &[fn(&mut Value)] = &[
    walk::name_operations,
    flat::flatten,
    inline::refer,
    names::rename,
    types::complete,
    unions::discriminate,
    parameters::complete,
    security::secure,
    answers::complete,
    bodies::complete,
    shared::share,
    examples::exemplify,
];
