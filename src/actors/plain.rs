//! Entities whose actors keep nothing beside the state: the generic shape as it is.

use super::hosted::{Hosted, Place};
use crate::domain::{Entity, household::Households, order::Orders, product::Products, store::Stores, system::System};

macro_rules! plain {
    ($($entity:ty),*) => {$(
        impl Hosted for $entity {
            type View = ();
            type Desk = ();

            fn open_desk(_state: &<Self as Entity>::State, _place: &Place<'_, Self>) {}

            fn view(_desk: &(), _state: &<Self as Entity>::State) {}
        }
    )*};
}

plain!(Products, Orders, Households, Stores, System);
