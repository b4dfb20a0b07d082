//! Given orders, lists and products, then their summaries.

use crate::{
    domain::{
        HouseholdId, ListId, Principal, Quantity, StreamKind,
        household::HouseholdEvent,
        list::ListEvent,
        order::OrderEvent,
        product::{DetailsChange, ProductEvent},
        rights::{HouseholdRole, Reader},
    },
    projections::{ListQuery, OrderPhase, testing::*},
};

fn everybody() -> Reader {
    Reader::admin(Principal::new("local").unwrap())
}

fn home() -> HouseholdId {
    HouseholdId::new("home").unwrap()
}

#[test]
fn spending_counts_refunds_and_leaves_cancelled_orders_out() {
    let mut log = TestLog::default();
    log.order("o1", placed("home", "spar", 10, &[("milk", "2.00"), ("bread", "3.00")]));
    log.order("o2", placed("home", "billa", 40, &[("milk", "1.50")]));
    log.order("o3", placed("home", "billa", 41, &[("milk", "9.00")]));
    log.order("o3", OrderEvent::Cancelled { reason: None });
    log.order("o1", OrderEvent::LineRefunded { line: 2, quantity: Quantity::each(1), amount: euros("3.00"), reason: None });
    let spend = log.views().spend(&home(), None, None);
    let [euro] = &spend.currencies[..] else { panic!("one currency") };
    assert_eq!((euro.total, euro.refunded, euro.orders), (euros("3.50"), euros("3.00"), 2));
    let months: Vec<_> = euro.months.iter().map(|month| (month.month.as_str(), month.total)).collect();
    assert_eq!(months, [("1970-01", euros("2.00")), ("1970-02", euros("1.50"))]);
    assert_eq!(euro.stores[0].store, store("spar"));
    let february = log.views().spend(&home(), Some(day(31)), Some(day(59)));
    assert_eq!(february.currencies[0].total, euros("1.50"));
}

#[test]
fn a_substituted_line_changes_the_total_by_the_difference() {
    let mut log = TestLog::default();
    log.order("o1", placed("home", "spar", 10, &[("milk", "2.00"), ("bread", "3.00")]));
    let substituted = OrderEvent::LineSubstituted {
        line: 1,
        product: None,
        name: "oat milk".into(),
        quantity: Quantity::each(1),
        charged: euros("2.60"),
    };
    log.order("o1", substituted);
    log.order("o1", OrderEvent::LineShorted { line: 2, picked: Quantity::each(0), charged: euros("0.00") });
    log.order("o1", OrderEvent::Fulfilled { at: day(11), receipt_total: Some(euros("2.50")), variance: Some(euros("-0.10")) });
    let order = log.views().order(&order_id("o1")).unwrap();
    assert_eq!((order.total, order.charged, order.phase), (euros("2.60"), euros("2.60"), OrderPhase::Fulfilled));
    assert_eq!((order.receipt_total, order.variance, order.lines), (Some(euros("2.50")), Some(euros("-0.10")), 2));
}

#[test]
fn the_orders_of_a_household_are_paged_newest_first() {
    let mut log = TestLog::default();
    for n in 1..=3 {
        log.order(&format!("o{n}"), placed("home", "spar", n, &[("milk", "1.00")]));
    }
    let views = log.views();
    let ids = |orders: Vec<crate::projections::OrderSummary>| orders.into_iter().map(|order| order.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(views.orders_of(&home(), None, 2)), ["o3", "o2"]);
    assert_eq!(ids(views.orders_of(&home(), Some(&order_id("o2")), 2)), ["o1"]);
}

#[test]
fn the_list_index_counts_items_and_leaves_archived_lists_out() {
    let mut log = TestLog::default();
    let item = |id: &str| crate::domain::ItemId::new(id).unwrap();
    log.list("a", created(Some("spar"))).list("b", created(None));
    log.list("a", item_added("i1", None, Quantity::each(1))).list("a", item_added("i2", None, Quantity::each(1)));
    log.list("a", ListEvent::ItemChecked { item: item("i1") }).list("b", ListEvent::Archived {});
    let page = log.views().lists.page(&everybody(), &ListQuery { limit: 10, ..ListQuery::default() });
    assert_eq!(page.iter().map(|list| (list.id.as_str(), list.items, list.unchecked)).collect::<Vec<_>>(), [("a", 2, 1)]);
    log.list("a", ListEvent::CheckedCleared { items: vec![item("i1")] });
    let list = log.views().lists.get(&ListId::new("a").unwrap()).unwrap();
    assert_eq!((list.items, list.unchecked), (1, 1));
    assert_eq!(log.views().lists.page(&everybody(), &ListQuery { limit: 10, archived: true, ..ListQuery::default() }).len(), 2);
}

#[test]
fn the_catalogue_follows_a_product_and_pages_by_first_appearance() {
    let mut log = TestLog::default();
    log.price("mentioned", "spar", crate::domain::product::PriceKind::Shelf, "1.00", 1);
    log.product("milk", ProductEvent::Registered(details("Milk", None)));
    log.product("bread", ProductEvent::Registered(details("Bread", None)));
    let changed = ProductEvent::DetailsChanged(DetailsChange {
        name: Some("Whole milk".into()),
        brand: Some("Ja".into()),
        category: Some(String::new()),
        content: Some(Quantity::each(6)),
        ..DetailsChange::default()
    });
    log.product("milk", changed).product("bread", ProductEvent::Merged { into: product("milk") });
    let views = log.views();
    let milk = views.product(&product("milk")).unwrap();
    assert_eq!(
        (milk.name.as_str(), milk.brand.as_deref(), milk.category, milk.content),
        ("Whole milk", Some("Ja"), None, Some(Quantity::each(6)))
    );
    assert_eq!(views.now().products(None, 1)[0].id, product("milk"));
    assert_eq!(views.now().products(Some(&product("milk")), 9)[0].merged_into, Some(product("milk")));
    assert!(views.product(&product("mentioned")).is_none());
}

#[test]
fn a_household_keeps_its_members_and_stores() {
    let mut log = TestLog::default();
    log.push(StreamKind::Household, "home", HouseholdEvent::Created { name: "Home".into() });
    log.push(StreamKind::Household, "home", HouseholdEvent::StoresChosen { stores: [store("spar")].into() });
    let views = log.views();
    let household = views.households.get(&home()).unwrap();
    assert_eq!((household.name.as_str(), household.stores.len()), ("Home", 1));
    assert_eq!(household.members.values().collect::<Vec<_>>(), [&HouseholdRole::Owner], "its creator owns it");
}
