//! The two encodings of the protocol. They are equivalent: MessagePack has field names, and texts wherever JSON has texts.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::frame;
use crate::domain::{
    json::{doubled_name, json_fault},
    text::utf8,
};

/// How a session's messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// `aisled.v1+json`: text frames.
    Json,
    /// `aisled.v1+msgpack`: binary frames.
    Msgpack,
}

/// Deeper nesting is refused: it would only be an attack on the stack.
const DEPTH_MAX: usize = 64;

impl Encoding {
    pub const ALL: [Self; 2] = [Self::Json, Self::Msgpack];

    /// The WebSocket subprotocol that asks for it.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "aisled.v1+json",
            Self::Msgpack => "aisled.v1+msgpack",
        }
    }

    /// The encoding a subprotocol asks for.
    #[must_use]
    pub fn of_subprotocol(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.subprotocol() == name)
    }

    /// A message as bytes. `None` if the value cannot be written, which is a bug and is logged.
    #[must_use]
    pub fn write<T: Serialize + ?Sized>(self, value: &T) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(512);
        self.write_to(&mut bytes, value).then_some(bytes)
    }

    /// A message as a whole frame. `None` as in [`Self::write`].
    #[must_use]
    pub fn frame<T: Serialize + ?Sized>(self, value: &T) -> Option<Bytes> {
        let mut bytes = frame::with_room_for_header();
        self.write_to(&mut bytes, value).then(|| frame::seal(bytes, self.opcode()))
    }

    /// The opcode of its frames.
    #[must_use]
    pub const fn opcode(self) -> u8 {
        match self {
            Self::Json => frame::TEXT,
            Self::Msgpack => frame::BINARY,
        }
    }

    /// Reads a client's message into the form both encodings share.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(self, bytes: &[u8]) -> Result<Value, Unreadable> {
        match self {
            Self::Json => read_json(bytes),
            Self::Msgpack => read_msgpack(bytes),
        }
    }

    fn write_to<T: Serialize + ?Sized>(self, bytes: &mut Vec<u8>, value: &T) -> bool {
        let written = match self {
            Self::Json => serde_json::to_writer(bytes, value).map_err(|error| error.to_string()),
            Self::Msgpack => value
                .serialize(&mut rmp_serde::Serializer::new(bytes).with_struct_map().with_human_readable())
                .map_err(|error| error.to_string()),
        };
        written.inspect_err(|error| tracing::error!(error, encoding = self.subprotocol(), "a message could not be written")).is_ok()
    }
}

/// Why a client's message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no message of this encoding; a sentence about why.
    Malformed(String),
    /// An object in it has a name twice; a JSON pointer to the second one.
    Doubled(String),
}

fn read_json(bytes: &[u8]) -> Result<Value, Unreadable> {
    let text = utf8(bytes).map_err(|error| Unreadable::Malformed(format!("the message is text in UTF-8, but {error}")))?;
    if let Ok(Some(pointer)) = doubled_name(&mut serde_json::Deserializer::from_str(text)) {
        return Err(Unreadable::Doubled(pointer));
    }
    serde_json::from_str(text).map_err(|error| Unreadable::Malformed(format!("the message is not valid JSON: {}", json_fault(&error))))
}

fn read_msgpack(bytes: &[u8]) -> Result<Value, Unreadable> {
    let malformed = |sentence: &str| Unreadable::Malformed(sentence.to_owned());
    let mut first = reader(bytes);
    if let Ok(Some(pointer)) = doubled_name(&mut first) {
        return Err(Unreadable::Doubled(pointer));
    }
    let mut rest = bytes;
    let mut second = reader(&mut rest);
    let value = Value::deserialize(&mut second)
        .map_err(|_| malformed("the message is not valid MessagePack, or holds what has no form in JSON"))?;
    if rest.is_empty() { Ok(value) } else { Err(malformed("there are extra bytes after the message")) }
}

fn reader<R: std::io::Read>(bytes: R) -> rmp_serde::Deserializer<rmp_serde::decode::ReadReader<R>> {
    let mut reader = rmp_serde::Deserializer::new(bytes);
    reader.set_max_depth(DEPTH_MAX);
    reader
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::live::encoding::*;

    #[test]
    fn both_encodings_read_back_what_they_write() {
        let value = json!({"type":"event","position":"42","nothing":null,"list":[1,-2,true,"ä"],"map":{"a":{}}});
        for encoding in Encoding::ALL {
            assert_eq!(encoding.read(&encoding.write(&value).unwrap()).unwrap(), value, "{encoding:?}");
        }
    }

    #[test]
    fn positions_are_text_in_both() {
        let value = json!({"position":"7"});
        for encoding in Encoding::ALL {
            let bytes = encoding.write(&std::collections::BTreeMap::from([("position", crate::events::Position(7))])).unwrap();
            assert_eq!(encoding.read(&bytes).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_message_is_refused_in_both() {
        for bytes in [&b""[..], b"\xc1", b"\x81\xa1a"] {
            for encoding in Encoding::ALL {
                assert!(encoding.read(bytes).is_err(), "{encoding:?} {bytes:?}");
            }
        }
        assert!(Encoding::Msgpack.read(&[0x80, 0x80]).is_err(), "two messages in one frame");
        assert!(Encoding::Msgpack.read(&[0x91; 10_000]).is_err(), "nested too deep");
        assert!(Encoding::Json.read("[".repeat(60_000).as_bytes()).is_err(), "nested too deep");
        assert!(Encoding::Msgpack.read(&[0xdd, 0xff, 0xff, 0xff, 0xff]).is_err(), "a list that is announced and never comes");
    }
}
