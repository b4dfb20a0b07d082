//! What an entity adds to be hosted by an actor: what it shows, and what it keeps next to its state.

use std::fmt::Debug;

use super::{handle::Handle, registry::Listed, shared::Shared};
use crate::{
    domain::{Entity, Event, Moment},
    events::{Position, Recorded},
};

/// An entity that lives in an actor. Most need nothing beyond their state; a list also keeps its totals.
pub trait Hosted: Entity<State: Unpin, Command: Unpin> + Listed + Sized + Debug + Unpin {
    /// What every answer shows of it.
    type View: Clone + Debug + Send + Sync + 'static;
    /// What the actor keeps next to the state; rebuilt when it wakes.
    type Derived: Debug + Unpin + 'static;

    /// Sets the derived up for a state just read from the log.
    fn derive(state: &Self::State, environment: &Environment<'_, Self>) -> Self::Derived;

    /// Updates the derived after an event was applied to the state.
    fn recorded(_desk: &mut Self::Derived, _state: &Self::State, _recorded: &Recorded, _place: &Environment<'_, Self>) {}

    /// Applies waiting facts of other streams. Returns whether the view changed.
    fn read_news(_desk: &mut Self::Derived, _state: &Self::State, _place: &Environment<'_, Self>) -> bool {
        false
    }

    /// Removes what the derived had registered elsewhere.
    fn release(_desk: &mut Self::Derived, _place: &Environment<'_, Self>) {}

    /// Everything a read shows now.
    fn view(derived: &Self::Derived, state: &Self::State) -> Self::View;

    /// What a read shows of one that does not exist.
    fn nothing() -> Self::View;

    /// What the answer to a command shows of it; less, where everything would cost more than the command.
    fn brief(derived: &Self::Derived, state: &Self::State) -> Self::View {
        Self::view(derived, state)
    }

    /// When the view changes by time alone.
    fn fresh_until(_desk: &Self::Derived) -> Option<Moment> {
        None
    }

    /// Tells listeners that the view changed.
    fn announce(_desk: &mut Self::Derived, _state: &Self::State, _position: Position, _place: &Environment<'_, Self>) {}

    /// Whether somebody waits for its view to change: then it stays awake, because a resting entity reads no news.
    fn is_watched(_id: &str, _shared: &Shared) -> bool {
        false
    }

    /// The part of the entity an event touched, such as an item's id.
    fn subject(_event: &Event) -> Option<String> {
        None
    }
}

/// An actor's context: its own id and handle, and what all actors share.
#[derive(Debug)]
pub struct Environment<'a, E: Hosted> {
    pub id: &'a str,
    pub handle: &'a std::sync::Arc<Handle<E>>,
    pub shared: &'a Shared,
}
