//! A registry on a memory log, with the commands that tests need.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use super::super::{
    ActorLimits, CommandKey, Done, Failure, Loaded, NoListener, Projector, Registry, Request, Shared, interest::Interest, memos::Memos,
    shared::Counters,
};
use crate::{
    domain::{
        Context, Currency, ItemId, Moment, ProductId, Quantity, StoreId, StreamId, Unit, UnitPrice,
        list::{ListCommand, Lists},
        product::{PriceKind, PriceSeen, ProductCommand, ProductDetails, Products},
        store::{StoreCommand, StoreDetails, Stores},
    },
    events::{Append, AppendError, Log, LogError, Pending, Position, Recorded, StreamHead, clock::SystemClock, memory::MemoryLog},
    projections::{Views, totals::TotalsView},
};

/// A log that wraps a memory log and fails on demand.
pub struct FaultyLog {
    inner: Arc<MemoryLog>,
    /// Answers for the next appends; `Unknown` still records, as a time-out of a remote log may.
    pub failures: Mutex<Vec<AppendError>>,
    pub unreadable: AtomicBool,
    /// The next append panics in its caller's thread: the actor's.
    pub panic_next: AtomicBool,
    /// Signals that the next append came, and holds it back until released.
    hold: Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>,
}

impl FaultyLog {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::new(MemoryLog::new(Arc::new(SystemClock))),
            failures: Mutex::default(),
            unreadable: AtomicBool::new(false),
            panic_next: AtomicBool::new(false),
            hold: Mutex::default(),
        })
    }

    pub fn fail_next(&self, error: AppendError) {
        self.failures.lock().push(error);
    }

    /// Holds the next append back: wait for the first to know that it came, send to the second to let it continue.
    pub fn hold_next(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((came, held), (release, released)) = (oneshot::channel(), oneshot::channel());
        *self.hold.lock() = Some((came, released));
        (held, release)
    }

    fn append_when(&self, released: oneshot::Receiver<()>, append: Append) -> Pending {
        let (answer, pending) = Pending::channel();
        let log = Arc::clone(&self.inner);
        std::thread::spawn(move || {
            let _ = released.blocking_recv();
            let _ = answer.send(log.append_blocking(append).wait());
        });
        pending
    }
}

impl Log for FaultyLog {
    fn append(&self, append: Append) -> Pending {
        assert!(!self.panic_next.swap(false, Ordering::Relaxed), "told to panic by the test");
        if let Some((came, released)) = self.hold.lock().take() {
            let _ = came.send(());
            return self.append_when(released, append);
        }
        let Some(failure) = self.failures.lock().pop() else { return self.inner.append(append) };
        if matches!(failure, AppendError::Unknown(_)) {
            drop(self.inner.append_blocking(append));
        }
        Pending::ready(Err(failure))
    }

    fn append_blocking(&self, append: Append) -> Pending {
        self.inner.append_blocking(append)
    }

    fn read(&self, after: Position, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        self.inner.read(after, events_max)
    }

    fn scan(&self, after: Position, visit: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError> {
        self.inner.scan(after, visit)
    }

    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        if self.unreadable.load(Ordering::Relaxed) {
            return Err(LogError::Undecodable { position: Position(2), reason: "made unreadable by the test".into() });
        }
        self.inner.read_stream(stream, after_version, events_max)
    }

    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead> {
        self.inner.stream_head(stream)
    }

    fn steps_back(&self) -> Vec<Position> {
        self.inner.steps_back()
    }

    fn head(&self) -> Position {
        self.inner.head()
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.inner.follow()
    }

    fn read_only(&self) -> Option<String> {
        self.inner.read_only()
    }

    fn close(&self) -> Result<(), LogError> {
        self.inner.close()
    }
}

/// A registry with its projector on a log.
pub struct Rig {
    pub log: Arc<FaultyLog>,
    pub registry: Registry,
    pub projector: Projector,
}

