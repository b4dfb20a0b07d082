//! How an event is written: one MessagePack map with field names, so that any tool can read it long after this code is gone.
//! The caller of `append` writes all it knows ([`write_body`]); the log's writer only puts the last two fields in front ([`write_opening`]).

use std::hash::{BuildHasher, RandomState};

use rmp::{Marker, decode, encode};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

pub use super::from_json::event_from_json;
use super::{
    content::write_content,
    envelope::{CommandMark, Position, Recorded},
    names::event_name,
    upcast::{current_shape, upcast},
};
use crate::domain::{ClientId, CommandId, Event, Moment, Outcome, Principal, StreamId, entities::entities};

/// Entries of the map that every event has: two of the opening, seven of the body.
const ENTRIES: u32 = 9;

/// Appends the part of an event that only the log's writer knows. [`write_body`] by the same author must follow.
pub fn write_opening(bytes: &mut Vec<u8>, previous: Option<Position>, at: Moment, author: &Author<'_>) {
    written(encode::write_map_len(bytes, ENTRIES + author.optional_entries()).map(|_| ()));
    text(bytes, "previous");
    match previous {
        Some(previous) => written(encode::write_uint(bytes, previous.0).map(|_| ())),
        None => nil(bytes),
    }
    text(bytes, "time");
    written(encode::write_sint(bytes, at.0).map(|_| ()));
}

/// What the events of one command share.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    pub stream: &'a StreamId,
    pub who: &'a Principal,
    pub by: Option<&'a Principal>,
    pub command: Option<&'a CommandMark>,
    pub client: Option<&'a ClientId>,
}

impl<'a> Author<'a> {
    /// The author of a recorded event.
    #[must_use]
    pub fn of(recorded: &'a Recorded) -> Self {
        let Recorded { stream, who, by, command, client, .. } = recorded;
        Self { stream, who, by: by.as_ref(), command: command.as_ref(), client: client.as_ref() }
    }

    /// Entries that are left out while they are empty, so that older events keep their bytes.
    fn optional_entries(&self) -> u32 {
        u32::from(self.by.is_some()) + u32::from(self.client.is_some())
    }
}

/// Appends the part of an event that its author knows. `data` comes last: a reader may take the rest as it.
pub fn write_body(bytes: &mut Vec<u8>, version: u64, event: &Event, author: &Author<'_>) {
    let Author { stream, who, by, command, client } = *author;
    let name = event_name(event);
    text(bytes, "stream");
    write_stream(bytes, stream);
    text(bytes, "version");
    written(encode::write_uint(bytes, version).map(|_| ()));
    text(bytes, "who");
    text(bytes, who.as_str());
    if let Some(by) = by {
        text(bytes, "by");
        text(bytes, by.as_str());
    }
    text(bytes, "command");
    match command {
        Some(mark) => write_mark(bytes, mark),
        None => nil(bytes),
    }
    if let Some(client) = client {
        text(bytes, "client");
        text(bytes, client.as_str());
    }
    text(bytes, "name");
    text(bytes, name);
    text(bytes, "shape");
    written(encode::write_uint(bytes, u64::from(current_shape(name))).map(|_| ()));
    text(bytes, "data");
    write_content(bytes, event);
}

fn write_stream(bytes: &mut Vec<u8>, stream: &StreamId) {
    let kind = stream.kind().as_str();
    let len = u32::try_from(kind.len() + 1 + stream.id().len()).expect("ids are short");
    written(encode::write_str_len(bytes, len).map(|_| ()));
    bytes.extend_from_slice(kind.as_bytes());
    bytes.push(b'/');
    bytes.extend_from_slice(stream.id().as_bytes());
}

fn write_mark(bytes: &mut Vec<u8>, mark: &CommandMark) {
    written(encode::write_map_len(bytes, 3).map(|_| ()));
    text(bytes, "id");
    match canonical_uuid(mark.id.as_str()) {
        Some(uuid) => written(encode::write_bin(bytes, uuid.as_bytes())),
        None => text(bytes, mark.id.as_str()),
    }
    text(bytes, "digest");
    written(encode::write_uint(bytes, mark.digest).map(|_| ()));
    text(bytes, "outcome");
    text(bytes, outcome_word(mark.outcome));
}

/// A UUID in its canonical text form, which can be stored as 16 bytes and comes back the same.
fn canonical_uuid(text: &str) -> Option<Uuid> {
    let canonical = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    canonical.then(|| Uuid::try_parse(text).ok()).flatten()
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Applied => "applied",
        Outcome::Merged => "merged",
        Outcome::Unchanged => "unchanged",
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    written(encode::write_str(bytes, text));
}

fn nil(bytes: &mut Vec<u8>) {
    bytes.push(Marker::Null.to_u8());
}

