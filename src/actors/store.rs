//! The store's actor: the generic shape with nothing next to the state.

use super::{
    hosted::{Hosted, Place},
    registry::{Shelf, Shelves},
};
use crate::domain::{Entity, store::Stores};

impl Hosted for Stores {
    type View = ();
    type Desk = ();

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.stores
    }

    fn open_desk(_state: &<Self as Entity>::State, _place: &Place<'_, Self>) {}

    fn view(_desk: &(), _state: &<Self as Entity>::State) {}
}
