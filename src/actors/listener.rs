//! The listeners for committed events and changed totals: the live hub in a server, none in a tool.

use std::sync::Arc;

use crate::{
    domain::ListId,
    events::{Position, Recorded},
    projections::{
        Changes, Views,
        totals::{PriceState, TotalsView},
    },
};

/// The listeners of the server. Calls must be fast and never block: they run on the projector's and the actors' threads.
pub trait Listener: Send + Sync + 'static {
    /// A committed event, each once and in log order; `views` have applied it (and perhaps a few later ones).
    fn committed(&self, recorded: &Arc<Recorded>, changes: &Changes, views: &Views);

    /// The totals of a list as of a position that never decreases per list, with those of its products' prices that changed.
    fn list_changed(&self, list: &ListId, position: Position, totals: &Arc<TotalsView>, prices: &[PriceState]);

    /// Whether anybody listens to this list: without listeners nothing is rendered.
    fn wants_list(&self, list: &ListId) -> bool;
}

/// Nobody listens.
#[derive(Debug)]
pub struct NoListener;

impl Listener for NoListener {
    fn committed(&self, _recorded: &Arc<Recorded>, _changes: &Changes, _views: &Views) {}

    fn list_changed(&self, _list: &ListId, _position: Position, _totals: &Arc<TotalsView>, _prices: &[PriceState]) {}

    fn wants_list(&self, _list: &ListId) -> bool {
        false
    }
}
