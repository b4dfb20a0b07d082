//! The messages to an entity's actor, and its answers.

use std::sync::OnceLock;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{failure::Failure, handle::Waiting, hosted::Hosted};
use crate::{
    domain::{ClientId, CommandId, Context, Moment, Outcome},
    events::{Position, Seen},
};

/// How a client names a command so that repeating it is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    pub id: CommandId,
    /// A digest of the command's content: the same id with another digest is refused.
    pub digest: u64,
}

/// A command to the one actor that decides it.
#[derive(Debug, Clone)]
pub struct Request<C> {
    pub command: C,
    /// Further commands, decided after it and recorded with it: all or none.
    pub more: Vec<C>,
    pub context: Context,
    pub key: Option<CommandKey>,
    /// The device or program it was sent from.
    pub client: Option<ClientId>,
    /// Refuse unless the entity is at this version.
    pub if_version: Option<Expected>,
}

/// The version on which alone a command counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Of the history that is served, for certain.
    Here(u64),
    /// As a client saw it, perhaps in another history.
    Seen(Seen),
}

/// A command that was done (or had nothing to change).
#[derive(Debug, Clone)]
pub struct Done<V> {
    pub outcome: Outcome,
    /// The entity's version after it.
    pub version: u64,
    /// The position of the command's last event; the entity's newest position if nothing was recorded.
    pub position: Position,
    /// The part of the entity it touched, such as an item's id.
    pub subject: Option<String>,
    /// It was done before under the same command id; this is the first outcome again.
    pub repeated: bool,
    pub view: V,
}

/// An entity as it is now. Shared by every reader until the entity changes.
#[derive(Debug)]
pub struct Loaded<E: Hosted> {
    pub state: E::State,
    /// Zero if it does not exist.
    pub version: u64,
    /// Up to where the view takes other streams (prices) into account; at least the entity's own newest position.
    pub position: Position,
    pub view: E::View,
    /// When the view changes by time alone, because a price it uses expires.
    pub fresh_until: Option<Moment>,
    /// The answer to a plain read, rendered by its first reader.
    pub rendered: OnceLock<Rendered>,
}

impl<E: Hosted> Loaded<E> {
    /// An entity that does not exist: it needs no actor, and takes no place.
    pub(super) fn nothing() -> Self {
        Self {
            state: E::State::default(),
            version: 0,
            position: Position::START,
            view: E::nothing(),
            fresh_until: None,
            rendered: OnceLock::new(),
        }
    }
}

/// A rendered answer, with a unique tag.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub json: Bytes,
    pub tag: String,
}

/// Asks the actor to decide a command.
pub(super) struct Execute<E: Hosted>(pub Request<E::Command>, pub Waiting<E>);

impl<E: Hosted> actix::Message for Execute<E> {
    type Result = Result<Done<E::View>, Failure>;
}

/// Asks the actor for its view.
pub(super) struct Load<E: Hosted>(pub Waiting<E>);

impl<E: Hosted> actix::Message for Load<E> {
    type Result = Result<std::sync::Arc<Loaded<E>>, Failure>;
}

/// Sends the actor to rest: it writes its memo and stops. The sender is dropped when the actor is gone.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub(super) struct Rest(pub oneshot::Sender<()>);

/// Notifies the actor of waiting facts from other streams.
#[derive(actix::Message)]
#[rtype(result = "()")]
pub(super) struct NewsWaits;
