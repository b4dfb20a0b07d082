//! A made-up household with 6 stores, 161 products, 25 orders and a few lists, for a first start.
//! Every id is fixed, so adding it twice changes nothing.

mod files;
mod orders;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    domain::{
        HouseholdId, Moment, Principal, StoreId, StreamId, StreamKind, household::HouseholdCommand, list::ListCommand, moment::DAY_MICROS,
        money::Money, rights::HouseholdRole,
    },
    events::{
        Log,
        clock::{Clock, SystemClock},
    },
    import::{ImportError, Intent, OfflineSink, Report, Sink, SourceLine, Tally},
};

/// The prefix of every id of the demo.
pub const ID_PREFIX: &str = "demo:";

/// Adds the demo household to a log that nothing else writes to yet.
///
/// # Errors
/// When the log cannot be read or accepts no events.
pub fn seed(log: &Arc<dyn Log>) -> Result<Tally, ImportError> {
    seed_at(log, Arc::new(SystemClock))
}

/// Like [`seed`], with the time passed in.
///
/// # Errors
/// See [`seed`].
pub fn seed_at(log: &Arc<dyn Log>, clock: Arc<dyn Clock>) -> Result<Tally, ImportError> {
    let today = first_seeded(log)?.unwrap_or_else(|| clock.now());
    let today = Moment(today.0 - today.0.rem_euclid(DAY_MICROS));
    let who = Principal::new("demo").expect("this holds because it is a valid id");
    let mut sink = OfflineSink::new(log.clone(), clock, who, ID_PREFIX)?;
    let mut report = Report::new(None, Box::new(|line| tracing::debug!("demo: {line}")))?;
    let place = SourceLine { file: "demo".into(), line: 0 };
    // Decided before the first is recorded: a list must not count as in use because its own beginning was.
    let wanted: Vec<_> = intents(today).into_iter().filter(|intent| !is_in_use(&**log, intent)).collect();
    for intent in wanted {
        sink.take(place.clone(), 1, intent, &mut report)?;
    }
    sink.finish(&mut report)?;
    Ok(report.tally)
}

/// The content of the demo as of a day: stores, products with their prices, orders, the household and its lists.
pub fn intents(today: Moment) -> Vec<Intent> {
    let prices = files::prices(today);
    let mut intents: Vec<_> = files::stores().collect();
    intents.extend(files::products());
    intents.extend(prices.iter().map(files::Priced::intent));
    intents.extend(files::promotions(today));
    intents.extend(household());
    intents.extend(orders::orders(today, &prices));
    intents.extend(files::lists());
    intents
}

/// The day the demo was first added: its price history depends on that day, so that a second run yields the same.
fn first_seeded(log: &Arc<dyn Log>) -> Result<Option<Moment>, ImportError> {
    let first = StreamId::new(StreamKind::Store, &format!("{ID_PREFIX}markt-nord")).expect("this holds because it is a valid id");
    Ok(log.read_stream(&first, 0, 1)?.first().map(|recorded| recorded.at))
}

/// Lists and the household belong to their users: they are created once and then left alone.
fn is_in_use(log: &dyn Log, intent: &Intent) -> bool {
    matches!(intent, Intent::List(..) | Intent::Household(..)) && log.stream_head(&intent.stream()).is_some()
}

fn household() -> impl Iterator<Item = Intent> {
    let member =
        |name: &str, role| HouseholdCommand::Join { member: Principal::new(name).expect("this holds because it is a valid id"), role };
    let commands = [
        HouseholdCommand::Create { name: "Demo household".into() },
        member("anna", HouseholdRole::Owner),
        member("ben", HouseholdRole::Adult),
        member("clara", HouseholdRole::Child),
        HouseholdCommand::SetBudget { monthly: Some(Money::from_minor(60_000, files::euro())) },
        HouseholdCommand::ChooseStores { stores: files::store_ids().collect() },
    ];
    commands.into_iter().map(|command| Intent::Household(household_id(), command))
}

fn household_id() -> HouseholdId {
    files::id("household", HouseholdId::new)
}

/// The commands that create a list with its items, some of them ticked.
fn list(key: &str, name: &str, store: StoreId, items: impl Iterator<Item = files::ListItem>) -> Vec<Intent> {
    let id = files::id(key, crate::domain::ListId::new);
    let mut commands = vec![ListCommand::Create { name: name.into(), household: Some(household_id()), store: Some(store) }];
    for files::ListItem { item, name, product, quantity, note, checked } in items {
        commands.push(ListCommand::AddItem { item: item.clone(), name, product, specification: None, quantity, note });
        commands.extend(checked.then_some(ListCommand::Check { item }));
    }
    commands.into_iter().map(|command| Intent::List(id.clone(), command)).collect()
}
