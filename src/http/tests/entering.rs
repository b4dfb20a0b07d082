//! An acceptance that is cut off between its two steps.

use serde_json::json;

use super::rig::Rig;
use crate::{
    app::entrance,
    people::{Acceptor, DisplayName, Login, NewInvitation, Password},
};

/// Ann, who is not a member (any more), has invited Cleo, who has begun to accept.
async fn begun() -> Rig {
    let rig = Rig::empty();
    rig.done("POST", "/api/v1/households", json!({"id": "home", "name": "Home"})).await;
    let (people, now) = (&rig.app.authority.people, rig.app.clock.now());
    let by = "ann".parse().expect("a principal");
    let new = NewInvitation { household: "home".parse().expect("an id"), role: "guest".into(), lists: vec![], by, expires: None };
    let (secret, _, _) = people.invite(new, now).expect("an invitation");
    let (login, name) = (Login::new("cleo").expect("a login"), DisplayName::new("Cleo").expect("a name"));
    let password = Password::new("correct horse battery", &login, &name).expect("a good password");
    let acceptor = Acceptor::New { who: "cleo".parse().expect("a principal"), login, name, password };
    people.begin_accept(secret.expose(), &acceptor, None, now).expect("the invitation is open");
    rig
}

#[actix_web::test]
async fn an_acceptance_cut_off_after_the_join_is_completed_though_the_inviter_has_left() {
    let rig = begun().await;
    rig.done("POST", "/api/v1/households/home/commands", json!({"op": "join", "member": "cleo", "role": "guest"})).await;
    entrance::recover(&rig.app).await;
    let people = &rig.app.authority.people;
    assert_eq!(people.unfinished(), Ok(Vec::new()));
    let cleo = people.account(&"cleo".parse().expect("a principal")).expect("the account stays");
    assert!(!cleo.pending, "Cleo may sign in");
}

#[actix_web::test]
async fn an_acceptance_cut_off_before_the_join_is_taken_back_when_the_inviter_has_left() {
    let rig = begun().await;
    entrance::recover(&rig.app).await;
    let people = &rig.app.authority.people;
    assert_eq!(people.unfinished(), Ok(Vec::new()));
    assert_eq!(people.account(&"cleo".parse().expect("a principal")), None);
    let home = rig.get("/api/v1/households/home").await.json();
    assert!(!home["members"].to_string().contains("cleo"), "{home}");
}
