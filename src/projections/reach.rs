//! What a reader is to a stream, by what the views know. Deciders and reads of single entities ask the entity itself, which is
//! never behind; this is for code that has only the stream's name: live topics and undo.

use super::Views;
use crate::domain::{
    HouseholdId, ListId, OrderId, StreamId, StreamKind,
    rights::{Action, Reader, Rights, Standing, Verdict},
};

impl Views {
    /// Whether a reader may read who did what in a stream.
    #[must_use]
    pub fn may_read(&self, reader: &Reader, stream: &StreamId) -> bool {
        let (standing, action) = match stream.kind() {
            StreamKind::List => (self.on_list(reader, stream.id()), Action::SeeListHistory),
            StreamKind::Household => (self.in_household(reader, stream.id()), Action::SeeHousehold),
            StreamKind::Order => (self.on_order(reader, stream.id()), Action::SeeOrder),
            StreamKind::Product | StreamKind::Store => (reader.rights.to_catalog(), Action::SeeCatalog),
            StreamKind::System => (reader.rights.to_catalog(), Action::RunServer),
        };
        standing.may(action) == Verdict::Allowed
    }

    /// What a reader is to a list.
    fn on_list(&self, reader: &Reader, id: &str) -> Standing {
        ListId::new(id).map_or(Standing::Stranger, |id| self.lists.standing(reader, &id))
    }

    fn in_household(&self, reader: &Reader, id: &str) -> Standing {
        HouseholdId::new(id).map_or(Standing::Stranger, |id| reader.rights.in_household(&id))
    }

    fn on_order(&self, reader: &Reader, id: &str) -> Standing {
        let order = OrderId::new(id).ok().and_then(|id| self.order(&id));
        match (order, &reader.rights) {
            (Some(order), rights) => rights.on_order(order.household.as_ref()),
            (None, Rights::Admin) => Standing::Admin,
            (None, Rights::Account(_) | Rights::Link(_) | Rights::Nobody) => Standing::Stranger,
        }
    }
}
