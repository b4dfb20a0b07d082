//! What exactly is followed: a topic, and for deals the part of it that a filter lets through. Each channel is encoded once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::topic::Topic;
use crate::projections::{Deal, DealChange};

/// A topic with its filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Channel {
    pub topic: Topic,
    /// Lets everything through unless the topic is one of deals.
    pub filter: DealFilter,
}

/// Which deals of a store to send, by default all. Like the query of `GET /deals`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DealFilter {
    /// Only products of this category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only deals that save at least this many percent, 0 to 100.
    pub min_saving_percent: u8,
    /// Only deals below the lowest price of the last 30 days.
    pub honest: bool,
}

/// The highest saving a filter may ask for.
const PERCENT_MAX: u8 = 100;

impl Channel {
    /// A topic without a filter.
    #[must_use]
    pub fn whole(topic: Topic) -> Self {
        Self { topic, filter: DealFilter::default() }
    }
}

impl DealFilter {
    /// Whether it asks for something that exists.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.min_saving_percent <= PERCENT_MAX
    }

    /// The least saving in hundredths of a percent.
    #[must_use]
    pub fn saving_basis_points_min(&self) -> u32 {
        u32::from(self.min_saving_percent) * 100
    }

    /// What a change of a deal means to a follower with this filter: the change, an end because the deal no longer matches, or nothing.
    #[must_use]
    pub fn view(&self, change: &DealChange) -> Option<DealChange> {
        match change {
            DealChange::Changed(deal) if !self.lets_through(deal) => Some(DealChange::Ended(deal.clone())),
            change @ (DealChange::Began(_) | DealChange::Changed(_) | DealChange::Ended(_)) => {
                self.lets_through(change.deal()).then(|| change.clone())
            }
        }
    }

    fn lets_through(&self, deal: &Deal) -> bool {
        // As in `GET /deals`: an outlier is more often a mistake than a deal.
        !deal.outlier
            && self.category.as_deref().is_none_or(|category| deal.category.as_deref() == Some(category))
            && deal.saving_basis_points >= self.saving_basis_points_min()
            && (deal.honest || !self.honest)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::{Moment, Money, UnitPrice, product::PriceKind},
        events::Position,
        live::channel::*,
    };

    fn deal(category: &str, basis_points: u32, honest: bool) -> Deal {
        let price: UnitPrice = serde_json::from_str(r#"{"amount":"1.00","currency":"EUR"}"#).unwrap();
        let saving: Money = serde_json::from_str(r#"{"amount":"1.00","currency":"EUR"}"#).unwrap();
        Deal {
            product: "p".parse().unwrap(),
            store: "s".parse().unwrap(),
            kind: PriceKind::Shelf,
            category: Some(category.into()),
            price: price.clone(),
            reference: price.clone(),
            saving,
            saving_basis_points: basis_points,
            since: Moment(0),
            last_seen: Moment(0),
            until: None,
            new_low: false,
            honest,
            outlier: false,
            lowest_30_days: price,
            position: Position(1),
        }
    }

    fn filter(text: &str) -> DealFilter {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_filter_lets_through_what_fits_every_part_of_it() {
        let began = |category, points, honest| DealChange::Began(deal(category, points, honest));
        let wanted = filter(r#"{"category":"dairy","min_saving_percent":20,"honest":true}"#);
        assert!(wanted.view(&began("dairy", 2_000, true)).is_some());
        for change in [began("bread", 2_000, true), began("dairy", 1_999, true), began("dairy", 2_000, false)] {
            assert_eq!(wanted.view(&change), None);
            assert_eq!(DealFilter::default().view(&change), Some(change));
        }
    }

    #[test]
    fn a_deal_that_stops_fitting_is_told_as_ended() {
        let wanted = filter(r#"{"min_saving_percent":20}"#);
        let now = deal("dairy", 500, true);
        assert_eq!(wanted.view(&DealChange::Changed(now.clone())), Some(DealChange::Ended(now)));
    }

    #[test]
    fn a_filter_of_unknown_parts_is_refused() {
        assert!(serde_json::from_str::<DealFilter>(r#"{"shop":"x"}"#).is_err());
        assert!(serde_json::from_str::<DealFilter>(r#"{"min_saving_percent":300}"#).is_err());
        assert!(!filter(r#"{"min_saving_percent":101}"#).is_valid());
    }
}
