//! Commands over the socket: the same writes as over HTTP. Commands for one entity run in the order sent, others side by side.

use std::collections::{VecDeque, hash_map::Entry};

use ahash::AHashMap;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    errors::ErrorCode,
    protocol::{CommandDone, EntityKind, ErrorBody, RequestId},
};
use crate::{
    actors::{self, CommandKey, Done, Expected, Hosted},
    app::Current,
    commands::{execute, keys::digest},
    domain::{ClientId, CommandId, Context, entities::entities, ids::check_new_id, list::Lists},
    http::{error::Problem, input::parse, permit::scope_missing},
    live::encoding::Encoding,
    people::Identity,
};

/// One requested command.
#[derive(Debug)]
pub struct Job {
    pub id: Option<RequestId>,
    pub entity: EntityKind,
    pub entity_id: String,
    pub command: Value,
    pub command_id: Option<String>,
    pub if_version: Option<Expected>,
}

/// The commands of one session that run or wait, a lane for each entity.
#[derive(Debug, Default)]
pub struct Lanes {
    waiting: AHashMap<(EntityKind, String), VecDeque<Job>>,
    in_flight: usize,
}

impl Lanes {
    /// Commands that run or wait.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the command if it may run now; otherwise it waits for the one before it.
    pub fn enter(&mut self, job: Job) -> Option<Job> {
        self.in_flight += 1;
        match self.waiting.entry(job.lane()) {
            Entry::Occupied(mut lane) => {
                lane.get_mut().push_back(job);
                None
            }
            Entry::Vacant(lane) => {
                lane.insert(VecDeque::new());
                Some(job)
            }
        }
    }

    /// A command is done: returns the next one of its lane, which may run now.
    pub fn leave(&mut self, job: &Job) -> Option<Job> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let lane = job.lane();
        let next = self.waiting.get_mut(&lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.waiting.remove(&lane);
        }
        next
    }
}

/// For whom commands are sent over a session, by whom, and with which client.
#[derive(Debug, Clone)]
pub struct Sender {
    pub identity: Identity,
    pub client: Option<ClientId>,
}

macro_rules! run {
    (
        List lists $list:literal list Lists ListEvent;
        $($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*
    ) => {
        impl Job {
            /// Lets the entity decide it; returns the whole reply.
            ///
            /// # Errors
            /// Errors in the command, or the entity's refusal or failure.
            pub async fn run(&self, app: &Current, sender: &Sender, encoding: Encoding) -> Result<Vec<u8>, ErrorBody> {
                match self.entity {
                    EntityKind::List => {
                        let done = self.decide::<Lists>(app, sender).await?;
                        self.reply(encoding, &done, Some(&done.view))
                    }
                    $(EntityKind::$variant => {
                        self.reply(encoding, &self.decide::<crate::domain::$module::$entity>(app, sender).await?, None::<()>)
                    })*
                }
            }
        }
    };
}

entities!(clients run);

impl Job {
    async fn decide<E>(&self, app: &Current, sender: &Sender) -> Result<Done<E::View>, ErrorBody>
    where
        E: Hosted<Command: Serialize + DeserializeOwned>,
    {
        check_new_id(&self.entity_id).map_err(|error| ErrorBody::new(ErrorCode::InvalidId, error.to_string()).at("/entity_id"))?;
        // Read like the body of an HTTP request, so that the errors are the same.
        let command: E::Command = parse(self.command.to_string().as_bytes())?;
        let key = self.key(&command)?;
        if !sender.identity.writes {
            return Err(scope_missing("write").into());
        }
        let Identity { who, by, .. } = &sender.identity;
        let context = Context { who: who.clone(), by: by.clone(), at: app.clock.now(), rights: app.authority.rights(&sender.identity) };
        let request =
            actors::Request { command, more: Vec::new(), context, key, client: sender.client.clone(), if_version: self.if_version };
        Ok(execute::<E>(app, &self.entity_id, request).await.map_err(Problem::from)?)
    }

    /// As over HTTP, so that a command sent there may be repeated here.
    fn key<C: Serialize>(&self, command: &C) -> Result<Option<CommandKey>, ErrorBody> {
        let Some(id) = &self.command_id else { return Ok(None) };
        let id = CommandId::new(id).map_err(|error| ErrorBody::new(ErrorCode::InvalidId, error.to_string()).at("/command_id"))?;
        Ok(Some(CommandKey { id, digest: digest(&self.entity_id, command) }))
    }

    fn reply<V, T: Serialize>(&self, encoding: Encoding, done: &Done<V>, totals: Option<T>) -> Result<Vec<u8>, ErrorBody> {
        let message = CommandDone {
            kind: "done",
            id: self.id.as_ref(),
            entity_id: &self.entity_id,
            outcome: done.outcome,
            version: done.version,
            position: done.position,
            item: done.subject.as_deref(),
            repeated: done.repeated,
            totals,
        };
        Ok(encoding.write(&message).ok_or_else(|| Problem::internal(&"the reply to a command could not be written"))?)
    }

    fn lane(&self) -> (EntityKind, String) {
        (self.entity, self.entity_id.clone())
    }
}

impl From<Problem> for ErrorBody {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code().into(),
            detail: problem.detail().to_owned(),
            temporary: problem.retry_after_seconds().is_some(),
            pointer: problem.pointer().map(|pointer| format!("/command{pointer}")),
            retry_after_ms: problem.retry_after_seconds().map(|seconds| u64::from(seconds) * 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(entity_id: &str, number: i64) -> Job {
        let id = Some(RequestId::Number(number));
        Job { id, entity: EntityKind::List, entity_id: entity_id.into(), command: Value::Null, command_id: None, if_version: None }
    }

    #[test]
    fn commands_for_one_entity_run_one_after_another_and_others_at_once() {
        let mut lanes = Lanes::default();
        let first = lanes.enter(job("a", 1)).expect("nothing is before it");
        assert!(lanes.enter(job("a", 2)).is_none());
        let other = lanes.enter(job("b", 3)).expect("another entity does not wait");
        assert_eq!(lanes.in_flight(), 3);
        let second = lanes.leave(&first).expect("the second may run now");
        assert_eq!(second.id, Some(RequestId::Number(2)));
        assert!(lanes.leave(&other).is_none() && lanes.leave(&second).is_none());
        assert_eq!((lanes.in_flight(), lanes.waiting.len()), (0, 0));
        assert!(lanes.enter(job("a", 4)).is_some());
    }
}
