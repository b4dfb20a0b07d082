//! How a topic starts for a subscriber: the events it missed if its position continues without a gap, else a snapshot.
//! The caller already follows, behind a closed gate; everything up to the returned position is in the answer.

use std::sync::Arc;

use actix_web::web;
use serde::Serialize;
use serde_json::Value;

use super::{
    errors::ErrorCode,
    protocol::{ErrorBody, EventValue, False, MissedEvent, Snapshot, States, TopicStart, True},
    values::{OrdersSnapshot, ProductSnapshot, SystemSnapshot},
};
use crate::{
    actors::Loaded,
    app::App,
    domain::{
        Event, HouseholdId, ListId, ProductId, StreamId,
        list::{List, ListState, Lists},
    },
    events::{Log, LogError, Position, Recorded, StreamHead, codec::event_json},
    http::{
        error::Problem,
        reads::{AFTER_WAIT, wait_until},
    },
    live::{channel::Channel, counters::Limit, household_of_order, is_price, publication::Key, topic::Topic},
    projections::{DealQuery, totals::PriceState},
};

/// A topic's start, and the position up to which it holds the topic's events.
type Start = Result<(TopicStart, Position), ErrorBody>;

/// How many of a stream's newest events are read first to find the missed ones: most absences are short.
const MISSED_EVENTS_FIRST: u64 = 128;
/// Missed events of one topic in one part of an answer: the next part is built when the reader has taken this one.
const PART_EVENTS: usize = 128;
/// The same in bytes as JSON; one event may be larger.
const PART_BYTES: usize = 32 << 10;

/// The next events that a client missed.
struct Missed {
    events: Vec<Arc<Recorded>>,
    /// There are more than one part holds.
    more: bool,
}

/// Starts a topic, after `since` if the client has that position of this epoch.
///
/// # Errors
/// When the topic's subject does not exist or cannot be read.
pub async fn begin(app: &App, channel: &Channel, since: Option<Position>) -> Start {
    // A client at the very start has nothing yet: a snapshot is shorter than the whole history.
    let since = since.filter(|since| *since > Position::START && *since <= app.log.head());
    let topic = &channel.topic;
    match topic {
        Topic::List(id) => list(app, topic, id, since).await,
        Topic::Product(id) => product(app, topic, id, since).await,
        Topic::Household(id) => household(app, topic, id, since).await,
        Topic::Deals(_) => deals(app, channel, since).await,
        Topic::Orders(household) => orders(app, household, since).await,
        Topic::System => {
            let position = app.log.head();
            let snapshot = SystemSnapshot { version: env!("CARGO_PKG_VERSION"), position };
            Ok((snapshot_at(position, value(&snapshot)), position))
        }
    }
}

/// A list is read from its actor, which may be ahead of the views or behind the log's newest block.
async fn list(app: &App, topic: &Topic, id: &ListId, since: Option<Position>) -> Start {
    let loaded = app.registry.load::<Lists>(id.as_str()).await.map_err(Problem::from)?;
    let list = match &loaded.state {
        ListState::Absent => return Err(not_found(topic)),
        ListState::Active(list) | ListState::Archived(list) => list,
    };
    let (stream, head) = head_of(app, topic).await?;
    let missed = match missed(app, &stream, head, since).await? {
        Some(Missed { events, more: true }) => return Ok(partial(told(events))),
        missed => missed.map(|missed| missed.events),
    };
    let mut states = list_states(app, id, list, &loaded);
    if let Some(events) = missed {
        states.insert(Key::Totals.to_string(), value(&*loaded.view));
        return Ok((recovered(head.position, told(events), states), head.position));
    }
    let late = if loaded.version < head.version { read_stream(app, &stream, loaded.version).await? } else { Vec::new() };
    let position = late.first().map_or(head.position, |first| first.previous.unwrap_or(Position::START));
    let upto = late.last().map_or(head.position, |last| last.position);
    let snapshot = Snapshot::List(id.clone(), loaded);
    Ok((TopicStart::Snapshot { recovered: False, position, snapshot, events: told(late), states }, upto))
}

