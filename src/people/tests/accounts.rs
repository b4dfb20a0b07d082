//! Accounts, and the texts that people enter for them.

use super::*;

#[test]
fn an_account_is_found_by_principal_login_and_identity() {
    let rig = Rig::new();
    let ann = rig.add("Ann", false);
    let oidc = Oidc { issuer: "https://id.example".into(), subject: "42".into() };
    rig.people.link_oidc(&ann, Some(oidc.clone())).expect("the identity is free");
    let account = rig.people.account(&ann).expect("the account is there");
    assert_eq!(rig.people.by_login(&login("ANN")), Some(account.clone()), "a login has no case");
    assert_eq!(rig.people.by_oidc(&oidc), Some(account));
    rig.people.link_oidc(&ann, None).expect("the identity is given back");
    assert_eq!(rig.people.by_oidc(&oidc), None);
}

#[test]
fn a_taken_login_principal_or_identity_is_refused() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let ben = rig.add("ben", false);
    let other = NewAccount { who: who("other"), ..new("ann", false) };
    assert_eq!(rig.people.add(&other, NOW).map_err(|error| error.code()), Err("login_taken"));
    assert_eq!(rig.people.add(&NewAccount { login: login("other"), ..new("ann", false) }, NOW), Err(PeopleError::PrincipalTaken));
    let oidc = Oidc { issuer: "i".into(), subject: "s".into() };
    rig.people.link_oidc(&ann, Some(oidc.clone())).expect("the identity is free");
    assert_eq!(rig.people.link_oidc(&ben, Some(oidc.clone())), Err(PeopleError::SubjectTaken));
    assert_eq!(rig.people.link_oidc(&ann, Some(oidc)), Ok(()), "the same link again changes nothing");
}

#[test]
fn the_last_enabled_admin_stays() {
    let rig = Rig::new();
    let (ann, ben) = (rig.add("ann", true), rig.add("ben", true));
    rig.people.disable(&ben).expect("another admin is left");
    assert_eq!(rig.people.disable(&ann), Err(PeopleError::LastAdmin));
    assert_eq!(rig.people.set_admin(&ann, false).map_err(|error| error.code()), Err("last_admin"));
    rig.people.enable(&ben).expect("the account is there");
    assert_eq!(rig.people.set_admin(&ann, false), Ok(()));
    assert_eq!(rig.people.disable(&ben), Err(PeopleError::LastAdmin));
}

#[test]
fn disabling_ends_sessions_and_tokens_and_blocks_links_and_tells_it() {
    let rig = Rig::new();
    let (ann, ben) = (rig.add("ann", false), rig.add("ben", false));
    let (session, _) = rig.session(&ann);
    let (others, _) = rig.session(&ben);
    let scopes = Scopes::NONE.with(Scope::Read);
    let new = NewToken { name: name("script"), scopes, expires: None };
    let (token, _) = rig.people.create_token(&ann, new, NOW).expect("a token");
    let list = "weekly".parse().expect("an id");
    let (link, _) = rig.people.create_link(&list, &ann, None, NOW).expect("a link");
    let told = rig.told();
    rig.people.disable(&ann).expect("the account is there");
    assert_eq!(told.lock().len(), 4, "a session, a token, a link and the account");
    assert_eq!(told.lock().last(), Some(&Ended::Account(ann.clone())));
    assert_eq!(code(&rig, &session), Some("credential_unknown"));
    assert_eq!(code(&rig, &token), Some("credential_unknown"));
    assert_eq!(code(&rig, &link), Some("credential_disabled"));
    assert_eq!(code(&rig, &others), None);
    rig.people.enable(&ann).expect("the account is there");
    assert_eq!(code(&rig, &link), None, "the link opens its list again");
    assert_eq!(code(&rig, &session), Some("credential_unknown"), "what was ended stays ended");
}

#[test]
fn a_new_password_ends_all_sessions_but_the_one_that_set_it() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    let ((kept, session), (other, _)) = (rig.session(&ann), rig.session(&ann));
    rig.people.set_password(&ann, &password("another horse"), Some(session.id), NOW).expect("the account is there");
    assert_eq!((code(&rig, &kept), code(&rig, &other)), (None, Some("credential_unknown")));
    assert_eq!(rig.try_from("ann", PASSWORD, "10.0.0.1").err(), Some(SignInError::Wrong));
    assert!(rig.try_from("ann", "another horse", "10.0.0.1").is_ok());
}

#[test]
fn a_password_keeps_the_rules() {
    let code = |text: &str| Password::new(text, &login("ann.miller"), &name("Ann Miller")).err().map(InputError::code);
    assert_eq!(code("äöüßäöü"), Some("password_too_short"));
    assert_eq!(code("äöüßäöüß"), None);
    assert_eq!(code(&"x".repeat(256)), None);
    assert_eq!(code(&"x".repeat(257)), Some("password_too_long"));
    assert_eq!(code(&"x".repeat(1 << 20)), Some("password_too_long"));
    for common in ["ANN.miller", "ann MILLER", "Password", "trustno1"] {
        assert_eq!(code(common), Some("password_too_common"), "{common}");
    }
}

#[test]
fn names_and_logins_hold_no_hidden_characters() {
    for text in ["", "  ", "a\0b", "a\nb", "a\u{202e}b", "a\u{2066}b", "a\u{200f}b", &"x".repeat(81), &"x".repeat(1 << 20)] {
        assert_eq!(DisplayName::new(text).map_err(InputError::code), Err("name_invalid"));
    }
    assert_eq!(name("  Änn 🥕 ").as_str(), "Änn 🥕");
    for text in ["", "a b", "änn", "a\0", "a/b", &"x".repeat(65), &"x".repeat(1 << 20)] {
        assert_eq!(Login::new(text).map_err(InputError::code), Err("login_invalid"));
    }
    assert_eq!(login("Ann.Miller+shop@example-1_").as_str(), "ann.miller+shop@example-1_");
}

#[test]
fn what_is_unknown_or_inactive_is_said_so() {
    let rig = Rig::new();
    let ann = rig.add("ann", false);
    assert_eq!(rig.people.rename(&who("nobody"), name("N")), Err(PeopleError::UnknownAccount));
    rig.people.disable(&ann).expect("the account is there");
    let begun = rig.people.create_session(&ann, NewSession::default(), None, NOW);
    assert_eq!(begun.map_err(|error| error.code()).err(), Some("account_inactive"));
    rig.people.rename(&ann, name("Ann B.")).expect("the account is there");
    assert_eq!(rig.people.account(&ann).map(|account| account.name), Some(name("Ann B.")));
}

fn code(rig: &Rig, secret: &Secret) -> Option<&'static str> {
    rig.people.check(secret.expose(), NOW).err().map(CredentialError::code)
}
