//! Entities whose actors keep nothing beside the state: the generic shape as it is.

use super::hosted::{Environment, Hosted};
use crate::domain::{Entity, household::Households, order::Orders, product::Products, store::Stores, system::System};

macro_rules! plain {
    ($($entity:ty),*) => {$(
        impl Hosted for $entity {
            type View = ();
            type Derived = ();

            fn derive(_state: &<Self as Entity>::State, _place: &Environment<'_, Self>) {}

            fn view(_desk: &(), _state: &<Self as Entity>::State) {}
        }
    )*};
}

plain!(Products, Orders, Households, Stores, System);