/// The prices of the list's products at the store of its totals, and who has it open.
fn list_states(app: &App, id: &ListId, list: &List, loaded: &Loaded<Lists>) -> States {
    let (now, store) = (app.clock.now(), loaded.view.store.as_ref());
    let views = app.views.read();
    let mut states: States = list
        .items
        .values()
        .filter_map(|item| item.product.as_ref())
        .map(|product| (Key::PriceOf(product.clone()).to_string(), value(&PriceState::of(product, store, &*views, now))))
        .collect();
    drop(views);
    states.insert(Key::Presence.to_string(), value(&app.hub.presence().of(id)));
    states
}

/// A product's prices are states, so only its other events are sent.
async fn product(app: &App, topic: &Topic, id: &ProductId, since: Option<Position>) -> Start {
    // Read before the stream's head: the topic has no event in between.
    let published = app.hub.published();
    let (stream, head) = head_of(app, topic).await?;
    let events = match (missed(app, &stream, head, since).await?, since) {
        (Some(Missed { events, more: true }), Some(since)) => return Ok(partial_product(since, events)),
        (missed, _) => missed.map(|missed| missed.events),
    };
    wait_until(app, Some(head.position)).await?;
    let now = app.clock.now();
    let views = app.views.read();
    let prices = views.best_prices(id, now, false);
    if let (Some(events), Some(since)) = (events, since) {
        let states = prices
            .iter()
            .map(|price| (Key::PriceAt(price.store.clone()).to_string(), value(&PriceState::of(id, Some(&price.store), &*views, now))));
        let events = told_after(since, events.into_iter().filter(|one| !is_price(&one.event)));
        let position = head.position.max(published);
        return Ok((recovered(position, events, states.collect()), position));
    }
    let position = views.position();
    let details = views.product(id).ok_or_else(|| not_found(topic))?;
    Ok((snapshot_at(position, value(&ProductSnapshot { product: details, prices })), position))
}

async fn household(app: &App, topic: &Topic, id: &HouseholdId, since: Option<Position>) -> Start {
    let (stream, head) = head_of(app, topic).await?;
    match missed(app, &stream, head, since).await? {
        Some(Missed { events, more: true }) => return Ok(partial(told(events))),
        Some(Missed { events, more: false }) => return Ok((recovered(head.position, told(events), States::new()), head.position)),
        None => {}
    }
    wait_until(app, Some(head.position)).await?;
    let views = app.views.read();
    let position = views.position();
    let household = views.households.get(id).ok_or_else(|| not_found(topic))?;
    Ok((snapshot_at(position, value(household)), position))
}

/// Deals are computed, not recorded, so a position continues only if no deal of the channel has changed since.
async fn deals(app: &App, channel: &Channel, since: Option<Position>) -> Start {
    wait_until(app, Some(app.log.head())).await?;
    let Topic::Deals(store) = &channel.topic else { return Err(not_found(&channel.topic)) };
    let filter = &channel.filter;
    let query = DealQuery {
        store: Some(store.clone()),
        category: filter.category.clone(),
        saving_basis_points_min: filter.saving_basis_points_min(),
        honest_only: filter.honest,
        at: app.clock.now(),
        limit: app.hub.limits().snapshot_entries_max,
        ..DealQuery::default()
    };
    let views = app.views.read();
    let position = views.position();
    // The views may be ahead of what was published, so a recovered topic continues from the client's own position.
    if let Some(since) = since.filter(|since| app.hub.last_event(channel).is_some_and(|last| *since >= last)) {
        return Ok((recovered(since, Vec::new(), States::new()), since));
    }
    Ok((snapshot_at(position, value(&views.deals(&query))), position))
}

