//! Changes of every kind, as fast as the server takes them.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{LISTS, PRODUCTS, Scene};
use crate::support::{Answer, Client, Random};

/// Writes until stopped. What a crash interrupts is forgotten: the log shows its fate.
pub fn write_until_done(scene: &Scene, mut random: Random) {
    let mut client = Client::new(&scene.url());
    let mut number = 0;
    while !scene.done.load(Ordering::Acquire) {
        number += 1;
        match write(&client, number, &mut random) {
            Ok(answer) if answer.status < 500 => drop(answer.ok()),
            _ => client = Client::new(&scene.url()),
        }
    }
}

fn write(client: &Client, number: u64, random: &mut Random) -> Result<Answer, ureq::Error> {
    let list = LISTS[usize::try_from(random.below(LISTS.len() as u64)).unwrap()];
    let product = PRODUCTS[usize::try_from(random.below(PRODUCTS.len() as u64)).unwrap()];
    let name = format!("{number} {}", random.below(1_000_000));
    match random.below(10) {
        0..=4 => send(client, "PATCH", &format!("/api/v1/lists/{list}"), &json!({ "name": name })),
        5 | 6 => {
            let checked = random.below(2) == 0;
            send(client, "PATCH", &format!("/api/v1/lists/{list}/items/{product}"), &json!({ "checked": checked }))
        }
        7 | 8 => price(client, product, &format!("{}.{:02}", 2 + random.below(3), random.below(100))),
        _ => send(client, "PATCH", &format!("/api/v1/products/{product}"), &json!({ "name": name })),
    }
}

/// A price of now.
pub fn price(client: &Client, product: &str, amount: &str) -> Result<Answer, ureq::Error> {
    let price = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" } });
    send(client, "POST", &format!("/api/v1/products/{product}/prices"), &price)
}

fn send(client: &Client, method: &str, path: &str, body: &serde_json::Value) -> Result<Answer, ureq::Error> {
    client.send(method, path, &[], Some(body.to_string()))
}
