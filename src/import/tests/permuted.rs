//! Any permutation of a source's rows ends in the same views. Deals are compared by the tests of their projection.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    domain::{HouseholdId, OrderId, ProductId},
    projections::{HistoryQuery, Views},
};

/// Rows as they were drawn, and the same in another order.
fn both(rows: impl Strategy<Value = Vec<String>>) -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    rows.prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

fn product_rows() -> impl Strategy<Value = Vec<String>> {
    let row =
        (prop::sample::select(vec!["x", "y"]), 1..4_u8, "[ab]{0,1}", prop::option::of(1..3_u8)).prop_map(|(store, number, name, size)| {
            format!("{store},{number},{name},{}\n", size.map_or_else(String::new, |size| size.to_string()))
        });
    prop::collection::vec(row, 0..10)
}

fn price_rows() -> impl Strategy<Value = Vec<String>> {
    let row = (prop::sample::select(vec!["x", "y", "z"]), 1..4_u8, 1..6_u8, 0..4_u8)
        .prop_map(|(store, number, day, euro)| format!("2024-01-0{day},{store},{number},{euro}.50\n"));
    prop::collection::vec(row, 0..25)
}

fn bought_rows() -> impl Strategy<Value = Vec<String>> {
    let row = (1..4_u8, prop::sample::select(vec![1_u8, 1, 1, 2]), 1..4_u8, -1..3_i8, 0..3_u8).prop_map(
        |(basket, household, product, count, cents)| {
            format!("{household},8,{basket},{product},{count},0.{cents}0,2017-01-0{basket}T11:53:26Z\n")
        },
    );
    prop::collection::vec(row, 0..20)
}

/// Everything that the views say of products, prices and orders, without positions: rows in another order have other ones.
fn shown(log: &Arc<dyn Log>) -> Vec<String> {
    let mut views = Views::default();
    log.read(Position::START, 100_000).unwrap().iter().for_each(|recorded| views.absorb(recorded));
    let known = views.now();
    let mut shown = Vec::new();
    for product in known.products(None, 1_000) {
        shown.push(format!("{product:?}"));
    }
    let ids = ["x", "y", "z"].into_iter().flat_map(|store| (1..4).map(move |number| format!("heissepreise:{store}:{number}")));
    for id in ids.chain((1..4).map(|number| format!("complete-journey:{number}"))) {
        let id = ProductId::new(&id).unwrap();
        let history = known.price_history(&id, &HistoryQuery { limit: 1_000, ..HistoryQuery::default() });
        shown.push(format!("{id}: {}", unplaced(serde_json::to_value(history).unwrap())));
        let best = known.best_prices(&id, "2024-02-01".parse().unwrap(), true);
        shown.push(format!("{id}: {}", unplaced(serde_json::to_value(best).unwrap())));
    }
    for number in 1..4 {
        let order = views.order(&OrderId::new(&format!("complete-journey:{number}")).unwrap());
        shown.push(format!("{number}: {}", unplaced(serde_json::to_value(order).unwrap())));
        let household = HouseholdId::new(&format!("complete-journey:{number}")).unwrap();
        shown.push(format!("{number}: {:?}", views.spend(&household, None, None)));
    }
    shown.sort();
    shown
}

fn unplaced(mut value: Value) -> Value {
    match &mut value {
        Value::Array(all) => all.iter_mut().for_each(|one| *one = unplaced(one.take())),
        Value::Object(fields) => {
            for name in ["position", "updated"] {
                fields.remove(name);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

fn imported(source: SourceName, files: &[(&str, &str)]) -> (Arc<dyn Log>, Summary) {
    let log = empty_log();
    let (summary, _) = import(source, folder(files).path(), &log);
    (log, summary)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn products_and_prices_do_not_depend_on_the_order_of_rows(products in both(product_rows()), prices in both(price_rows())) {
        let import = |products: &[String], prices: &[String]| {
            imported(SourceName::Heissepreise, &[
                ("stores.csv", "store,currency\nx,EUR\ny,EUR\n"),
                ("products.csv", &format!("store,product_id,name,quantity\n{}", products.concat())),
                ("prices.csv", &format!("date,store,product_id,price_eur\n{}", prices.concat())),
            ])
        };
        let (one, said) = import(&products.0, &prices.0);
        let (other, says) = import(&products.1, &prices.1);
        prop_assert_eq!(said.refused_by_reason, says.refused_by_reason);
        prop_assert_eq!(shown(&one), shown(&other));
    }

    #[test]
    fn orders_do_not_depend_on_the_order_of_rows(rows in both(bought_rows())) {
        let import = |rows: &[String]| {
            let header = "household_id,store_id,basket_id,product_id,quantity,sales_value,transaction_timestamp\n";
            imported(SourceName::CompleteJourney, &[
                ("products.csv", "product_id,product_type\n1,MILK\n2,BREAD\n"),
                ("transactions.csv", &format!("{header}{}", rows.concat())),
            ])
        };
        let (one, said) = import(&rows.0);
        let (other, says) = import(&rows.1);
        prop_assert_eq!(said.refused_by_reason, says.refused_by_reason);
        prop_assert_eq!(shown(&one), shown(&other));
    }
}
