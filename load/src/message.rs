//! What a message contains, found by searching its bytes: JSON and MessagePack with field names are read the same way.
//! Nothing is parsed and nothing allocated, because this runs once for each delivery next to the server.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

static TOPIC: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("topic"));
static POSITION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("position"));
static PREVIOUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("previous"));
static RECOVERED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("recovered"));
/// The most bytes of either encoding between a field's name and its value.
const SEPARATOR_BYTES_MAX: usize = 4;
/// The furthest a field can be after the one before it: the longest number, and what separates them.
const PAIR_BYTES_MAX: usize = 32;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Event,
    State,
    Subscribed,
    Hello,
    Closing,
    Error,
    Other,
}

/// What every push contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Push<'a> {
    pub topic: &'a [u8],
    pub position: u64,
    /// Of an event; 0 where there was none before.
    pub previous: u64,
    /// The rest: the event, or the value of a state.
    pub rest: &'a [u8],
}

/// One topic of the answer to a subscription.
#[derive(Debug)]
pub struct Started<'a> {
    pub topic: &'a [u8],
    pub recovered: bool,
    pub position: u64,
    rest: &'a [u8],
}

pub fn kind(message: &[u8]) -> Kind {
    let head = &message[..message.len().min(16)];
    let Some(at) = memmem::find(head, b"type") else { return Kind::Other };
    let name = word(&message[at + 4..]);
    match name {
        b"event" => Kind::Event,
        b"state" => Kind::State,
        b"subscribed" => Kind::Subscribed,
        b"hello" => Kind::Hello,
        b"closing" => Kind::Closing,
        b"error" => Kind::Error,
        _ => Kind::Other,
    }
}

/// Reads an event or a state.
pub fn push(message: &[u8]) -> Option<Push<'_>> {
    let at = TOPIC.find(message)? + TOPIC.needle().len();
    let (topic, rest) = (word(&message[at..]), &message[at..]);
    let at = POSITION.find(rest)? + POSITION.needle().len();
    let position = number(&rest[at..])?;
    let rest = &rest[at..];
    let near = &rest[..rest.len().min(PAIR_BYTES_MAX + PREVIOUS.needle().len())];
    let previous = PREVIOUS.find(near).and_then(|at| number(&rest[at + PREVIOUS.needle().len()..])).unwrap_or(0);
    Some(Push { topic, position, previous, rest })
}

/// The key of a state: up to its value, so that nothing in there is taken for it.
pub fn state_key(message: &[u8]) -> &[u8] {
    memmem::find(message, b"key").map_or(&[], |at| word(&message[at + 3..]))
}

/// The number of the publication, which the publisher writes after a `#`.
pub fn publication(push: &Push<'_>) -> Option<usize> {
    let at = memchr::memchr(b'#', push.rest)?;
    usize::try_from(number(&push.rest[at + 1..])?).ok()
}

/// The topics of an answer to a subscription.
pub fn started(message: &[u8]) -> impl Iterator<Item = Started<'_>> {
    let mut places = RECOVERED.find_iter(message).peekable();
    std::iter::from_fn(move || {
        let at = places.next()?;
        let end = places.peek().copied().unwrap_or(message.len());
        let topic = memmem::rfind(&message[..at], b"topic").map_or(&[][..], |topic| word(&message[topic + 5..]));
        let rest = &message[at + RECOVERED.needle().len()..end];
        let recovered = truth(rest);
        let from = POSITION.find(rest)? + POSITION.needle().len();
        Some(Started { topic, recovered, position: number(&rest[from..])?, rest: &rest[from..] })
    })
}

impl Started<'_> {
    /// Position and previous of each missed event: the two are directly before the event. The event repeats them, before other things.
    pub fn missed(&self) -> impl Iterator<Item = (u64, u64)> {
        PREVIOUS.find_iter(self.rest).filter_map(|at| {
            let (before, behind) = (&self.rest[at.saturating_sub(PAIR_BYTES_MAX + POSITION.needle().len())..at], &self.rest[at + 8..]);
            memmem::find(&behind[..behind.len().min(PAIR_BYTES_MAX)], b"event")?;
            let position = memmem::rfind(before, b"position")? + POSITION.needle().len();
            Some((number(&before[position..])?, number(behind).unwrap_or(0)))
        })
    }
}