/// A household's orders are many streams: missed events are searched in the newest part of the log.
async fn orders(app: &App, household: &HouseholdId, since: Option<Position>) -> Start {
    wait_until(app, Some(app.log.head())).await?;
    let upto = app.views.read().position();
    if let Some(since) = since.filter(|since| since.0 <= upto.0)
        && let Some((events, more)) = missed_orders(app, household, since, upto).await?
    {
        return Ok(if more { partial(events) } else { (recovered(upto, events, States::new()), upto) });
    }
    let views = app.views.read();
    let position = views.position();
    let snapshot = OrdersSnapshot { orders: views.orders_of(household, None, app.hub.limits().snapshot_entries_max) };
    Ok((snapshot_at(position, value(&snapshot)), position))
}

/// A part of them, and whether there are more.
async fn missed_orders(
    app: &App,
    household: &HouseholdId,
    since: Position,
    upto: Position,
) -> Result<Option<(Vec<MissedEvent>, bool)>, ErrorBody> {
    let span = usize::try_from(upto.0 - since.0).unwrap_or(usize::MAX);
    if span > app.hub.limits().recovery_scan_events_max {
        app.hub.counters().met(Limit::RecoveryEvents, 1);
        return Ok(None);
    }
    let log = Arc::clone(&app.log);
    let recorded = blocking(app, move || read_all(&*log, since, upto)).await?;
    let views = app.views.read();
    let is_ours = |one: &Arc<Recorded>| matches!(one.event, Event::Order(_)) && household_of_order(one, &views).as_ref() == Some(household);
    let ours: Vec<_> = recorded.into_iter().filter(is_ours).collect();
    if ours.len() > app.hub.limits().recovery_events_max {
        app.hub.counters().met(Limit::RecoveryEvents, 1);
        return Ok(None);
    }
    let Missed { events, more } = part_of(ours);
    Ok(Some((told_after(since, events.into_iter()), more)))
}

/// Events of the whole log after a position, up to another.
fn read_all(log: &dyn Log, since: Position, upto: Position) -> Result<Vec<Arc<Recorded>>, LogError> {
    let mut recorded: Vec<Arc<Recorded>> = Vec::new();
    let mut after = since;
    while after < upto {
        let block = log.read(after, usize::try_from(upto.0 - after.0).unwrap_or(usize::MAX))?;
        let Some(last) = block.last() else { break };
        after = last.position;
        recorded.extend(block.into_iter().filter(|one| one.position <= upto));
    }
    Ok(recorded)
}

/// The next events of a stream after a position, if there are few enough in all; `None` asks for a snapshot.
async fn missed(app: &App, stream: &StreamId, head: StreamHead, since: Option<Position>) -> Result<Option<Missed>, ErrorBody> {
    let Some(since) = since else { return Ok(None) };
    if since >= head.position {
        return Ok(Some(Missed { events: Vec::new(), more: false }));
    }
    let (log, of, events_max) = (Arc::clone(&app.log), stream.clone(), app.hub.limits().recovery_events_max as u64);
    // What is read to find the place is not kept while others wait for their turn.
    let read = move || match version_at(&*log, &of, head, since, events_max)? {
        Some(version) => log.read_stream(&of, version, PART_EVENTS + 1).map(Some),
        None => Ok(None),
    };
    let Some(events) = blocking(app, read).await? else {
        app.hub.counters().met(Limit::RecoveryEvents, 1);
        return Ok(None);
    };
    Ok(Some(part_of(events.into_iter().filter(|one| one.position <= head.position).collect())))
}

/// The version of a stream at a position, if at most this many events came later.
fn version_at(log: &dyn Log, stream: &StreamId, head: StreamHead, since: Position, events_max: u64) -> Result<Option<u64>, LogError> {
    let mut newest = MISSED_EVENTS_FIRST.min(events_max);
    loop {
        let from = head.version.saturating_sub(newest);
        let events = log.read_stream(stream, from, usize::try_from(newest).unwrap_or(usize::MAX))?;
        if events.first().is_none_or(|first| first.previous.is_none_or(|previous| previous <= since)) {
            return Ok(Some(from + events.iter().take_while(|one| one.position <= since).count() as u64));
        }
        if newest >= events_max {
            return Ok(None);
        }
        newest = (newest * 8).min(events_max);
    }
}

