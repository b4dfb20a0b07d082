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
    events::{Log, LogError, Position, Recorded, StreamHead},
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
    let mut states = list_states(app, id, list, &loaded);
    if let Some(events) = missed(app, &stream, head, since).await? {
        states.insert(Key::Totals.to_string(), value(&*loaded.view));
        return Ok((TopicStart::Recovered { recovered: True, position: head.position, events: told(events), states }, head.position));
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
    let events = missed(app, &stream, head, since).await?;
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
        return Ok((TopicStart::Recovered { recovered: True, position, events, states: states.collect() }, position));
    }
    let position = views.position();
    let details = views.product(id).ok_or_else(|| not_found(topic))?;
    Ok((snapshot_at(position, value(&ProductSnapshot { product: details, prices })), position))
}

async fn household(app: &App, topic: &Topic, id: &HouseholdId, since: Option<Position>) -> Start {
    let (stream, head) = head_of(app, topic).await?;
    if let Some(events) = missed(app, &stream, head, since).await? {
        let start = TopicStart::Recovered { recovered: True, position: head.position, events: told(events), states: States::new() };
        return Ok((start, head.position));
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
        return Ok((TopicStart::Recovered { recovered: True, position: since, events: Vec::new(), states: States::new() }, since));
    }
    Ok((snapshot_at(position, value(&views.deals(&query))), position))
}

/// A household's orders are many streams: missed events are searched in the newest part of the log.
async fn orders(app: &App, household: &HouseholdId, since: Option<Position>) -> Start {
    wait_until(app, Some(app.log.head())).await?;
    let upto = app.views.read().position();
    if let Some(since) = since.filter(|since| since.0 <= upto.0)
        && let Some(events) = missed_orders(app, household, since, upto).await?
    {
        return Ok((TopicStart::Recovered { recovered: True, position: upto, events, states: States::new() }, upto));
    }
    let views = app.views.read();
    let position = views.position();
    let snapshot = OrdersSnapshot { orders: views.orders_of(household, None, app.hub.limits().snapshot_entries_max) };
    Ok((snapshot_at(position, value(&snapshot)), position))
}

async fn missed_orders(app: &App, household: &HouseholdId, since: Position, upto: Position) -> Result<Option<Vec<MissedEvent>>, ErrorBody> {
    let span = usize::try_from(upto.0 - since.0).unwrap_or(usize::MAX);
    if span > app.hub.limits().recovery_scan_events_max {
        app.hub.counters().met(Limit::RecoveryEvents, 1);
        return Ok(None);
    }
    let log = Arc::clone(&app.log);
    let recorded = blocking(app, move || read_all(&*log, since, upto)).await?;
    let views = app.views.read();
    let is_ours = |one: &Arc<Recorded>| matches!(one.event, Event::Order(_)) && household_of_order(one, &views).as_ref() == Some(household);
    let events = told_after(since, recorded.into_iter().filter(is_ours));
    let too_many = events.len() > app.hub.limits().recovery_events_max;
    if too_many {
        app.hub.counters().met(Limit::RecoveryEvents, 1);
    }
    Ok((!too_many).then_some(events))
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

/// The events of a stream after a position, if there are few enough; `None` asks for a snapshot.
async fn missed(app: &App, stream: &StreamId, head: StreamHead, since: Option<Position>) -> Result<Option<Vec<Arc<Recorded>>>, ErrorBody> {
    let Some(since) = since else { return Ok(None) };
    let events_max = app.hub.limits().recovery_events_max as u64;
    let mut newest = if since >= head.position { 0 } else { MISSED_EVENTS_FIRST };
    loop {
        let events = if newest == 0 { Vec::new() } else { read_stream(app, stream, head.version.saturating_sub(newest)).await? };
        let reaches_back = events.first().is_none_or(|first| first.previous.is_none_or(|previous| previous <= since));
        if reaches_back {
            return Ok(Some(events.into_iter().filter(|one| one.position > since && one.position <= head.position).collect()));
        }
        if newest >= events_max {
            app.hub.counters().met(Limit::RecoveryEvents, 1);
            return Ok(None);
        }
        newest = (newest * 8).min(events_max);
    }
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