fn written<E: std::fmt::Debug>(result: Result<(), E>) {
    result.expect("writing to memory cannot fail");
}

/// Why stored bytes are not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// An event's envelope, borrowed from the stored bytes, its content not yet read.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    pub stream: &'a str,
    pub version: u64,
    pub previous: Option<Position>,
    pub at: Moment,
    pub who: &'a str,
    by: Option<&'a str>,
    command: Option<Mark<'a>>,
    client: Option<&'a str>,
    pub name: &'a str,
    pub shape: u16,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
struct Mark<'a> {
    id: MarkId<'a>,
    digest: u64,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum MarkId<'a> {
    Text(&'a str),
    Uuid(Uuid),
}

/// Reads an envelope: enough for an index, several times faster than the whole event.
///
/// # Errors
/// States what is missing or wrong.
pub fn read_envelope(bytes: &[u8]) -> Result<Envelope<'_>, DecodeError> {
    let mut rest = bytes;
    let mut envelope = Envelope {
        stream: "",
        version: 0,
        previous: None,
        at: Moment(0),
        who: "",
        by: None,
        command: None,
        client: None,
        name: "",
        shape: 0,
        data: &[],
    };
    for _ in 0..map_len(&mut rest)? {
        match word(&mut rest)? {
            b"previous" => envelope.previous = optional(&mut rest, uint)?.map(Position),
            b"time" => envelope.at = Moment(sint(&mut rest)?),
            b"stream" => envelope.stream = string(&mut rest)?,
            b"version" => envelope.version = uint(&mut rest)?,
            b"who" => envelope.who = string(&mut rest)?,
            b"by" => envelope.by = Some(string(&mut rest)?),
            b"command" => envelope.command = optional(&mut rest, mark)?,
            b"client" => envelope.client = Some(string(&mut rest)?),
            b"name" => envelope.name = string(&mut rest)?,
            b"shape" => envelope.shape = u16::try_from(uint(&mut rest)?).map_err(wrong)?,
            b"data" => envelope.data = std::mem::take(&mut rest),
            other => return Err(unknown("field of the envelope", other)),
        }
    }
    if envelope.version == 0 || envelope.name.is_empty() || envelope.data.is_empty() {
        return Err(DecodeError("the envelope is not complete".into()));
    }
    Ok(envelope)
}

fn mark<'a>(rest: &mut &'a [u8]) -> Result<Mark<'a>, DecodeError> {
    let mut mark = Mark { id: MarkId::Text(""), digest: 0, outcome: Outcome::Applied };
    for _ in 0..map_len(rest)? {
        match word(rest)? {
            b"id" => mark.id = mark_id(rest)?,
            b"digest" => mark.digest = uint(rest)?,
            b"outcome" => mark.outcome = outcome(word(rest)?)?,
            other => return Err(unknown("field of the command", other)),
        }
    }
    Ok(mark)
}

fn mark_id<'a>(rest: &mut &'a [u8]) -> Result<MarkId<'a>, DecodeError> {
    if rest.first() != Some(&Marker::Bin8.to_u8()) {
        return string(rest).map(MarkId::Text);
    }
    let len = decode::read_bin_len(rest).map_err(wrong)? as usize;
    Uuid::from_slice(take(rest, len)?).map(MarkId::Uuid).map_err(wrong)
}

fn outcome(word: &[u8]) -> Result<Outcome, DecodeError> {
    match word {
        b"applied" => Ok(Outcome::Applied),
        b"merged" => Ok(Outcome::Merged),
        b"unchanged" => Ok(Outcome::Unchanged),
        other => Err(unknown("outcome", other)),
    }
}

fn map_len(rest: &mut &[u8]) -> Result<u32, DecodeError> {
    decode::read_map_len(rest).map_err(wrong)
}

fn uint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    decode::read_int(rest).map_err(wrong)
}

fn sint(rest: &mut &[u8]) -> Result<i64, DecodeError> {
    decode::read_int(rest).map_err(wrong)
}

fn unknown(what: &str, word: &[u8]) -> DecodeError {
    DecodeError(format!("unknown {what}: {:?}", String::from_utf8_lossy(word)))
}

fn string<'a>(rest: &mut &'a [u8]) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(word(rest)?).map_err(wrong)
}

/// The bytes of a string. Texts that are only compared need no check for UTF-8; most are short enough for a one-byte length.
fn word<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    if let Some((&marker @ 0xa0..=0xbf, after)) = rest.split_first() {
        *rest = after;
        return take(rest, usize::from(marker & 0x1f));
    }
    let len = decode::read_str_len(rest).map_err(wrong)? as usize;
    take(rest, len)
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], DecodeError> {
    let (taken, after) = rest.split_at_checked(len).ok_or_else(|| DecodeError("the bytes end too early".into()))?;
    *rest = after;
    Ok(taken)
}

