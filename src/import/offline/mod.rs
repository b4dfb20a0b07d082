//! Commands straight to a log that no server has open: decided by the same deciders, appended in long pipelined groups.

mod entities;
mod holders;

use std::{collections::VecDeque, ops::ControlFlow, sync::Arc};

use super::{ImportError, Intent, Reason, Report, Sink, SourceLine};
use crate::{
    domain::{
        Context, Principal, Refusal, StreamId,
        household::Households,
        list::Lists,
        order::Orders,
        product::Products,
        references::{Found, Referent, Refers},
        store::Stores,
    },
    events::{Append, AppendError, Log, Pending, Position, Recorded, clock::Clock},
};
use entities::Entities;
use holders::Holders;

/// Appends that may wait for their answer; beyond it half of them are awaited. Bounds the memory of an import.
const IN_FLIGHT_MAX: usize = 16_384;

/// Decides commands and appends their events.
pub struct OfflineSink {
    log: Arc<dyn Log>,
    clock: Arc<dyn Clock>,
    who: Principal,
    stores: Entities<Stores>,
    households: Entities<Households>,
    products: Entities<Products>,
    orders: Entities<Orders>,
    lists: Entities<Lists>,
    holders: Holders,
    in_flight: VecDeque<InFlight>,
}

/// An append that is not answered yet.
struct InFlight {
    place: SourceLine,
    rows: u64,
    /// If it is one.
    store: Option<StreamId>,
    pending: Pending,
}

impl OfflineSink {
    /// Folds what the log knows of the source's entities, in one pass. Orders are many and each is placed once,
    /// so they are looked up one by one instead.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn new(log: Arc<dyn Log>, clock: Arc<dyn Clock>, who: Principal, id_prefix: &str) -> Result<Self, ImportError> {
        let mut sink = Self {
            log,
            clock,
            who,
            stores: Entities::folded(),
            households: Entities::folded(),
            products: Entities::folded(),
            orders: Entities::looked_up(),
            lists: Entities::looked_up(),
            holders: Holders::default(),
            in_flight: VecDeque::new(),
        };
        let log = sink.log.clone();
        log.scan(Position::START, &mut |recorded| {
            sink.holders.fold(&recorded);
            if recorded.stream.id().starts_with(id_prefix) {
                sink.fold(&recorded);
            }
            ControlFlow::Continue(())
        })?;
        Ok(sink)
    }

    fn fold(&mut self, recorded: &Recorded) {
        self.stores.fold(recorded);
        self.households.fold(recorded);
        self.products.fold(recorded);
    }

    /// Decides a command: the append it causes, `None` if it changes nothing.
    fn decide(&mut self, intent: &Intent) -> Result<Option<Append>, Failed> {
        match intent {
            Intent::Store(_, command) => self.check(command)?,
            Intent::Household(_, command) => self.check(command)?,
            Intent::Product(id, command) => {
                self.check(command)?;
                self.holders.check(id, command).map_err(Failed::Refused)?;
            }
            Intent::Order(_, command) => self.check(command)?,
            Intent::List(_, command) => self.check(command)?,
        }
        let (log, context) = (&*self.log, Context::of_admin(self.who.clone(), self.clock.now()));
        match intent {
            Intent::Store(id, command) => self.stores.decide(log, id.as_str(), command, &context),
            Intent::Household(id, command) => self.households.decide(log, id.as_str(), command, &context),
            Intent::Product(id, command) => {
                let decided = self.products.decide(log, id.as_str(), command, &context)?;
                self.holders.give(id, command.codes());
                Ok(decided)
            }
            Intent::Order(id, command) => self.orders.decide(log, id.as_str(), command, &context),
            Intent::List(id, command) => self.lists.decide(log, id.as_str(), command, &context),
        }
    }

    /// The same rules about other entities as a running server has.
    fn check(&mut self, command: &impl Refers) -> Result<(), Failed> {
        for reference in command.references() {
            let found = self.find(reference.to)?;
            reference.check(found).map_err(Failed::Refused)?;
        }
        Ok(())
    }

    fn find(&mut self, to: Referent<'_>) -> Result<Found, Failed> {
        let log = &*self.log;
        Ok(match to {
            Referent::Store(id) | Referent::Money(id, ..) => Found::of_store(self.stores.state(log, id.as_str())?),
            Referent::Product(id) => Found::of_product(self.products.state(log, id.as_str())?),
            Referent::Household(id) => Found::of_household(self.households.state(log, id.as_str())?),
            Referent::List(id) => Found::of_list(self.lists.state(log, id.as_str())?),
        })
    }

    /// Waits for the oldest answers until at most `remaining` are open.
    fn settle(&mut self, remaining: usize, report: &mut Report) -> Result<(), ImportError> {
        while self.in_flight.len() > remaining {
            let Some(InFlight { place, rows, store, pending }) = self.in_flight.pop_front() else { break };
            match pending.wait() {
                Ok(recorded) => report.tally.events_appended += recorded.len() as u64,
                // States were evolved ahead of the answer, so a stream with a refused append is one version ahead:
                // the commands that follow it conflict and are refused too, and a second run decides them again.
                Err(error @ (AppendError::TooLarge { .. } | AppendError::Conflict { .. })) => {
                    let code = if matches!(error, AppendError::TooLarge { .. }) { "too_large" } else { "conflict" };
                    report.refused(&place, rows, store, &Reason::new(code, error.to_string()))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Makes room if there are too many states in memory: they are read from the log when needed again,
    /// so everything must be in the log first.
    fn make_room(&mut self, report: &mut Report) -> Result<(), ImportError> {
        let full = [self.stores.is_full(), self.households.is_full(), self.products.is_full(), self.orders.is_full(), self.lists.is_full()];
        if !full.contains(&true) {
            return Ok(());
        }
        self.settle(0, report)?;
        self.stores.shrink();
        self.households.shrink();
        self.products.shrink();
        self.orders.shrink();
        self.lists.shrink();
        Ok(())
    }
}

/// Why a command has no events.
enum Failed {
    Refused(Refusal),
    Log(crate::events::LogError),
}

impl Sink for OfflineSink {
    fn take(&mut self, place: SourceLine, rows: u64, intent: Intent, report: &mut Report) -> Result<(), ImportError> {
        self.make_room(report)?;
        let store = intent.store();
        match self.decide(&intent) {
            Ok(Some(append)) => self.in_flight.push_back(InFlight { place, rows, store, pending: self.log.append_blocking(append) }),
            Ok(None) => report.tally.unchanged += 1,
            Err(Failed::Refused(refusal)) => report.refused(&place, rows, store, &refusal.into())?,
            Err(Failed::Log(error)) => return Err(error.into()),
        }
        if self.in_flight.len() >= IN_FLIGHT_MAX { self.settle(IN_FLIGHT_MAX / 2, report) } else { Ok(()) }
    }

    fn finish(&mut self, report: &mut Report) -> Result<(), ImportError> {
        self.settle(0, report)
    }

    fn abandon(&mut self, report: &mut Report) {
        for InFlight { pending, .. } in self.in_flight.drain(..) {
            report.tally.events_appended += pending.wait().map_or(0, |recorded| recorded.len() as u64);
        }
    }
}