/// As many of the first events as one part holds.
fn part_of(mut events: Vec<Arc<Recorded>>) -> Missed {
    let mut bytes = 0;
    let fitting = events.iter().take(PART_EVENTS).take_while(|one| {
        let fits = bytes < PART_BYTES;
        bytes += event_json(one).to_string().len();
        fits
    });
    let count = fitting.count();
    let more = count < events.len();
    events.truncate(count);
    Missed { events, more }
}

/// All of what was missed, or the last part of it.
fn recovered(position: Position, events: Vec<MissedEvent>, states: States) -> TopicStart {
    TopicStart::Recovered { recovered: True, partial: None, position, events, states }
}

/// A part of what was missed, up to its last event.
fn partial(events: Vec<MissedEvent>) -> (TopicStart, Position) {
    let position = events.last().map_or(Position::START, |last| last.position);
    (TopicStart::Recovered { recovered: True, partial: Some(True), position, events, states: States::new() }, position)
}

/// The same for a product, whose prices are states.
fn partial_product(since: Position, events: Vec<Arc<Recorded>>) -> (TopicStart, Position) {
    let position = events.last().map_or(since, |last| last.position);
    let events = told_after(since, events.into_iter().filter(|one| !is_price(&one.event)));
    (TopicStart::Recovered { recovered: True, partial: Some(True), position, events, states: States::new() }, position)
}

/// A stream's events after a version; off the worker's thread, because old ones are read from storage.
async fn read_stream(app: &App, stream: &StreamId, after_version: u64) -> Result<Vec<Arc<Recorded>>, ErrorBody> {
    let (log, stream, events_max) = (Arc::clone(&app.log), stream.clone(), app.hub.limits().recovery_events_max);
    blocking(app, move || log.read_stream(&stream, after_version, events_max)).await
}

async fn blocking<T: Send + 'static>(app: &App, read: impl FnOnce() -> Result<T, LogError> + Send + 'static) -> Result<T, ErrorBody> {
    if app.hub.readers().available_permits() == 0 {
        app.hub.counters().met(Limit::Readers, 1);
    }
    let _turn = app.hub.readers().acquire().await.map_err(|error| Problem::internal(&error))?;
    let read = web::block(read).await.map_err(|error| Problem::internal(&error))?;
    Ok(read.map_err(Problem::unreadable)?)
}

/// The topic's stream and its newest event. The log shows it a moment before its own head, and nothing sent may be ahead of that.
async fn head_of(app: &App, topic: &Topic) -> Result<(StreamId, StreamHead), ErrorBody> {
    let stream = topic.stream().ok_or_else(|| not_found(topic))?;
    let head = app.log.stream_head(&stream).ok_or_else(|| not_found(topic))?;
    let mut newest = app.log.follow();
    // A log that fails at that moment never gets there; then this is a best effort.
    let _ = tokio::time::timeout(AFTER_WAIT, newest.wait_for(|newest| *newest >= head.position)).await;
    Ok((stream, head))
}

fn not_found(topic: &Topic) -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, format!("{topic} does not exist: create it first"))
}

fn snapshot_at(position: Position, snapshot: Value) -> TopicStart {
    TopicStart::Snapshot { recovered: False, position, snapshot: Snapshot::Value(snapshot), events: Vec::new(), states: States::new() }
}

/// All events of one stream.
fn told(events: Vec<Arc<Recorded>>) -> Vec<MissedEvent> {
    events.into_iter().map(|one| MissedEvent { position: one.position, previous: one.previous, event: EventValue(one) }).collect()
}

/// Some events of one or many streams, each after the one before.
fn told_after(since: Position, events: impl Iterator<Item = Arc<Recorded>>) -> Vec<MissedEvent> {
    let tell = |previous: &mut Position, one: Arc<Recorded>| {
        let previous = std::mem::replace(previous, one.position);
        Some(MissedEvent { position: one.position, previous: Some(previous), event: EventValue(one) })
    };
    events.scan(since, tell).collect()
}

/// A view as JSON; views are plain data, so this cannot fail.
fn value<T: Serialize>(view: &T) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}
