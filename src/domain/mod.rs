//! The pure part: what may happen to lists, products, orders, households and stores, and what follows from it.
//! No clock, randomness, async, I/O or actors in here: time and ids arrive with the command.

pub mod changes;
pub mod codes;
mod currency;
mod decimal;
pub mod decision;
pub mod entities;
pub mod event_table;
#[cfg(test)]
pub(crate) mod given;
pub mod household;
pub mod ids;
pub mod json;
pub mod limits;
pub mod list;
pub mod moment;
pub mod money;
pub mod no_fields;
pub mod object;
pub mod order;
pub mod product;
pub mod quantity;
mod ratio;
pub mod references;
pub mod restore;
pub mod rights;
pub mod store;
pub mod stream;
pub mod system;
pub mod text;
pub mod undo;
mod unit_price;
mod units;

pub use decision::{Context, Decision, Fact, Outcome, Refusal, RefusalKind, decide_all};
pub use ids::{ClientId, CommandId, HouseholdId, ItemId, ListId, OfferId, OrderId, Principal, ProductId, StoreId};
pub use moment::Moment;
pub use money::{Content, Currency, LineError, Money, MoneyError, UnitPrice, line_total};
pub use quantity::{Dimension, Quantity, QuantityError, Unit};
pub use stream::{Event, EventContent, StreamId, StreamKind};

/// One kind of entity: how its commands are decided and its events recorded. Both are plain functions of their arguments.
pub trait Entity: 'static {
    /// The kind of stream that holds its events.
    const KIND: StreamKind;
    /// The state after the events so far; the default is the state before the first event.
    type State: Default + Clone + std::fmt::Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static;
    /// What somebody wants.
    type Command: references::Refers + Clone + std::fmt::Debug + Send + 'static;
    /// What happened.
    type Event: EventContent + Clone + std::fmt::Debug + PartialEq + serde::de::DeserializeOwned + serde::Serialize + Send + 'static;

    /// Whether the sender may give this command, whatever else there is to say against it. `decide` asks it, too; it is asked
    /// alone before anything that an answer would reveal, such as a version or that the command was given before.
    ///
    /// # Errors
    /// Not permitted, or the refusal of an entity that is not there.
    fn check_right(state: &Self::State, command: &Self::Command, context: &Context) -> Result<(), Refusal>;

    /// Decides a command by every rule.
    ///
    /// # Errors
    /// The refusal, with a stable code; nothing happened then.
    fn decide(state: &Self::State, command: &Self::Command, context: &Context) -> Result<Decision<Self::Event>, Refusal>;

    /// Checks the rules that need the entity's own id, which its state does not know. Asked before `decide`.
    ///
    /// # Errors
    /// The refusal, with a stable code.
    fn check_own(_own: &str, _command: &Self::Command) -> Result<(), Refusal> {
        Ok(())
    }

    /// Records what happened. Checks nothing: the event is a fact.
    fn evolve(state: &mut Self::State, event: &Self::Event, fact: &Fact<'_>);

    /// Takes the entity's own event out of the closed event type, `None` if it belongs to another kind of entity.
    #[must_use]
    fn own(event: &Event) -> Option<&Self::Event> {
        Self::Event::of(event)
    }
}
