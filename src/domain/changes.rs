//! What an event changed, as people read it: the fields it touched, before and after. Timelines, undo and diffs use this form.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Entity, Fact};

/// One changed field.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// The item of a list that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Such as `name`, or `members/ann` for a part of many.
    pub field: String,
    /// Null if there was nothing.
    #[schema(schema_with = any_value)]
    pub before: Value,
    /// Null if nothing is left.
    #[schema(schema_with = any_value)]
    pub after: Value,
}

/// A text, number, truth, object, array, or null.
fn any_value() -> utoipa::openapi::Schema {
    utoipa::openapi::schema::Object::builder().schema_type(utoipa::openapi::schema::SchemaType::AnyValue).into()
}

/// The fields of a thing that hold something, by name.
pub type Fields = BTreeMap<String, Value>;

/// The fields that an event may touch, those of each item on their own.
pub type Touched = Vec<(Option<String>, Fields)>;

/// An entity whose events can show what they change.
pub trait Traced: Entity {
    /// What an event may touch, as a state has it. For the states directly before and after the event it names the
    /// same parts in the same order.
    fn touched(event: &Self::Event, state: &Self::State) -> Touched;
}

/// Applies an event and returns what it changed.
pub fn trace<E: Traced>(state: &mut E::State, event: &E::Event, fact: &Fact<'_>) -> Vec<Change> {
    let before = E::touched(event, state);
    E::evolve(state, event, fact);
    let after = E::touched(event, state);
    before.iter().zip(&after).flat_map(|((item, before), (_, after))| compare(item.as_deref(), before, after)).collect()
}

/// For an event that touches only the entity itself.
#[must_use]
pub fn of_itself(fields: Fields) -> Touched {
    vec![(None, fields)]
}

/// The fields that differ, in the order of their names.
#[must_use]
pub fn compare(item: Option<&str>, before: &Fields, after: &Fields) -> Vec<Change> {
    let mut names: Vec<_> = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.sort_unstable();
    let value = |fields: &Fields, name: &str| fields.get(name).cloned().unwrap_or_default();
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differing
        .map(|name| Change { item: item.map(str::to_owned), field: name.clone(), before: value(before, name), after: value(after, name) })
        .collect()
}

/// Leaves out empty values.
#[must_use]
pub fn fields<const N: usize>(named: [(&str, Value); N]) -> Fields {
    named.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The fields of plain data.
#[must_use]
pub fn fields_of<T: Serialize>(data: &T) -> Fields {
    match shown(data) {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Fields::new(),
    }
}

/// Plain data as JSON, which cannot fail.
#[must_use]
pub fn shown<T: Serialize>(data: &T) -> Value {
    serde_json::to_value(data).unwrap_or_default()
}
