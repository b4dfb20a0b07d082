//! Answers a subscription topic by topic, in parts small enough that a slow reader never makes the server hold a large one.

use std::collections::VecDeque;

use ahash::AHashSet;

use super::{
    counters::Limit,
    hub::{Hub, Membership},
    protocol::{ErrorBody, RequestId, TopicAnswer, TopicRequest, TopicStart},
    start,
    topic::Topic,
};
use crate::{app::App, events::Position};

/// A subscription whose answer is under way.
#[derive(Debug)]
pub struct Subscription {
    id: Option<RequestId>,
    /// What is not answered yet. Those to be followed wait behind closed gates.
    waiting: VecDeque<(TopicRequest, Result<Topic, ErrorBody>)>,
    /// The client's positions are of this epoch.
    continues: bool,
    /// A part was answered already.
    begun: bool,
}

/// One part of the answer.
#[derive(Debug)]
pub struct Part {
    /// The whole message.
    pub text: String,
    /// Topics whose gates open with this part, and up to where it told their history; `None` for one that is left again.
    pub gates: Vec<(Topic, Option<Position>)>,
}

impl Subscription {
    /// Starts to listen to every topic that may be followed; a topic named twice counts once.
    pub fn begin(id: Option<RequestId>, topics: Vec<TopicRequest>, continues: bool, membership: &mut Membership, hub: &Hub) -> Self {
        let mut seen = AHashSet::new();
        let waiting = topics
            .into_iter()
            .filter(|request| seen.insert(request.topic.clone()))
            .map(|request| {
                let topic = enter(&request.topic, membership, hub);
                (request, topic)
            })
            .collect();
        Self { id, waiting, continues, begun: false }
    }
}

/// Makes the next part of the answer, and gives back what remains.
pub async fn next_part(app: &App, mut subscription: Subscription) -> (Part, Option<Subscription>) {
    if subscription.begun {
        // Lets the part before go to the socket; on a blocked socket nobody polls on.
        tokio::task::yield_now().await;
    }
    subscription.begun = true;
    let (mut answers, mut gates, mut bytes) = (Vec::new(), Vec::new(), 0);
    while bytes < app.hub.limits().answer_bytes_soft_max
        && let Some((request, topic)) = subscription.waiting.pop_front()
    {
        let since = request.since.filter(|_| subscription.continues);
        let start = match &topic {
            Ok(topic) => start::begin(app, topic, since).await,
            Err(error) => Err(error.clone()),
        };
        let upto = start.as_ref().ok().map(|(_, upto)| *upto);
        gates.extend(topic.ok().map(|topic| (topic, upto)));
        let start = start.map_or_else(|error| TopicStart::Refused { error }, |(start, _)| start);
        let answer = render(&TopicAnswer { topic: request.topic, start });
        bytes += answer.len();
        answers.push(answer);
    }
    let more = !subscription.waiting.is_empty();
    let text = join(subscription.id.as_ref(), more, &answers);
    (Part { text, gates }, more.then_some(subscription))
}

fn enter(text: &str, membership: &mut Membership, hub: &Hub) -> Result<Topic, ErrorBody> {
    let topic: Topic = text.parse().map_err(|error: super::topic::TopicError| ErrorBody::lasting("invalid_topic", error.to_string()))?;
    let topics_max = hub.limits().topics_per_session_max;
    if !membership.listens_to(&topic) && membership.topic_count() >= topics_max {
        hub.counters().met(Limit::Topics, 1);
        return Err(ErrorBody::lasting("too_many_topics", format!("one session may follow {topics_max} topics")));
    }
    membership.subscribe(&topic);
    Ok(topic)
}

fn render(answer: &TopicAnswer) -> String {
    serde_json::to_string(answer).unwrap_or_else(|error| {
        tracing::error!(%error, topic = answer.topic, "the start of a topic could not be written as JSON");
        r#"{"error":{"code":"internal","detail":"the server made a mistake; it has been logged","temporary":true}}"#.to_owned()
    })
}

/// The parts are text already: they are measured one by one.
fn join(id: Option<&RequestId>, more: bool, answers: &[String]) -> String {
    let id = serde_json::to_string(&id).unwrap_or_else(|_| "null".into());
    format!(r#"{{"type":"subscribed","id":{id},"more":{more},"topics":[{}]}}"#, answers.join(","))
}
