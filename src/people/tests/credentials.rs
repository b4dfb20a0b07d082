//! Sessions, tokens and links.

use proptest::prelude::*;

use super::{super::sessions::SESSIONS_MAX, *};

#[test]
fn a_truncated_foreign_or_endless_text_is_unknown() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let (secret, _) = rig.session(&ann);
    let text = secret.expose();
    let code = |text: &str| rig.people.check(text, NOW).err().map(CredentialError::code);
    assert_eq!(code(text), None);
    let foreign = text.replace("aisled_s_", "aisled_t_");
    for other in ["", &text[..text.len() - 1], &foreign, &format!("{text}x"), &"x".repeat(1 << 20), "aisled_s_\0", &text.replace('_', " ")]
    {
        assert_eq!(code(other), Some("credential_unknown"));
    }
}

#[test]
fn a_session_ends_when_it_rests_or_is_too_old_and_a_clock_that_comes_back_revives_it() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let (secret, _) = rig.session(&ann);
    let check = |days| rig.people.check(secret.expose(), after_days(days)).map(|_| ());
    assert_eq!(check(30), Err(CredentialError::Expired));
    for day in (0..180).step_by(20) {
        assert_eq!(check(day), Ok(()), "day {day}");
    }
    assert_eq!(check(180), Err(CredentialError::Expired));
    rig.people.tidy(after_days(181)).expect("the store works");
    assert_eq!(check(165), Ok(()), "what ended lately is kept");
    rig.people.tidy(after_days(211)).expect("the store works");
    assert_eq!(check(165), Err(CredentialError::Unknown));
}

#[test]
fn a_session_is_listed_with_its_device_and_ended_alone() {
    let rig = Rig::new();
    let (ann, ben) = (rig.add("ann", false), rig.add("ben", false));
    let new = NewSession { device: " Ann's\u{202e}\0 phone ", address: Some(ip("10.0.0.1")) };
    let (secret, session) = rig.people.create_session(&ann, new, None, NOW).expect("a session");
    let (kept, _) = rig.session(&ann);
    assert_eq!((session.device.as_str(), session.address.as_deref()), ("Ann's phone", Some("10.0.0.1")));
    rig.people.check(secret.expose(), after_days(1)).expect("it is in force");
    let listed = rig.people.sessions(&ann).expect("the store works");
    assert_eq!(listed.iter().find(|other| other.id == session.id).map(|found| found.last_seen), Some(after_days(1)));
    assert_eq!(rig.people.end_session(&ben, session.id), Err(PeopleError::UnknownCredential), "nobody ends another's");
    let told = rig.told();
    rig.people.end_session(&ann, session.id).expect("it is there");
    assert_eq!(*told.lock(), [Ended::Credential(session.id)]);
    assert!(rig.people.check(secret.expose(), NOW).is_err() && rig.people.check(kept.expose(), NOW).is_ok());
    rig.people.end_sessions(&ann, None).expect("the store works");
    assert!(rig.people.check(kept.expose(), NOW).is_err());
}

#[test]
fn the_session_before_ends_at_a_sign_in_even_if_it_was_another_persons() {
    let rig = Rig::new();
    let (ann, ben) = (rig.add("ann", false), rig.add("ben", false));
    let (old, _) = rig.session(&ben);
    let (new, _) = rig.people.create_session(&ann, NewSession::default(), Some(old.expose()), NOW).expect("a session");
    assert_eq!(rig.people.check(old.expose(), NOW).err(), Some(CredentialError::Unknown));
    assert!(rig.people.check(new.expose(), NOW).is_ok());
    assert!(rig.people.create_session(&ann, NewSession::default(), Some("no secret at all"), NOW).is_ok());
}

#[test]
fn one_session_too_many_ends_the_one_used_the_longest_ago() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let secrets: Vec<_> = (0..SESSIONS_MAX).map(|_| rig.session(&ann).0).collect();
    secrets[1..].iter().for_each(|secret| drop(rig.people.check(secret.expose(), after_days(1))));
    rig.session(&ann);
    assert!(rig.people.check(secrets[0].expose(), NOW).is_err());
    assert!(secrets[1..].iter().all(|secret| rig.people.check(secret.expose(), NOW).is_ok()));
}

