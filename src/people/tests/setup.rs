//! The first account.

use std::sync::Barrier;

use super::*;

fn first(text: &str) -> FirstAccount {
    FirstAccount { login: login(text), name: name(text), password: password(PASSWORD) }
}

fn try_with(rig: &Rig, setup: &Setup, proof: &str) -> Result<Account, &'static str> {
    setup.set_up(&rig.people, proof, first("ann"), Some(ip("10.0.0.1")), NOW).map_err(|error| error.code())
}

#[test]
fn link_and_code_create_the_first_admin_once() {
    for by_code in [true, false] {
        let rig = Rig::new();
        let (setup, keys) = Setup::new();
        assert!(!rig.people.is_set_up());
        let proof = if by_code { keys.code.expose().to_lowercase() } else { keys.link.expose().to_owned() };
        let account = try_with(&rig, &setup, &proof).expect("the proof is right");
        assert_eq!((account.who.as_str(), account.admin), ("local", true));
        assert!(rig.people.is_set_up());
        assert_eq!(try_with(&rig, &setup, keys.link.expose()), Err("setup_done"));
        assert!(rig.try_from("ann", PASSWORD, "10.0.0.1").is_ok());
    }
}

#[test]
fn after_ten_wrong_codes_only_the_link_works() {
    let rig = Rig::new();
    let (setup, keys) = Setup::new();
    for _ in 0..10 {
        assert_eq!(try_with(&rig, &setup, "00000-00000"), Err("setup_wrong"));
    }
    assert_eq!(try_with(&rig, &setup, keys.code.expose()), Err("code_throttled"));
    rig.pass(3_600);
    assert_eq!(try_with(&rig, &setup, keys.code.expose()), Err("setup_code_spent"));
    assert!(try_with(&rig, &setup, keys.link.expose()).is_ok());
}

#[test]
fn a_wrong_link_or_any_other_text_is_wrong() {
    let rig = Rig::new();
    let ((setup, keys), (_, foreign)) = (Setup::new(), Setup::new());
    let link = keys.link.expose();
    for proof in [foreign.link.expose(), &link[..link.len() - 1], "", "\0", &"x".repeat(1 << 20)] {
        assert_eq!(try_with(&rig, &setup, proof), Err("setup_wrong"));
    }
}

#[test]
fn of_many_at_once_exactly_one_is_the_first() {
    let rig = Rig::new();
    let (setup, keys) = Setup::new();
    let barrier = Barrier::new(6);
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|number| {
                let (rig, setup, keys, barrier) = (&rig, &setup, &keys, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    setup.set_up(&rig.people, keys.link.expose(), first(&format!("ann{number}")), None, NOW).is_ok()
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|won| *won).count()
    });
    assert_eq!((won, rig.people.accounts().len()), (1, 1));
}

#[test]
fn a_first_account_that_nobody_can_sign_in_to_is_given_a_password() {
    let rig = Rig::new();
    rig.people.add(&NewAccount { password: None, ..new("local", false) }, NOW).expect("the login is free");
    let (setup, keys) = Setup::new();
    assert_eq!(try_with(&rig, &setup, keys.link.expose()).map(|account| account.login), Ok(login("ann")));
    assert_eq!(rig.people.by_login(&login("local")), None);
}
