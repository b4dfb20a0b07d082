//! Entities whose actors keep nothing beside the state: the generic shape as it is. Only the list, the first of all, keeps its totals.

use super::hosted::{Environment, Hosted};
use crate::domain::{Entity, entities::entities};

macro_rules! plain {
    (
        List lists $list:literal list Lists ListEvent;
        $($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*
    ) => {$(
        impl Hosted for crate::domain::$module::$entity {
            type View = ();
            type Derived = ();

            fn derive(_state: &<Self as Entity>::State, _place: &Environment<'_, Self>) {}

            fn view(_desk: &(), _state: &<Self as Entity>::State) {}

            fn nothing() {}
        }
    )*};
}

entities!(each plain);
