//! Answers a subscription topic by topic, in parts small enough that a slow reader never makes the server hold a large one.

use std::{collections::VecDeque, time::Duration};

use ahash::AHashSet;
use serde::Serialize;

use super::{
    errors::ErrorCode,
    protocol::{ErrorBody, RequestId, TopicAnswer, TopicRequest, TopicStart},
    start,
};
use crate::{
    app::App,
    domain::rights::Power,
    events::Position,
    http::reads::wait_until,
    live::{
        Hub,
        channel::Channel,
        counters::Limit,
        encoding::Encoding,
        membership::{Gate, Seat},
        pace,
        topic::{Topic, TopicError},
    },
};

/// A subscription whose answer is under way.
#[derive(Debug)]
pub struct Subscription {
    id: Option<RequestId>,
    /// What is not answered yet.
    waiting: VecDeque<TopicRequest>,
    /// The client's positions are of this epoch.
    continues: bool,
    /// A part was answered already.
    begun: bool,
}

/// What to follow, and the highest rate.
#[derive(Debug, Clone)]
struct Wanted {
    channel: Channel,
    every: Option<Duration>,
}

/// One part of the answer.
#[derive(Debug)]
pub struct Part {
    /// The whole message.
    pub message: Vec<u8>,
    pub gates: Vec<Gate>,
    /// Topics of which more follows, and up to where this part holds them.
    pub reached: Vec<(Topic, Position)>,
}

impl Subscription {
    /// Accepts a subscription; a topic named twice counts once. What is followed already is held back from now on, so that nothing
    /// is sent twice; the rest is entered one by one, so that what is published meanwhile does not pile up for all of them.
    pub fn begin(id: Option<RequestId>, topics: Vec<TopicRequest>, continues: bool, seat: &Seat) -> Self {
        let mut seen = AHashSet::new();
        let waiting: VecDeque<_> = topics.into_iter().filter(|request| seen.insert(request.topic.clone())).collect();
        waiting.iter().filter_map(|request| wanted(request).ok()).for_each(|wanted| seat.hold_back(&wanted.channel));
        Self { id, waiting, continues, begun: false }
    }
}

/// Builds the next part of the answer, and returns what remains.
pub async fn next_part(app: &App, seat: &Seat, mut subscription: Subscription) -> (Part, Option<Subscription>) {
    if subscription.begun {
        // Lets the previous part reach the socket; a blocked socket stops the polling.
        tokio::task::yield_now().await;
    }
    subscription.begun = true;
    let encoding = seat.outbox().wire().encoding;
    let (mut answers, mut gates, mut reached, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), 0);
    while bytes < app.hub.limits().answer_bytes_soft_max
        && let Some(request) = subscription.waiting.pop_front()
    {
        let (start, gate) = begin(app, seat, &request, subscription.continues).await;
        gates.extend(gate);
        let answer = TopicAnswer { topic: request.topic.clone(), start };
        if let TopicStart::Recovered { partial: Some(_), position, .. } = answer.start {
            reached.extend(request.topic.parse().ok().map(|topic| (topic, position)));
            // The next events are read when this part was taken.
            subscription.waiting.push_front(TopicRequest { since: Some(position), ..request });
        }
        let answer = render(encoding, &answer);
        bytes += answer.len();
        answers.push(answer);
    }
    let more = !subscription.waiting.is_empty();
    let message = join(encoding, subscription.id.as_ref(), more, &answers);
    (Part { message, gates, reached }, more.then_some(subscription))
}

async fn begin(app: &App, seat: &Seat, request: &TopicRequest, continues: bool) -> (TopicStart, Option<Gate>) {
    // The roles may be a moment behind what the client was just told.
    if let Ok(topic) = request.topic.parse()
        && !may_follow(seat, &app.hub, &topic)
    {
        let _ = wait_until(app, Some(app.log.head())).await;
    }
    let (Wanted { channel, every }, as_before) = match enter(request, seat, &app.hub) {
        Ok(entered) => entered,
        Err(error) => return (TopicStart::Refused { error }, None),
    };
    // What another filter let through means nothing for this one.
    // Who holds a link sees the list, and not who changed what before.
    let is_link = seat.identity().is_some_and(|identity| matches!(identity.power, Power::Link(_)));
    let since = request.since.filter(|_| continues && as_before && !is_link);
    let started = start::begin(app, &channel, since).await;
    // The right may have ended while the history was read.
    match started.and_then(|start| check_right(seat, &app.hub, &channel.topic).map(|()| start)) {
        // Its gate stays closed until the last part.
        Ok((start @ TopicStart::Recovered { partial: Some(_), .. }, _)) => (start, None),
        Ok((start, upto)) => (start, Some(Gate { topic: channel.topic, upto: Some(upto), every })),
        Err(error) => (TopicStart::Refused { error }, Some(Gate { topic: channel.topic, upto: None, every })),
    }
}

