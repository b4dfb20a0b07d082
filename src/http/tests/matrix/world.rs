//! A server with two households, and what is made on it for a test.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::{
    people::Person,
    things::{Side, Things},
};
use crate::{
    events::Position,
    http::tests::rig::{Answer, Line, Rig, method_of, price},
};

/// The server.
pub struct World {
    pub rig: Rig,
    pub line: Line,
    made: usize,
}

impl World {
    /// Anna's household with a member of each role, and Eve's.
    pub async fn new() -> Self {
        let rig = Rig::furnished().await;
        let world = Self { line: rig.line().await, rig, made: 0 };
        for side in Side::BOTH {
            let (id, owner) = (format!("{}-house", side.prefix()), side.owner());
            world.done(owner, "POST", "/api/v1/households", json!({"id": id, "name": format!("{id} at home")})).await;
        }
        for (member, role) in Person::MEMBERS {
            let join = json!({"op": "join", "member": member.name(), "role": role});
            world.done(Person::Admin, "POST", "/api/v1/households/hid-house/commands", join).await;
        }
        world
    }

    pub async fn ask(&self, who: Person, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = who.asks(method_of(method), path);
        self.line.send(if let Some(body) = body { request.set_json(body) } else { request }).await
    }

    pub async fn get(&self, who: Person, path: &str) -> Answer {
        self.line.send(who.asks(Method::GET, path)).await
    }

    /// A write that must succeed.
    pub async fn done(&self, who: Person, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(who, method, path, Some(body)).await;
        assert!(answer.status.is_success(), "{who:?} {path}: {:?}", answer.body);
        answer.json()
    }

    /// New things of a household: a list with an item and a ticked one, an order, a member; and a product and a store.
    pub async fn furnish(&mut self, side: Side) -> Things {
        self.made += 1;
        let mut things = Things::planned(side, self.made);
        self.make_shared(&things).await;
        let owner = side.owner();
        let (list, path) = (things.id("list"), format!("/api/v1/lists/{}", things.id("list")));
        let of = json!({"id": list, "name": format!("{list} name"), "household": things.household(), "store": "s"});
        self.done(owner, "POST", "/api/v1/lists", of).await;
        for (kind, product) in [("item", Some("p")), ("tick", None)] {
            let item = json!({"id": things.id(kind), "name": things.id(kind), "note": format!("{list} note"), "product": product});
            self.done(owner, "POST", &format!("{path}/items"), item).await;
        }
        let check = json!({"op": "check", "item": things.id("tick"), "command_id": things.id("command")});
        let checked = self.done(owner, "POST", &format!("{path}/commands"), check).await;
        things.position = checked["position"].as_str().and_then(|text| text.parse().ok()).expect("a position");
        if side == Side::Hidden {
            self.done(owner, "POST", &format!("{path}/members"), json!({"member": Person::Guest.name(), "role": "editor"})).await;
        }
        self.done(owner, "POST", "/api/v1/orders", order(&things)).await;
        self.members(&things, Person::Admin, json!({"op": "join", "member": things.id("mate"), "role": "child"})).await;
        things.now = self.caught_up().await;
        things
    }

    /// Makes room in the household again.
    pub async fn tidy(&self, side: Side, things: &Things) {
        self.members(things, side.owner(), json!({"op": "leave", "member": things.id("mate")})).await;
    }

    async fn members(&self, things: &Things, owner: Person, command: Value) {
        let path = format!("/api/v1/households/{}/commands", things.household());
        self.ask(owner, "POST", &path, Some(command)).await;
    }

    async fn make_shared(&self, things: &Things) {
        let product = json!({"id": things.fill("$product"), "name": "Tea"});
        self.done(Person::Admin, "POST", "/api/v1/products", product).await;
        self.done(Person::Admin, "POST", &things.fill("/api/v1/products/$product/prices"), price("2.00", "EUR")).await;
        let offer = json!({"op": "announce_offer", "offer": "leaflet", "store": "s", "terms": {"percent_off": {"percent": 10}},
            "valid_from": "2026-01-01", "valid_until": null, "member_only": false, "source": "leaflet"});
        self.done(Person::Admin, "POST", &things.fill("/api/v1/products/$product/commands"), offer).await;
        let store = json!({"id": things.fill("$store"), "name": "Shop", "currency": "EUR"});
        self.done(Person::Admin, "POST", "/api/v1/stores", store).await;
    }

    /// Waits until the views show everything; returns the newest position.
    pub async fn caught_up(&self) -> Position {
        let head = self.rig.app.log.head();
        let mut applied = self.rig.app.applied.clone();
        applied.wait_for(|position| *position >= head).await.expect("the projector works");
        head
    }
}

fn order(things: &Things) -> Value {
    let line = json!({"line": 1, "name": things.id("line"), "quantity": {"amount": "2", "unit": "each"},
        "charged": {"amount": "91.37", "currency": "EUR"}});
    json!({"id": things.id("order"), "household": things.household(), "list": things.id("list"), "store": "s",
        "placed_at": "2026-01-01", "lines": [line], "source": things.id("source")})
}
