//! The messages that are pushed, and what they may carry. The enums are never built: they are how the AsyncAPI document says what may stand in
//! a place.

use serde::Serialize;
use utoipa::ToSchema;

use super::{DealsChanged, Topic, presence::Present, publication::Key};
use crate::{
    events::{Position, codec::RecordedEvent},
    projections::totals::{PriceState, TotalsView},
};

/// A push of class event: never merged or dropped.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventPush<'a, E> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(value_type = String)]
    pub topic: &'a Topic,
    #[schema(value_type = String)]
    pub position: Position,
    /// The topic had no event between this position and `position`: a client that has everything up to it missed nothing.
    #[schema(required, value_type = Option<String>)]
    pub previous: Option<Position>,
    #[schema(value_type = PushedEvent)]
    pub event: E,
}

/// A push of class state: only the latest per topic and key is delivered to a slow reader.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatePush<'a, V> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(value_type = String)]
    pub topic: &'a Topic,
    #[schema(value_type = String)]
    pub key: &'a Key,
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(value_type = StateValue)]
    pub value: &'a V,
}

/// The value of a state, by its key: `totals`, `price:<product>` (of a product: `price:<store>`) or `presence`.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum StateValue {
    Totals(TotalsView),
    Price(PriceState),
    Presence(Present),
}

/// The content of an event push: an event of the log, or the changes of deals.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PushedEvent {
    Recorded(RecordedEvent<'static>),
    Deals(DealsChanged),
}
