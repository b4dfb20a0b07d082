//! Invitations: once, to one person, as the inviter still may.

use std::{
    sync::{Arc, Barrier},
    thread,
};

use serde_json::json;

use crate::{
    browser::{Browser, PASSWORD},
    family::Family,
};

#[test]
fn an_invitation_lets_one_person_in_however_many_try_at_once() {
    let Family { app, anna, .. } = Family::start();
    let invited = anna.post("/api/v1/households/home/invitations", &json!({ "role": "adult" })).expect(201);
    let link = invited.body["link"].as_str().unwrap().split('#').nth(1).unwrap().to_owned();
    let start = Arc::new(Barrier::new(4));
    let tries: Vec<_> = (0..4)
        .map(|number| {
            let (client, link, start) = (app.client().clone(), link.clone(), Arc::clone(&start));
            thread::spawn(move || {
                let login = format!("person{number}");
                let body = json!({ "invitation": link, "login": login, "name": login, "password": PASSWORD });
                start.wait();
                client.post("/api/v1/invitations/accept", &body)
            })
        })
        .collect();
    let mut answers: Vec<_> =
        tries.into_iter().map(|one| one.join().unwrap()).map(|answer| (answer.status, answer.code().to_owned())).collect();
    answers.sort();
    assert_eq!(answers[0], (201, String::new()));
    assert!(answers[1..].iter().all(|answer| *answer == (410, "invitation_used".to_owned())), "{answers:?}");
    let members = anna.get("/api/v1/households/home").expect(200).body["members"].as_array().unwrap().len();
    assert_eq!(members, 4, "Anna, Ben, Gus and one more");
    let users = anna.get("/api/v1/users").expect(200).body["users"].as_array().unwrap().len();
    assert_eq!(users, 5, "those who came too late have no account");
}

#[test]
fn an_invitation_that_is_used_revoked_wrong_or_of_somebody_who_left_opens_nothing() {
    let Family { app, anna, ben, .. } = Family::start();
    let invite = |by: &Browser| by.post("/api/v1/households/home/invitations", &json!({ "role": "adult" })).expect(201).body;
    let revoked = invite(&anna);
    let id = revoked["id"].as_str().unwrap();
    anna.delete(&format!("/api/v1/households/home/invitations/{id}")).expect(204);
    let browser = Browser::of(&app);
    let tell = |invitation: &str| (browser.accept(invitation, "newcomer")).code().to_owned();
    assert_eq!(tell(revoked["code"].as_str().unwrap()), "invitation_unknown");
    assert_eq!(tell("aisled_i_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "invitation_unknown");
    assert_eq!(tell("aisled_i_"), "invitation_unknown");
    let cleo = Browser::invited(&app, &anna, "home", "cleo", &json!({ "role": "owner" }));
    let late = invite(&cleo);
    anna.post("/api/v1/households/home/commands", &json!({ "op": "change_role", "member": "cleo", "role": "viewer" })).expect(200);
    let link = late["link"].as_str().unwrap().split('#').nth(1).unwrap();
    assert_eq!(tell(link), "not_permitted", "an invitation is worth what its maker may do when it is accepted");
    assert_eq!(anna.get("/api/v1/users").expect(200).body["users"].as_array().unwrap().len(), 5, "no account is left behind");
    let listed = anna.get("/api/v1/households/home/invitations").expect(200);
    assert!(!listed.text.contains("aisled_i_"), "an invitation is shown once");
    assert_eq!(ben.get("/api/v1/households/home/invitations").expect(403).code(), "not_permitted");
}

#[test]
fn somebody_with_an_account_joins_with_it_and_a_taken_name_is_not_taken_over() {
    let Family { app, anna, eve, .. } = Family::start();
    let invited = anna.post("/api/v1/households/home/invitations", &json!({ "role": "viewer" })).expect(201);
    let accept = json!({ "invitation": invited.body["code"] });
    eve.post("/api/v1/invitations/accept", &accept).expect(204);
    let session = eve.get("/api/v1/session").expect(200).body;
    assert_eq!(session["households"], json!({ "home": "viewer", "next-door": "owner" }));
    let again = anna.post("/api/v1/households/home/invitations", &json!({ "role": "adult" })).expect(201);
    let member = eve.post("/api/v1/invitations/accept", &json!({ "invitation": again.body["code"] }));
    assert_eq!((member.status, member.code()), (409, "member_exists"), "{}", member.text);
    // Mia is a member under her name, without an account: choosing that login does not make anybody her.
    let join = json!({ "op": "join", "member": "mia", "role": "owner" });
    anna.post("/api/v1/households/home/commands", &join).expect(200);
    let stranger = Browser::invited(&app, &eve, "next-door", "mia", &json!({ "role": "child" }));
    let session = stranger.get("/api/v1/session").expect(200).body;
    assert_eq!((&session["who"], &session["households"]), (&json!("mia-2"), &json!({ "next-door": "child" })));
}
