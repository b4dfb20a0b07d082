//! The one list of entities. Everything that must know all of them is made from it: the kinds of stream, the closed event type, the directories of
//! the registry, and every choice of a type by a kind. A new entity is one line here.

/// Hands the list to a rule below, or to a macro with `each`. A line is the kind, its directory, the token before the slash in a stream's name, and
/// in `domain` the module, the entity and its event.
macro_rules! entities {
    (@list $rule:ident $arguments:tt) => {
        $crate::domain::entities::entities! { @$rule $arguments
            List lists "list" list Lists ListEvent;
            Product products "product" product Products ProductEvent;
            Order orders "order" order Orders OrderEvent;
            Household households "household" household Households HouseholdEvent;
            Store stores "store" store Stores StoreEvent;
            System system "system" system System SystemEvent;
        }
    };
    (@each ($then:ident) $($line:tt)*) => {
        $then! { $($line)* }
    };
    (@clients ($then:ident) $($line:tt)*) => {
        $crate::domain::entities::entities! { @without_system ($then) [] $($line)* }
    };
    (@without_system ($then:ident) [$($kept:tt)*] System $directory:ident $name:literal $module:ident $type:ident $event:ident; $($rest:tt)*) => {
        $then! { $($kept)* $($rest)* }
    };
    (@without_system ($then:ident) [$($kept:tt)*]
        $variant:ident $directory:ident $name:literal $module:ident $type:ident $event:ident; $($rest:tt)*) => {
        $crate::domain::entities::entities! { @without_system ($then)
            [$($kept)* $variant $directory $name $module $type $event;] $($rest)*
        }
    };
    (@by_kind ($kind:expr, $entity:ident => $body:expr)
        $($variant:ident $directory:ident $name:literal $module:ident $type:ident $event:ident;)*) => {
        match $kind {
            $($crate::domain::StreamKind::$variant => {
                type $entity = $crate::domain::$module::$type;
                $body
            })*
        }
    };
    (@by_event ($whole:expr, $content:ident => $body:expr)
        $($variant:ident $directory:ident $name:literal $module:ident $type:ident $event:ident;)*) => {
        match $whole {
            $($crate::domain::Event::$variant($content) => $body,)*
        }
    };
    (each $then:ident) => {
        $crate::domain::entities::entities! { @list each ($then) }
    };
    // As `each`, without the server itself: the entities that clients send commands to.
    (clients $then:ident) => {
        $crate::domain::entities::entities! { @list clients ($then) }
    };
    // The value of `body` with the type of the entity of a kind: `entities!(kind, E => E::State::default())`.
    (kind $kind:expr, $entity:ident => $body:expr) => {
        $crate::domain::entities::entities! { @list by_kind ($kind, $entity => $body) }
    };
    // The value of `body` with the entity's own event inside an event of any kind.
    (event $whole:expr, $content:ident => $body:expr) => {
        $crate::domain::entities::entities! { @list by_event ($whole, $content => $body) }
    };
}

pub(crate) use entities;