/// Follows a topic, behind a closed gate, if allowed. Returns whether it continues as before: false if the session followed
/// the topic with another filter.
fn enter(request: &TopicRequest, seat: &Seat, hub: &Hub) -> Result<(Wanted, bool), ErrorBody> {
    let wanted = wanted(request)?;
    let topic = &wanted.channel.topic;
    check_right(seat, hub, topic).inspect_err(|_| _ = seat.unsubscribe(topic))?;
    let topics_max = hub.limits().topics_per_session_max;
    if !seat.follows(topic) && seat.topic_count() >= topics_max {
        hub.counters().met(Limit::Topics, 1);
        return Err(ErrorBody::new(ErrorCode::TooManyTopics, format!("one session may follow {topics_max} topics")));
    }
    let as_before = seat.subscribe(wanted.channel.clone());
    Ok((wanted, as_before))
}

fn may_follow(seat: &Seat, hub: &Hub, topic: &Topic) -> bool {
    // A token that may only write reads nothing here either.
    seat.identity().is_some_and(|identity| identity.reads && hub.rights().may_follow(&identity, topic))
}

fn check_right(seat: &Seat, hub: &Hub, topic: &Topic) -> Result<(), ErrorBody> {
    if may_follow(seat, hub, topic) {
        return Ok(());
    }
    hub.counters().met(Limit::Rights, 1);
    Err(ErrorBody::new(ErrorCode::Forbidden, format!("you may not follow {topic}")))
}

fn wanted(request: &TopicRequest) -> Result<Wanted, ErrorBody> {
    let topic: Topic = request.topic.parse().map_err(|error: TopicError| ErrorBody::new(ErrorCode::InvalidTopic, error.to_string()))?;
    let invalid = |detail: String| ErrorBody::new(ErrorCode::InvalidOption, detail);
    let every = match request.max_rate {
        None => None,
        Some(rate) => {
            let range = || invalid(format!("max_rate must be from {} to {} states per second", pace::RATE_MIN, pace::RATE_MAX));
            Some(pace::interval(rate).ok_or_else(range)?)
        }
    };
    let filter = request.filter.clone().unwrap_or_default();
    if request.filter.is_some() && !matches!(topic, Topic::Deals(_)) {
        return Err(invalid("only deals:<store> accepts a filter".to_owned()));
    }
    if !filter.is_valid() {
        return Err(invalid("min_saving_percent must be from 0 to 100".to_owned()));
    }
    Ok(Wanted { channel: Channel { topic, filter }, every })
}

fn render(encoding: Encoding, answer: &TopicAnswer) -> Vec<u8> {
    encoding.write(answer).unwrap_or_else(|| {
        let error = ErrorBody::new(ErrorCode::Internal, "internal server error; it is logged");
        let instead = TopicAnswer { topic: answer.topic.clone(), start: TopicStart::Refused { error } };
        encoding.write(&instead).expect("a text can be written, because it is nothing but texts")
    })
}

/// The parts are written already: they are measured one by one. Together they form `Subscribed`.
fn join(encoding: Encoding, id: Option<&RequestId>, more: bool, answers: &[Vec<u8>]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Around<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        id: Option<&'a RequestId>,
        more: bool,
        topics: [(); 0],
    }
    let around = Around { kind: "subscribed", id, more, topics: [] };
    let mut message = encoding.write(&around).expect("it can be written, because it is nothing but texts and numbers");
    // The empty list is at the end, so that it can be replaced.
    match encoding {
        Encoding::Json => {
            message.truncate(message.len() - "]}".len());
            message.extend(answers.join(&b','));
            message.extend(b"]}");
        }
        Encoding::Msgpack => {
            message.truncate(message.len() - 1);
            let length = u32::try_from(answers.len()).unwrap_or(u32::MAX);
            rmp::encode::write_array_len(&mut message, length).expect("a vector takes everything");
            answers.iter().for_each(|answer| message.extend(answer));
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_joined_by_hand_read_as_one_message_in_both_encodings() {
        let topics: Vec<_> = (0..20).map(|number| json!({"topic": format!("list:{number}")})).collect();
        for encoding in Encoding::ALL {
            let answers: Vec<_> = topics.iter().map(|topic| encoding.write(topic).unwrap()).collect();
            for count in [0, 1, 15, 16, 20] {
                let message = join(encoding, Some(&RequestId::Number(7)), true, &answers[..count]);
                let read = encoding.read(&message).unwrap();
                assert_eq!(read, json!({"type": "subscribed", "id": 7, "more": true, "topics": topics[..count]}), "{encoding:?}");
            }
        }
    }

    #[test]
    fn options_out_of_range_are_refused() {
        let code = |text: &str| wanted(&serde_json::from_str(text).unwrap()).map(drop).map_err(|error| error.code.into_owned());
        assert_eq!(code(r#"{"topic":"deals:s","max_rate":2,"filter":{"category":"dairy"}}"#), Ok(()));
        for text in [
            r#"{"topic":"list:a","max_rate":0}"#,
            r#"{"topic":"list:a","max_rate":5000}"#,
            r#"{"topic":"list:a","filter":{}}"#,
            r#"{"topic":"deals:s","filter":{"min_saving_percent":101}}"#,
        ] {
            assert_eq!(code(text), Err("invalid_option".to_owned()), "{text}");
        }
    }
}
