//! The household's actor: the generic shape with nothing next to the state.

use super::{
    hosted::{Hosted, Place},
    registry::{Shelf, Shelves},
};
use crate::domain::{Entity, household::Households};

impl Hosted for Households {
    type View = ();
    type Desk = ();

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.households
    }

    fn open_desk(_state: &<Self as Entity>::State, _place: &Place<'_, Self>) {}

    fn view(_desk: &(), _state: &<Self as Entity>::State) {}
}