/// Whether another part of the same answer follows.
pub fn more(message: &[u8]) -> bool {
    let head = &message[..message.len().min(160)];
    memmem::find(head, b"more").is_some_and(|at| truth(&message[at + 4..]))
}

/// A text field of letters, digits and `-`.
pub fn text<'a>(message: &'a [u8], name: &str) -> Option<&'a [u8]> {
    memmem::find(message, name.as_bytes()).map(|at| word(&message[at + name.len()..]))
}

/// `true` directly after a field's name.
fn truth(bytes: &[u8]) -> bool {
    // JSON has `":true`, MessagePack the byte c3.
    bytes.first() == Some(&0xC3) || memmem::find(&bytes[..bytes.len().min(8)], b"true").is_some()
}

/// The text after a field's name: what is between is neither letter nor digit in either encoding.
fn word(bytes: &[u8]) -> &[u8] {
    let from = bytes.iter().take(SEPARATOR_BYTES_MAX).position(u8::is_ascii_alphanumeric).unwrap_or(bytes.len().min(SEPARATOR_BYTES_MAX));
    let length = bytes[from..].iter().position(|byte| !byte.is_ascii_alphanumeric() && !b":-_".contains(byte));
    &bytes[from..length.map_or(bytes.len(), |length| from + length)]
}

/// The whole number after a field's name.
fn number(bytes: &[u8]) -> Option<u64> {
    let from = bytes.iter().take(SEPARATOR_BYTES_MAX).position(u8::is_ascii_digit)?;
    let digits = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number: u64, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br##"{"type":"event","topic":"list:l-1","position":"42","previous":"40","event":{"note":"#17 x"}}"##;

    #[test]
    fn an_event_is_read_from_either_encoding() {
        let json: serde_json::Value = serde_json::from_slice(EVENT).unwrap();
        // A map of JSON sorts its names, so MessagePack is put together by hand.
        let mut packed = vec![0x85];
        for part in ["type", "event", "topic", "list:l-1", "position", "42", "previous", "40", "event"] {
            packed.extend(rmp_serde::to_vec(part).unwrap());
        }
        packed.extend(rmp_serde::to_vec_named(&json["event"]).unwrap());
        for message in [EVENT, &packed] {
            assert_eq!(kind(message), Kind::Event);
            let push = push(message).unwrap();
            assert_eq!((push.topic, push.position, push.previous), (&b"list:l-1"[..], 42, 40));
            assert_eq!(publication(&push), Some(17));
        }
    }

    #[test]
    fn a_first_event_has_no_previous() {
        let push = push(br#"{"type":"event","topic":"list:l-1","position":"1","previous":null,"event":{}}"#).unwrap();
        assert_eq!((push.position, push.previous), (1, 0));
    }

    #[test]
    fn an_answer_tells_topics_and_what_they_missed() {
        let answer = br#"{"type":"subscribed","id":1,"more":true,"topics":[{"topic":"list:a-1","recovered":true,"position":"9","events":[
            {"position":"7","previous":"5","event":{"position":"7","previous":"5","shape":1}},{"position":"9","previous":"7","event":{}}],"states":{"totals":{"position":"3"}}},
            {"topic":"list:a-2","recovered":false,"position":"4","snapshot":{"position":"4"}}]}"#;
        let all: Vec<_> = started(answer).map(|one| (one.topic.to_vec(), one.recovered, one.position, one.missed().collect())).collect();
        assert_eq!(all, [(b"list:a-1".to_vec(), true, 9, vec![(7, 5), (9, 7)]), (b"list:a-2".to_vec(), false, 4, vec![])]);
        assert!(more(answer));
    }
}
