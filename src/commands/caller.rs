//! Who commands, under which command id, and on which condition.

use serde::Serialize;
use uuid::Uuid;

use super::keys::{derived_id, digest};
use crate::{
    actors::{CommandKey, Expected, Failure, Request},
    app::Admin,
    domain::{
        ClientId, CommandId, Context, Moment, Principal, Refusal, RefusalKind,
        ids::IdError,
        rights::{Reader, Rights},
    },
};

/// What a request says about itself, wherever it came from.
#[derive(Debug, Clone)]
pub struct Caller {
    pub who: Principal,
    /// Who really sent it, acting for `who`.
    pub by: Option<Principal>,
    /// With which rights.
    pub rights: Rights,
    /// When the request arrived.
    pub at: Moment,
    /// The device or program it comes from.
    pub client: Option<ClientId>,
    /// Makes the command repeatable.
    pub key: Option<CommandId>,
    /// The entity's version on which alone the command counts.
    pub if_version: Option<Expected>,
}

impl Caller {
    /// What the decider may know of the request.
    #[must_use]
    pub fn context(&self) -> Context {
        Context { who: self.who.clone(), by: self.by.clone(), at: self.at, rights: self.rights.clone() }
    }

    /// Who does an admin action by this request.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin { who: self.who.clone(), by: self.by.clone() }
    }

    /// The caller as a reader.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { who: self.who.clone(), rights: self.rights.clone() }
    }

    /// Takes the body's `command_id` beside the header's key.
    ///
    /// # Errors
    /// 400 if both are given and differ.
    pub fn with_command_id(mut self, id: Option<CommandId>) -> Result<Self, Refusal> {
        match (&self.key, id) {
            (Some(key), Some(id)) if *key != id => {
                let detail = "the Idempotency-Key header and command_id differ: give one of them";
                Err(Refusal::new(RefusalKind::Malformed, "two_command_ids", detail).at("/command_id"))
            }
            (None, id @ Some(_)) => {
                self.key = id;
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// The caller of one line of many: each is a command of its own, without the condition of the whole.
    #[must_use]
    pub fn for_line(mut self, number: u64) -> Self {
        self.if_version = None;
        self.key = self.key.and_then(|key| CommandId::new(&derived_id("line", &number.to_string(), key.as_str())).ok());
        self
    }

    /// The id of a thing to be made: the client's own, else one that a repetition under the same key makes again, else a new one.
    ///
    /// # Errors
    /// Never for the ids made here; they are plain text.
    pub fn id_for<I>(&self, given: Option<I>, kind: &str, make: impl Fn(&str) -> Result<I, IdError>) -> Result<I, Failure> {
        if let Some(id) = given {
            return Ok(id);
        }
        let text = match &self.key {
            Some(key) => derived_id(kind, self.who.as_str(), key.as_str()),
            None => Uuid::now_v7().to_string(),
        };
        make(&text).map_err(|error| Failure::Internal(error.to_string()))
    }

    /// The command on its way to the entity.
    #[must_use]
    pub fn request<C: Serialize>(self, entity: &str, command: C) -> Request<C> {
        let key = self.key.clone().map(|id| CommandKey { id, digest: digest(entity, &command) });
        Request { context: self.context(), command, more: Vec::new(), key, client: self.client, if_version: self.if_version }
    }

    /// As `request`, for a command that holds something the client left to us, such as the time: `given` is what the client sent.
    #[must_use]
    pub fn request_as_given<C, G: Serialize>(self, entity: &str, command: C, given: &G) -> Request<C> {
        let key = self.key.clone().map(|id| CommandKey { id, digest: digest(entity, given) });
        Request { context: self.context(), command, more: Vec::new(), key, client: self.client, if_version: self.if_version }
    }
}

impl Caller {
    /// Commands of the server's own making that are recorded as one, on this very version. `None` where there is none.
    #[must_use]
    pub fn own_request<C>(&self, commands: Vec<C>, key: CommandKey, version: u64) -> Option<Request<C>> {
        let mut commands = commands.into_iter();
        let command = commands.next()?;
        let (more, client) = (commands.collect(), self.client.clone());
        Some(Request { context: self.context(), command, more, key: Some(key), client, if_version: Some(Expected::Here(version)) })
    }
}
