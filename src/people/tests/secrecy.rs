//! Nothing secret is shown by anything that can be formatted.

use super::*;

#[test]
fn no_form_of_anything_shows_a_secret() {
    let rig = Rig::new();
    let ann = rig.add("ann", true);
    let (setup, keys) = Setup::new();
    let (session, listed) = rig.session(&ann);
    let new = NewToken { name: name("script"), scopes: Scopes::NONE.with(Scope::Read), expires: None };
    let (token, shown) = rig.people.create_token(&ann, new.clone(), NOW).expect("a token");
    let (link, link_shown) = rig.people.create_link(&"weekly".parse().expect("an id"), &ann, None, NOW).expect("a link");
    let household = "home".parse().expect("an id");
    let invitation = NewInvitation { household, role: "editor".into(), lists: vec![], by: ann.clone(), expires: None };
    let (invited, code, invitation_shown) = rig.people.invite(invitation.clone(), NOW).expect("an invitation");
    let attempt = Attempt { login: session.expose(), password: PASSWORD, address: None, device: "phone", rotate: Some(session.expose()) };
    let acceptor = Acceptor::New { who: who("ben"), login: login("ben"), name: name("Ben"), password: password(PASSWORD) };
    let first = FirstAccount { login: login("a"), name: name("A"), password: password(PASSWORD) };
    let stored = rig.people.inner.memory.read().accounts[&ann].clone();
    let hash = rmp_serde::to_vec(&stored.password).expect("a text");
    let hash = String::from_utf8_lossy(&hash[3..]).into_owned();
    let credential = rig.people.check(token.expose(), NOW);
    let mut forms = vec![
        format!("{:?} {setup:?} {keys:?} {session} {session:?} {listed:?} {new:?} {shown:?}", rig.people),
        format!("{link:?} {link_shown:?} {invitation:?} {invitation_shown:?} {code} {code:?} {attempt:?} {acceptor:?} {first:?}"),
        format!("{stored:?} {credential:?} {:?} {:?}", rig.people.accounts(), rig.people.inner.memory.read()),
        format!("{:?}", super::new("ann", true)),
        serde_json::to_string(&(listed, shown, link_shown, invitation_shown, rig.people.accounts())).expect("texts become JSON"),
    ];
    forms.extend(errors());
    let secrets = [&session, &token, &link, &invited, &code, &keys.link, &keys.code];
    let texts = secrets.iter().map(|secret| secret.expose()).chain([PASSWORD, &hash, "aisled_", "argon2"]);
    for text in texts {
        assert!(!forms.iter().any(|form| form.contains(text)), "this is shown somewhere: {text}");
    }
}

/// Errors that texts of a caller lead to, in both forms.
fn errors() -> Vec<String> {
    let rig = Rig::new();
    let setup = Setup::new().0;
    let secret = Secret::new(super::super::secret::Kind::Session);
    let first = FirstAccount { login: login("a"), name: name("A"), password: password(PASSWORD) };
    let known = Acceptor::Known(who("ann"));
    let mut forms = Vec::new();
    let mut form = |debug: String, display: Option<String>| forms.extend([debug, display.unwrap_or_default()]);
    let checked = rig.people.check(secret.expose(), NOW);
    form(format!("{checked:?}"), checked.err().map(|error| error.to_string()));
    for _ in 0..7 {
        let tried = rig.try_from("ann", PASSWORD, "10.0.0.1");
        form(format!("{tried:?}"), tried.err().map(|error| error.to_string()));
    }
    let begun = rig.people.begin_accept(secret.expose(), &known, None, NOW);
    form(format!("{begun:?}"), begun.err().map(|error| error.to_string()));
    let set_up = setup.set_up(&rig.people, secret.expose(), first, None, NOW);
    form(format!("{set_up:?}"), set_up.err().map(|error| error.to_string()));
    let refused = Password::new(PASSWORD, &login("a"), &name(PASSWORD));
    form(format!("{refused:?}"), refused.err().map(|error| error.to_string()));
    let restored = rig.people.restore_backup(PASSWORD.as_bytes(), PASSWORD);
    form(format!("{restored:?}"), restored.err().map(|error| error.to_string()));
    forms
}