#[test]
fn a_token_has_scopes_an_end_and_a_last_use() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let scopes = Scopes::NONE.with(Scope::Read).with(Scope::Write);
    let new = |scopes, expires| NewToken { name: name("script"), scopes, expires };
    let create = |new| rig.people.create_token(&ann, new, NOW);
    assert_eq!(create(new(Scopes::NONE, None)).err().map(|error| error.code()), Some("scopes_empty"));
    assert_eq!(create(new(scopes, Some(NOW))).err().map(|error| error.code()), Some("expiry_invalid"));
    let (secret, token) = create(new(scopes, Some(after_days(2)))).expect("a token");
    let credential = rig.people.check(secret.expose(), after_days(1)).expect("it is in force");
    assert_eq!(credential.grants, Grants::Token { who: ann.clone(), scopes });
    assert_eq!((credential.id, credential.until), (token.id, Some(after_days(2))));
    assert_eq!(rig.people.tokens(&ann).expect("the store works")[0].last_used, Some(after_days(1)));
    assert_eq!(rig.people.check(secret.expose(), after_days(2)).err(), Some(CredentialError::Expired));
    rig.people.revoke_token(&ann, token.id).expect("it is there");
    assert_eq!(rig.people.check(secret.expose(), NOW).err(), Some(CredentialError::Unknown));
    assert_eq!(rig.people.revoke_token(&ann, token.id).map_err(|error| error.code()), Err("credential_not_found"));
}

#[test]
fn a_link_opens_its_list_for_a_week_unless_another_end_is_given() {
    let rig = Rig::new();
    let (list, other) = ("weekly".parse().expect("an id"), "week".parse().expect("an id"));
    let ann = who("ann");
    let (secret, link) = rig.people.create_link(&list, &ann, None, NOW).expect("a link");
    rig.people.create_link(&other, &ann, Some(after_days(365)), NOW).expect("a year is allowed");
    for end in [after_days(366), NOW, after_days(-1)] {
        assert_eq!(rig.people.create_link(&list, &ann, Some(end), NOW).err().map(|error| error.code()), Some("expiry_invalid"));
    }
    assert_eq!(link.expires, after_days(7));
    let opened = rig.people.check(secret.expose(), after_days(6)).expect("it is in force");
    assert!(matches!(&opened.grants, Grants::Link { list: opens, .. } if *opens == list));
    assert_eq!(rig.people.check(secret.expose(), after_days(7)).err(), Some(CredentialError::Expired));
    assert_eq!(rig.people.links(&list).expect("the store works"), std::slice::from_ref(&link));
    rig.people.revoke_link(&list, link.id).expect("it is there");
    rig.people.revoke_links(&other).expect("the store works");
    assert_eq!(rig.people.links(&other), Ok(Vec::new()));
    assert_eq!(rig.people.check(secret.expose(), NOW).err(), Some(CredentialError::Unknown));
}

#[test]
fn a_last_use_is_written_at_most_once_an_hour_and_at_the_close() {
    let folder = tempfile::tempdir().expect("a folder");
    let minutes = |minutes: i64| Moment(NOW.0 + minutes * 60_000_000);
    let last_seen = |rig: &Rig| rig.people.sessions(&who("ann")).expect("the store works")[0].last_seen;
    let rig = Rig::at(folder.path());
    let (secret, _) = rig.session(&rig.add("ann", false));
    rig.people.check(secret.expose(), minutes(59)).expect("it is in force");
    rig.people.tidy(minutes(59)).expect("the store works");
    assert_eq!(last_seen(&rig), minutes(59), "memory knows it exactly");
    drop(rig);
    let rig = Rig::at(folder.path());
    assert_eq!(last_seen(&rig), NOW, "the disk knows the hour");
    rig.people.check(secret.expose(), minutes(61)).expect("it is in force");
    rig.people.tidy(minutes(61)).expect("the store works");
    rig.people.check(secret.expose(), minutes(62)).expect("it is in force");
    drop(rig);
    let rig = Rig::at(folder.path());
    assert_eq!(last_seen(&rig), minutes(61));
    rig.people.check(secret.expose(), minutes(62)).expect("it is in force");
    rig.people.close(minutes(62)).expect("the store works");
    drop(rig);
    assert_eq!(last_seen(&Rig::at(folder.path())), minutes(62));
}

proptest! {
    #[test]
    fn scopes_are_a_set_with_one_text(scopes in prop::collection::vec(prop::sample::select(Scope::ALL.to_vec()), 0..6)) {
        let set = scopes.iter().fold(Scopes::NONE, |set, scope| set.with(*scope));
        prop_assert!(Scope::ALL.into_iter().all(|scope| set.has(scope) == scopes.contains(&scope)));
        prop_assert_eq!(set.to_string().parse::<Scopes>(), Ok(set));
        prop_assert!(set.with(Scope::Read).covers(set) && set.covers(Scopes::NONE));
        prop_assert_eq!(set.is_empty(), scopes.is_empty());
    }

    #[test]
    fn no_text_but_the_secret_is_accepted(text in ".{0,80}", at in 9_usize..52, letter in "[A-Za-z0-9_-]") {
        let rig = Rig::new();
        let (secret, _) = rig.session(&rig.add("ann", false));
        prop_assert!(rig.people.check(&text, NOW).is_err());
        let mut changed = secret.expose().to_owned();
        changed.replace_range(at..=at, &letter);
        prop_assert_eq!(rig.people.check(&changed, NOW).is_ok(), changed == secret.expose());
    }
}
