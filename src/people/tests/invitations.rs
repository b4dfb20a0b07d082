//! Invitations, their two steps, and two people at once.

use std::sync::Barrier;

use super::*;
use crate::domain::HouseholdId;

fn home() -> HouseholdId {
    "home".parse().expect("an id")
}

fn invite(rig: &Rig) -> (Secret, Secret, Invitation) {
    let lists = vec!["weekly".parse().expect("an id")];
    let new = NewInvitation { household: home(), role: "guest".into(), lists, by: who("ann"), expires: None };
    rig.people.invite(new, NOW).expect("an invitation")
}

fn newcomer(text: &str) -> Acceptor {
    Acceptor::New { who: who(text), login: login(text), name: name(text), password: password(PASSWORD) }
}

fn begin(rig: &Rig, proof: &str, acceptor: &Acceptor) -> Result<Accepting, InvitationError> {
    rig.people.begin_accept(proof, acceptor, Some(ip("10.0.0.1")), NOW)
}

#[test]
fn a_new_person_signs_in_only_after_both_steps() {
    let rig = Rig::new();
    let (secret, _, invitation) = invite(&rig);
    let accepting = begin(&rig, secret.expose(), &newcomer("ben")).expect("it is free");
    assert_eq!((accepting.who.clone(), accepting.invitation.id), (who("ben"), invitation.id));
    assert_eq!(rig.try_from("ben", PASSWORD, "10.0.0.1").err(), Some(SignInError::Wrong));
    assert_eq!(rig.people.unfinished().expect("the store works"), [accepting]);
    rig.people.finish_accept(invitation.id).expect("it has begun");
    assert!(rig.try_from("ben", PASSWORD, "10.0.0.1").is_ok());
    assert_eq!(rig.people.finish_accept(invitation.id), Ok(()), "a repetition changes nothing");
    assert_eq!(rig.people.unfinished(), Ok(Vec::new()));
    assert_eq!(begin(&rig, secret.expose(), &newcomer("cleo")).map_err(|error| error.code()), Err("invitation_used"));
    assert_eq!(rig.people.cancel_accept(invitation.id), Err(InvitationError::Used));
}

#[test]
fn a_code_is_typed_in_any_case_and_with_the_usual_mistakes() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let (_, code, invitation) = invite(&rig);
    let typed = code.expose().to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l");
    let accepting = begin(&rig, &typed, &Acceptor::Known(ann)).expect("it is free");
    assert_eq!(accepting.invitation.id, invitation.id);
    assert_eq!(accepting.invitation.taken_by, Some(who("ann")));
}

#[test]
fn a_cancelled_acceptance_gives_the_invitation_back_and_removes_only_a_new_account() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let (secret, _, invitation) = invite(&rig);
    begin(&rig, secret.expose(), &newcomer("ben")).expect("it is free");
    rig.people.cancel_accept(invitation.id).expect("it has begun");
    assert_eq!(rig.people.account(&who("ben")), None);
    begin(&rig, secret.expose(), &Acceptor::Known(ann.clone())).expect("it is free again");
    rig.people.cancel_accept(invitation.id).expect("it has begun");
    assert!(rig.people.account(&ann).is_some());
    assert_eq!(rig.people.cancel_accept(invitation.id).map_err(|error| error.code()), Err("invitation_not_begun"));
    assert_eq!(rig.people.finish_accept(invitation.id), Err(InvitationError::NotBegun));
    begin(&rig, secret.expose(), &newcomer("ben")).expect("login and principal are free again");
}

#[test]
fn of_many_who_accept_at_once_exactly_one_wins() {
    let rig = Rig::new();
    let (secret, code, _) = invite(&rig);
    let barrier = Barrier::new(8);
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (rig, barrier, proof) = (&rig, &barrier, if number % 2 == 0 { secret.expose() } else { code.expose() });
                scope.spawn(move || {
                    barrier.wait();
                    begin(rig, proof, &newcomer(&format!("ben{number}"))).map_err(|error| error.code())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect::<Vec<_>>()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| matches!(result, Err("invitation_used"))).count(), 7);
    assert_eq!(rig.people.accounts().len(), 1, "the others left no account");
}

#[test]
fn a_crash_between_the_steps_leaves_what_can_be_finished_or_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = Rig::at(folder.path());
    let ((first, _, one), (second, _, two)) = (invite(&rig), invite(&rig));
    begin(&rig, first.expose(), &newcomer("ben")).expect("it is free");
    begin(&rig, second.expose(), &newcomer("cleo")).expect("it is free");
    drop(rig);
    let rig = Rig::at(folder.path());
    assert_eq!(rig.people.unfinished().expect("the store works").len(), 2);
    rig.people.finish_accept(one.id).expect("it has begun");
    rig.people.cancel_accept(two.id).expect("it has begun");
    assert!(rig.try_from("ben", PASSWORD, "10.0.0.1").is_ok());
    assert_eq!(rig.people.accounts().len(), 1);
}

