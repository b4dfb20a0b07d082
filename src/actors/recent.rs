//! What an entity remembers of its commands, so that a repetition is answered with the first outcome.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::message::CommandKey;
use crate::{
    domain::{CommandId, Outcome},
    events::Position,
};

/// Named commands remembered per entity; the oldest is forgotten first, and a later repetition of it is decided again.
const RECENT_COMMANDS_MAX: usize = 1_024;

/// The first outcome of a named command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub digest: u64,
    pub outcome: Outcome,
    pub version: u64,
    pub position: Position,
    pub subject: Option<String>,
}

/// The recent named commands of one entity, bounded.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct RecentCommands {
    answers: HashMap<CommandId, Answered>,
    order: VecDeque<CommandId>,
}

/// What the memory knows about a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Recall {
    New,
    Repeated(Answered),
    /// The id was used for a different command.
    Reused,
}

impl RecentCommands {
    /// Whether this command was seen before.
    #[must_use]
    pub fn recall(&self, key: &CommandKey) -> Recall {
        match self.answers.get(&key.id) {
            None => Recall::New,
            Some(answer) if answer.digest == key.digest => Recall::Repeated(answer.clone()),
            Some(_) => Recall::Reused,
        }
    }

    /// Remembers an outcome. Events of one command share an entry, with the first subject named and the last position.
    pub fn remember(&mut self, id: &CommandId, answer: Answered) {
        if let Some(known) = self.answers.get_mut(id) {
            (known.version, known.position) = (answer.version, answer.position);
            known.subject = known.subject.take().or(answer.subject);
        } else {
            self.answers.insert(id.clone(), answer);
            self.order.push_back(id.clone());
        }
        while self.order.len() > RECENT_COMMANDS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.answers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(version: u64) -> Answered {
        Answered { digest: 7, outcome: Outcome::Applied, version, position: Position(version), subject: None }
    }

    fn key(text: &str, digest: u64) -> CommandKey {
        CommandKey { id: CommandId::new(text).expect("a valid id"), digest }
    }

    #[test]
    fn a_repeated_command_is_recalled_with_its_first_outcome() {
        let mut recent = RecentCommands::default();
        recent.remember(&key("a", 7).id, answer(3));
        assert_eq!(recent.recall(&key("a", 7)), Recall::Repeated(answer(3)));
        assert_eq!(recent.recall(&key("a", 8)), Recall::Reused);
        assert_eq!(recent.recall(&key("b", 7)), Recall::New);
    }

    #[test]
    fn a_command_of_several_events_is_recalled_with_the_first_subject_and_the_last_position() {
        let mut recent = RecentCommands::default();
        for (version, subject) in [(3, None), (4, Some("bread")), (5, Some("jam"))] {
            recent.remember(&key("a", 7).id, Answered { subject: subject.map(Into::into), ..answer(version) });
        }
        assert_eq!(recent.recall(&key("a", 7)), Recall::Repeated(Answered { subject: Some("bread".into()), ..answer(5) }));
    }

    #[test]
    fn the_oldest_command_is_forgotten_at_the_limit() {
        let mut recent = RecentCommands::default();
        for n in 0..=RECENT_COMMANDS_MAX {
            recent.remember(&key(&format!("c{n}"), 7).id, answer(n as u64));
        }
        assert_eq!(recent.recall(&key("c0", 7)), Recall::New);
        assert_ne!(recent.recall(&key("c1", 7)), Recall::New);
    }
}