impl Rig {
    pub fn new() -> Self {
        Self::on(FaultyLog::new(), Memos::none())
    }

    /// Like after a restart: only the log is kept.
    pub fn on(log: Arc<FaultyLog>, memos: Memos) -> Self {
        Self::within(log, memos, ActorLimits { alive_max: 100, bytes_max: 64 << 20, idle_seconds: 300 })
    }

    pub fn within(log: Arc<FaultyLog>, memos: Memos, limits: ActorLimits) -> Self {
        let mut views = Views::default();
        log.scan(Position::START, &mut |recorded| {
            views.apply(&recorded);
            ControlFlow::Continue(())
        })
        .expect("the memory log reads");
        let shared = Arc::new(Shared {
            log: Arc::clone(&log) as Arc<dyn Log>,
            views: Arc::new(parking_lot::RwLock::new(views)),
            listener: Arc::new(NoListener),
            clock: Arc::new(SystemClock),
            interest: Interest::default(),
            lineage: crate::events::Lineage::default(),
            memos,
            limits,
            counters: Counters::default(),
        });
        let projector = Projector::start(Arc::clone(&shared), None);
        Self { log, registry: Registry::start(shared, Arc::default()), projector }
    }

    pub async fn list(&self, command: ListCommand) -> Result<Done<Arc<TotalsView>>, Failure> {
        self.registry.execute::<Lists>("weekly", request(command)).await
    }

    pub async fn loaded(&self) -> Arc<Loaded<Lists>> {
        self.registry.load::<Lists>("weekly").await.expect("the list loads")
    }

    /// A store, a product and a list that has chosen the store.
    pub async fn furnish(&self) {
        let store = StoreDetails { name: "Markt".into(), currency: eur(), chain: None, country: None, time_zone: None };
        self.registry.execute::<Stores>("markt", request(StoreCommand::Register(store))).await.expect("a store");
        self.registry.execute::<Products>("milk", request(ProductCommand::Register(milk()))).await.expect("a product");
        let create = ListCommand::Create { name: "Weekly".into(), household: None, store: Some(id::<StoreId>("markt")) };
        self.list(create).await.expect("a list");
    }

    pub async fn price(&self, amount: &str, day: i64) -> Position {
        let seen = PriceSeen {
            store: id("markt"),
            kind: PriceKind::Shelf,
            price: UnitPrice::parse(amount, eur(), Unit::Each).expect("a price"),
            valid_from: None,
            valid_until: None,
            observed_at: Moment(1_700_000_000_000_000 + day * crate::domain::moment::DAY_MICROS),
            source: "test".into(),
            evidence: None,
        };
        let done = self.registry.execute::<Products>("milk", request(ProductCommand::ObservePrice(seen))).await;
        done.expect("the price is recorded").position
    }

    pub async fn applied(&self, position: Position) {
        self.projector.applied().wait_for(|applied| *applied >= position).await.expect("the projector runs");
    }
}

pub fn request<C>(command: C) -> Request<C> {
    let context = Context::of_admin(id("anna"), crate::events::clock::Clock::now(&SystemClock));
    Request { command, more: Vec::new(), context, key: None, client: None, if_version: None }
}

pub fn named<C>(command: C, name: &str, digest: u64) -> Request<C> {
    Request { key: Some(CommandKey { id: id(name), digest }), ..request(command) }
}

pub fn add(item: &str) -> ListCommand {
    ListCommand::AddItem {
        item: id::<ItemId>(item),
        name: item.into(),
        product: (item == "milk").then(|| id::<ProductId>("milk")),
        specification: None,
        quantity: Quantity::each(1),
        note: None,
    }
}

pub fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> I {
    text.parse().expect("a valid id")
}

pub fn eur() -> Currency {
    Currency::new("EUR").expect("a known currency")
}

fn milk() -> ProductDetails {
    ProductDetails::named("Milk")
}