#[test]
fn expired_revoked_unknown_and_foreign_proofs_have_a_code_each() {
    let rig = Rig::new();
    let ann = Acceptor::Known(rig.add("ann", false));
    let (secret, _, invitation) = invite(&rig);
    let late = rig.people.begin_accept(secret.expose(), &ann, None, after_days(7));
    assert_eq!(late.map_err(|error| error.code()), Err("invitation_expired"));
    rig.people.revoke_invitation(&home(), invitation.id).expect("nobody has taken it");
    for proof in [secret.expose(), "AAAAA-AAAAA", "", "AAAAA", "a\0", &"x".repeat(1 << 20), &secret.expose()[..20]] {
        assert_eq!(begin(&rig, proof, &ann).map_err(|error| error.code()), Err("invitation_unknown"));
    }
    let taken = invite(&rig);
    begin(&rig, taken.0.expose(), &ann).expect("it is free");
    assert_eq!(rig.people.revoke_invitation(&home(), taken.2.id), Err(InvitationError::Used));
    assert_eq!(rig.people.invitations(&home()).expect("the store works").len(), 1);
}

#[test]
fn codes_are_throttled_by_address_and_links_are_not() {
    let rig = Rig::new();
    let ann = Acceptor::Known(rig.add("ann", false));
    let (secret, code, _) = invite(&rig);
    let tried = (0..100).filter(|_| begin(&rig, "AAAAA-AAAAA", &ann) == Err(InvitationError::Unknown)).count();
    assert_eq!(tried, 10);
    assert_eq!(begin(&rig, code.expose(), &ann).map_err(|error| error.code()), Err("code_throttled"));
    assert!(rig.people.begin_accept(code.expose(), &ann, Some(ip("10.0.0.2")), NOW).is_ok(), "another address is not affected");
    assert_eq!(begin(&rig, secret.expose(), &ann), Err(InvitationError::Used));
}

#[test]
fn a_taken_login_leaves_the_invitation_free() {
    let rig = Rig::new();
    rig.add("ann", false);
    let (secret, _, _) = invite(&rig);
    assert_eq!(begin(&rig, secret.expose(), &newcomer("ann")).map_err(|error| error.code()), Err("principal_taken"));
    assert!(begin(&rig, secret.expose(), &newcomer("ben")).is_ok());
}

#[test]
fn finished_and_expired_invitations_go_after_a_month_and_begun_ones_stay() {
    let rig = Rig::new();
    let ann = Acceptor::Known(rig.add("ann", false));
    let (begun, _, _) = invite(&rig);
    invite(&rig);
    begin(&rig, begun.expose(), &ann).expect("it is free");
    rig.people.tidy(after_days(38)).expect("the store works");
    assert_eq!(rig.people.invitations(&home()).expect("the store works").len(), 1);
    assert_eq!(rig.people.unfinished().expect("the store works").len(), 1);
}

fn provided(text: &str, subject: &str) -> Acceptor {
    Acceptor::Provided { who: who(text), login: login(text), name: name(text), oidc: identity(subject) }
}

fn identity(subject: &str) -> Oidc {
    Oidc { issuer: "https://id.example".into(), subject: subject.into() }
}

#[test]
fn a_crash_between_the_steps_leaves_account_and_identity_together_to_be_finished_or_cancelled() {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = Rig::at(folder.path());
    let ((first, _, one), (second, _, two)) = (invite(&rig), invite(&rig));
    begin(&rig, first.expose(), &provided("ben", "b")).expect("it is free");
    begin(&rig, second.expose(), &provided("cleo", "c")).expect("it is free");
    drop(rig);
    let rig = Rig::at(folder.path());
    assert!(rig.people.by_oidc(&identity("b")).is_some_and(|account| account.pending && account.who == who("ben")));
    rig.people.finish_accept(one.id).expect("it has begun");
    rig.people.cancel_accept(two.id).expect("it has begun");
    assert!(rig.people.by_oidc(&identity("b")).is_some_and(|account| account.is_active() && !account.has_password));
    assert_eq!(rig.people.by_oidc(&identity("c")), None);
    assert_eq!(rig.people.accounts().len(), 1);
}

#[test]
fn an_identity_that_has_an_account_gets_no_second_one() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    rig.people.link_oidc(&ann, Some(identity("a"))).expect("the identity is free");
    let (secret, _, _) = invite(&rig);
    assert_eq!(begin(&rig, secret.expose(), &provided("ben", "a")).map_err(|error| error.code()), Err("subject_taken"));
    assert!(begin(&rig, secret.expose(), &provided("ben", "b")).is_ok(), "the invitation is free");
}

#[test]
fn the_only_way_in_is_not_unlinked() {
    let rig = Rig::new();
    let (secret, _, invitation) = invite(&rig);
    begin(&rig, secret.expose(), &provided("ben", "b")).expect("it is free");
    rig.people.finish_accept(invitation.id).expect("it has begun");
    assert_eq!(rig.people.link_oidc(&who("ben"), None), Err(PeopleError::LastWayIn));
    rig.people.set_password(&who("ben"), &password(PASSWORD), None, NOW).expect("the store works");
    assert_eq!(rig.people.link_oidc(&who("ben"), None), Ok(()));
    assert_eq!(rig.people.link_oidc(&who("ben"), None), Ok(()), "a repetition changes nothing");
}
