//! The product's actor: the generic shape with nothing next to the state.

use super::{
    hosted::{Hosted, Place},
    registry::{Shelf, Shelves},
};
use crate::domain::{Entity, product::Products};

impl Hosted for Products {
    type View = ();
    type Desk = ();

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.products
    }

    fn open_desk(_state: &<Self as Entity>::State, _place: &Place<'_, Self>) {}

    fn view(_desk: &(), _state: &<Self as Entity>::State) {}
}
