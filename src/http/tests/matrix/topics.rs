//! Every kind of topic, as everybody, of the own and of a foreign household; and as the holder of a link.

use super::{
    people::Person,
    things::{Side, Things},
    world::World,
};
use crate::{
    domain::{
        HouseholdId, ListId, Principal, ProductId, StoreId,
        rights::{Action, Power, Standing, Verdict},
    },
    live::Topic,
    people::Identity,
};

/// What following a topic takes. A new kind of topic belongs into `topics`, too.
fn takes(topic: &Topic) -> Action {
    match topic {
        Topic::List(_) => Action::SeeList,
        Topic::Household(_) => Action::SeeHousehold,
        Topic::Orders(_) => Action::SeeSpending,
        Topic::Product(_) | Topic::Deals(_) => Action::SeeCatalog,
        Topic::System => Action::RunServer,
    }
}

fn topics(things: &Things) -> [Topic; 6] {
    let household = || HouseholdId::new(&things.household()).expect("an id");
    [
        Topic::List(ListId::new(&things.id("list")).expect("an id")),
        Topic::Household(household()),
        Topic::Orders(household()),
        Topic::Product(ProductId::new("p").expect("an id")),
        Topic::Deals(StoreId::new("s").expect("an id")),
        Topic::System,
    ]
}

fn identity(who: Person) -> Identity {
    match who {
        Person::Admin => Identity::owner(),
        Person::Nobody => Identity::nobody(),
        Person::Owner | Person::Adult | Person::Child | Person::Viewer | Person::Guest | Person::Stranger => {
            Identity::account(Principal::new(who.name()).expect("an id"))
        }
    }
}

#[actix_web::test]
async fn everybody_follows_exactly_the_topics_that_the_permission_table_says() {
    let mut world = World::new().await;
    for side in Side::BOTH {
        let things = world.furnish(side).await;
        for (topic, missing) in topics(&things).into_iter().zip(topics(&things.missing())) {
            for who in Person::ALL {
                let follows = |topic| world.rig.app.hub.rights().may_follow(&identity(who), topic);
                let allowed = who.standing(takes(&topic), side).may(takes(&topic)) == Verdict::Allowed;
                assert_eq!(follows(&topic), allowed, "{who:?} {topic}");
                let is_of_people = takes(&topic).permission().subject.seen_by().is_some();
                assert!(!is_of_people || who == Person::Admin || !follows(&missing), "{who:?} {missing}");
            }
        }
    }
}

#[actix_web::test]
async fn a_link_follows_its_list_and_what_the_server_shares() {
    let mut world = World::new().await;
    let (linked, other) = (world.furnish(Side::Hidden).await, world.furnish(Side::Hidden).await);
    let list = ListId::new(&linked.id("list")).expect("an id");
    let link = Identity { power: Power::Link(list), writes: false, ..Identity::nobody() };
    for things in [&linked, &other] {
        for topic in topics(things) {
            let standing = match &topic {
                Topic::List(list) if *list.as_str() == linked.id("list") => Standing::Link,
                Topic::List(_) | Topic::Household(_) | Topic::Orders(_) => Standing::Stranger,
                Topic::Product(_) | Topic::Deals(_) | Topic::System => Standing::Link,
            };
            let allowed = standing.may(takes(&topic)) == Verdict::Allowed;
            assert_eq!(world.rig.app.hub.rights().may_follow(&link, &topic), allowed, "{topic}");
        }
    }
}
