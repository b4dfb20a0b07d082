//! The store: a shop or one of its sales channels, with its currency and, once learnt, the order of its aisles.

use serde::{Deserialize, Serialize};

use super::Currency;

/// What somebody says about a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum StoreCommand {
    Register(StoreDetails),
    /// `None` leaves a field as it is. The currency can never change: its prices are recorded in it.
    ChangeDetails {
        name: Option<String>,
        chain: Option<String>,
        country: Option<String>,
        time_zone: Option<String>,
    },
    /// Categories in the order one walks past them.
    LearnAisleOrder {
        categories: Vec<String>,
    },
}

/// What a store is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreDetails {
    pub name: String,
    pub currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// ISO 3166 two-letter code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// IANA name; days of offers are this zone's days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What happened to a store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreEvent {
    Registered(StoreDetails),
    DetailsChanged { name: Option<String>, chain: Option<String>, country: Option<String>, time_zone: Option<String> },
    AisleOrderLearned { categories: Vec<String> },
}

/// The phases of a store's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum StoreState {
    #[default]
    Absent,
    Registered(Store),
}

/// A store that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Store {
    pub details: StoreDetails,
    pub aisle_order: Vec<String>,
}

/// The store as an entity.
#[derive(Debug)]
pub struct Stores;
