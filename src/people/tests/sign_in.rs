//! Sign-in, and what an attacker's attempts do to others.

use super::*;

#[test]
fn unknown_wrong_and_disabled_are_one_error() {
    let rig = Rig::new();
    rig.add("ann", false);
    let ben = rig.add("ben", false);
    rig.people.disable(&ben).expect("the account is there");
    let long = "x".repeat(1 << 20);
    let tries =
        [("ann", "wrong horse"), ("nobody", PASSWORD), ("ben", PASSWORD), ("a b\0", PASSWORD), ("ann", &long), (&long, "x"), ("ann", "")];
    for (login, password) in tries {
        assert_eq!(rig.try_from(login, password, "10.0.0.1").err().map(|error| error.code()), Some("sign_in_wrong"));
    }
    let (secret, session) = rig.try_from("ANN", PASSWORD, "10.0.0.1").expect("this is right");
    assert_eq!(session.who, who("ann"));
    assert!(rig.people.check(secret.expose(), NOW).is_ok());
}

#[test]
fn an_account_without_a_password_is_not_signed_in_to_with_one() {
    let rig = Rig::new();
    rig.people.add(&NewAccount { password: None, ..new("ann", true) }, NOW).expect("the login is free");
    assert_eq!(rig.try_from("ann", "", "10.0.0.1").err(), Some(SignInError::Wrong));
    assert_eq!(rig.try_from("ann", PASSWORD, "10.0.0.1").err(), Some(SignInError::Wrong));
    assert!(!rig.people.is_set_up());
}

#[test]
fn a_hash_of_another_cost_is_made_again_at_the_next_right_sign_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let stored = |rig: &Rig| rig.people.inner.memory.read().accounts[&who("ann")].password.clone();
    let rig = Rig::at(folder.path());
    rig.add("ann", false);
    let before = stored(&rig);
    drop(rig);
    let rig = Rig::with(|options| People::open_with(folder.path(), Options { cost: Cost { passes: 2, ..cheap() }, ..options }));
    assert!(rig.try_from("ann", "wrong horse", "10.0.0.1").is_err());
    assert_eq!(stored(&rig), before);
    rig.try_from("ann", PASSWORD, "10.0.0.1").expect("this is right");
    let renewed = stored(&rig);
    assert_ne!(renewed, before);
    rig.try_from("ann", PASSWORD, "10.0.0.1").expect("this is right");
    assert_eq!(stored(&rig), renewed, "the new one stays");
}

#[test]
fn after_five_tries_one_waits_and_a_throttled_try_costs_no_hash() {
    let rig = Rig::new();
    rig.add("ann", false);
    for _ in 0..5 {
        assert_eq!(rig.try_from("ann", "wrong horse", "10.0.0.1").err(), Some(SignInError::Wrong));
    }
    // While both places are taken, a hash would wait: this answers at once.
    let both = [rig.people.inner.hasher.occupy(), rig.people.inner.hasher.occupy()];
    let Err(SignInError::Throttled { retry_after }) = rig.try_from("ann", PASSWORD, "10.0.0.1") else { panic!("the sixth must wait") };
    assert!(retry_after <= Duration::from_secs(30) && retry_after > Duration::from_secs(25), "{retry_after:?}");
    drop(both);
    rig.pass(30);
    assert!(rig.try_from("ann", PASSWORD, "10.0.0.1").is_ok());
}

#[test]
fn ten_thousand_attempts_of_an_attacker_leave_others_and_the_owner_alone() {
    let rig = Rig::new();
    rig.add("ann", false);
    rig.add("ben", false);
    rig.try_from("ann", PASSWORD, "192.0.2.1").expect("the owner signs in at home");
    let mut hashed = 0;
    for number in 0..10_000 {
        let address = format!("10.{}.{}.1", number % 250, number / 250 % 40);
        hashed += usize::from(rig.try_from("ann", "wrong horse", &address).err() == Some(SignInError::Wrong));
    }
    assert!((99..=101).contains(&hashed), "{hashed} of them cost a hash");
    assert!(rig.try_from("ben", PASSWORD, "192.0.2.7").is_ok(), "another account is not affected");
    assert!(rig.try_from("ann", PASSWORD, "192.0.2.1").is_ok(), "the owner comes in from where she was before");
    let stranger = rig.try_from("ann", PASSWORD, "192.0.2.9").err();
    assert!(matches!(stranger, Some(SignInError::Throttled { .. })), "a new address waits");
    rig.pass(40);
    assert!(rig.try_from("ann", PASSWORD, "192.0.2.9").is_ok(), "and not for long");
}

#[test]
fn one_address_that_tries_many_logins_is_slowed_down() {
    let rig = Rig::new();
    rig.add("ann", false);
    let tried = (0..10_000).filter(|number| rig.try_from(&format!("u{number}"), PASSWORD, "10.0.0.1").err() == Some(SignInError::Wrong));
    assert_eq!(tried.count(), 30);
    assert!(rig.try_from("ann", PASSWORD, "10.0.0.2").is_ok());
}

#[test]
fn an_address_is_known_for_thirty_days() {
    let rig = Rig::new();
    rig.add("ann", false);
    rig.try_from("ann", PASSWORD, "192.0.2.1").expect("the owner signs in at home");
    (0..200).for_each(|number| drop(rig.try_from("ann", "wrong horse", &format!("10.0.{number}.1"))));
    let at = |days, address: &str| {
        let attempt = Attempt { login: "ann", password: PASSWORD, address: Some(ip(address)), device: "", rotate: None };
        rig.people.sign_in(attempt, after_days(days)).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(at(30, "192.0.2.1"), Err("sign_in_throttled"));
    assert_eq!(at(29, "192.0.2.1"), Ok(()));
}

#[test]
fn when_too_many_wait_for_a_hash_the_next_is_refused() {
    let error = SignInError::from(PeopleError::Busy);
    assert_eq!((error.code(), PeopleError::Busy.code()), ("sign_in_busy", "sign_in_busy"));
}
