//! The laws of undo, proven on random commands: it leads back, its own undo leads forward, and a run of commands unwinds.

use proptest::prelude::*;

use super::{laws::any_command, *};
use crate::domain::{
    changes::Fields,
    given::{Given, nothing},
    list::{changes::item_fields, state::header},
};

/// What a person sees of a list: without ids, ranks, authors and times.
pub(super) fn likeness(state: &ListState) -> (Fields, Vec<Fields>) {
    let mut header = header(state);
    header.remove("last_order");
    let items = state.list().map(|list| list.items_in_order().into_iter().map(|(_, item)| item_fields(item)).collect());
    (header, items.unwrap_or_default())
}

pub(super) fn after(commands: &[ListCommand]) -> Given<Lists> {
    commands.iter().fold(nothing().event(created()), Given::after)
}

/// The refusals caused by the command itself, not by what came after.
const FOR_GOOD: [&str; 4] = ["creation_stays", "member_stays", "checked_out", "list_archived"];

proptest! {
    #[test]
    fn an_undo_right_away_leads_back_and_its_own_undo_leads_on_again(
        commands in prop::collection::vec(any_command(), 0..40),
        last in any_command(),
    ) {
        let mut given = after(&commands);
        let (before, start) = (likeness(&given.state), given.events.len());
        let Ok(decision) = given.tell(&last) else { return Ok(()) };
        if decision.events.is_empty() {
            return Ok(());
        }
        let (done, middle) = (likeness(&given.state), given.events.len());
        match given.undo(start..middle) {
            Ok(_) => {
                let given = given.after_undo(start..middle);
                prop_assert_eq!(likeness(&given.state), before);
                let end = given.events.len();
                prop_assert_eq!(likeness(&given.after_undo(middle..end).state), done);
            }
            Err(refusal) => prop_assert!(FOR_GOOD.contains(&refusal.code), "{:?}", refusal),
        }
    }

    #[test]
    fn commands_undone_newest_first_lead_back_to_where_they_began(
        commands in prop::collection::vec(any_command(), 0..20),
        run in prop::collection::vec(any_command(), 1..15),
    ) {
        let mut given = after(&commands);
        let before = likeness(&given.state);
        let mut done = Vec::new();
        for command in run {
            let start = given.events.len();
            if given.tell(&command).is_ok_and(|decision| !decision.events.is_empty()) {
                done.push(start..given.events.len());
            }
        }
        for command in done.into_iter().rev() {
            match given.undo(command.clone()) {
                Ok(_) => given = given.after_undo(command),
                Err(refusal) => {
                    prop_assert!(FOR_GOOD.contains(&refusal.code), "{:?}", refusal);
                    return Ok(());
                }
            }
        }
        prop_assert_eq!(likeness(&given.state), before);
    }
}