fn optional<'a, T>(rest: &mut &'a [u8], read: impl Fn(&mut &'a [u8]) -> Result<T, DecodeError>) -> Result<Option<T>, DecodeError> {
    if rest.first() == Some(&Marker::Null.to_u8()) {
        *rest = &rest[1..];
        return Ok(None);
    }
    read(rest).map(Some)
}

fn wrong(error: impl std::fmt::Display) -> DecodeError {
    DecodeError(error.to_string())
}

/// How many principals a decoder remembers; a new one replaces the one in its slot.
const PRINCIPALS_REMEMBERED: usize = 64;

/// Reads stored events. It remembers recent principals, because few people write most events, and shares each.
#[derive(Debug)]
pub struct Decoder {
    principals: [Option<Principal>; PRINCIPALS_REMEMBERED],
    hash: RandomState,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { principals: [const { None }; PRINCIPALS_REMEMBERED], hash: RandomState::new() }
    }
}

impl Decoder {
    /// Reads the event at a position, in any stored shape.
    ///
    /// # Errors
    /// Says what cannot be read.
    pub fn decode(&mut self, position: Position, bytes: &[u8]) -> Result<Recorded, DecodeError> {
        let envelope = read_envelope(bytes)?;
        let Envelope { version, previous, at, name, shape, data, .. } = envelope;
        Ok(Recorded {
            position,
            stream: envelope.stream.parse().map_err(wrong)?,
            version,
            previous,
            at,
            who: self.principal(envelope.who)?,
            by: envelope.by.map(|by| self.principal(by)).transpose()?,
            command: envelope.command.map(Mark::into_owned).transpose()?,
            client: envelope.client.map(|client| ClientId::new(client).map_err(wrong)).transpose()?,
            event: upcast(name, shape, version, data).map_err(DecodeError)?,
        })
    }

    fn principal(&mut self, text: &str) -> Result<Principal, DecodeError> {
        let place = usize::try_from(self.hash.hash_one(text) % PRINCIPALS_REMEMBERED as u64).expect("the remainder is small");
        match &self.principals[place] {
            Some(known) if known.as_str() == text => Ok(known.clone()),
            _ => Ok(self.principals[place].insert(Principal::new(text).map_err(wrong)?).clone()),
        }
    }
}

impl Mark<'_> {
    fn into_owned(self) -> Result<CommandMark, DecodeError> {
        let id = match self.id {
            MarkId::Text(text) => CommandId::new(text),
            MarkId::Uuid(uuid) => CommandId::new(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
        };
        Ok(CommandMark { id: id.map_err(wrong)?, digest: self.digest, outcome: self.outcome })
    }
}

/// An event as clients see it: positions as opaque text, money and quantities as decimal text.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordedEvent<'a> {
    /// Its position in the log.
    #[schema(value_type = String)]
    pub position: Position,
    /// The stream it belongs to: `list/weekly`.
    #[schema(value_type = String)]
    pub stream: &'a StreamId,
    /// Counts the events of the stream, from 1.
    pub version: u64,
    /// The position of the stream's event before it.
    #[schema(required, value_type = Option<String>)]
    pub previous: Option<Position>,
    pub at: Moment,
    #[schema(value_type = Principal)]
    pub who: &'a Principal,
    /// Who really sent the command, acting for `who`; absent if nobody acts for another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Principal>)]
    pub by: Option<&'a Principal>,
    #[schema(required, value_type = Option<CommandId>)]
    pub command_id: Option<&'a CommandId>,
    /// The device or program it was sent from, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ClientId>)]
    pub client: Option<&'a ClientId>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The number of the shape of `data`; a changed shape gets a new number.
    pub shape: u16,
    /// What happened, as fields of the type.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// An event as clients see it, as JSON.
#[must_use]
pub fn event_json(recorded: &Recorded) -> Value {
    let name = event_name(&recorded.event);
    let event = RecordedEvent {
        position: recorded.position,
        stream: &recorded.stream,
        version: recorded.version,
        previous: recorded.previous,
        at: recorded.at,
        who: &recorded.who,
        by: recorded.by.as_ref(),
        command_id: recorded.command.as_ref().map(|mark| &mark.id),
        client: recorded.client.as_ref(),
        kind: name,
        shape: current_shape(name),
        data: content_json(&recorded.event),
    };
    serde_json::to_value(event).expect("every type of an event can be shown as JSON")
}

/// The fields of an event, without the variant's name around them.
pub(super) fn content_json(event: &Event) -> Value {
    let tagged = entities!(event event, content => serde_json::to_value(content));
    match tagged.expect("every type of an event can be shown as JSON") {
        Value::Object(variant) => variant.into_iter().next().map_or(Value::Null, |(_, fields)| fields),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => other,
    }
}
