//! The file: what is in it is what is in memory; it is private, locked, and damage is named.

use std::{fs, os::unix::fs::PermissionsExt};

use proptest::prelude::*;

use super::{super::memory::Memory, *};

#[test]
fn the_file_is_the_owners_alone_and_opened_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("people.redb");
    let rig = Rig::at(folder.path());
    let mode = || fs::metadata(&file).expect("the file is there").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    let second = People::open_with(folder.path(), Options { cost: cheap(), ..Options::default() });
    assert!(matches!(&second, Err(PeopleError::Locked { file }) if file.ends_with("people.redb")), "{second:?}");
    assert!(People::is_held(folder.path()));
    drop(rig);
    assert!(!People::is_held(folder.path()));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    drop(Rig::at(folder.path()));
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("people.redb");
    let rig = Rig::at(folder.path());
    (0..20).for_each(|number| drop(rig.add(&format!("person{number}"), true)));
    drop(rig);
    let whole = fs::read(&file).expect("the file is there");
    let at = whole.windows(8).position(|part| part == b"person11").expect("the account is in the file");
    let mut changed = whole.clone();
    changed[at + 4] ^= 0x20;
    let zeros = [&whole[..64], &vec![0; whole.len() - 64]].concat();
    for bytes in
        [&changed[..], &zeros, &whole[..whole.len() / 2], &whole[..100], b"this is a text file and no store of ours, whatever it is called"]
    {
        fs::write(&file, bytes).expect("the file is ours");
        let error = People::open_with(folder.path(), Options { cost: cheap(), ..Options::default() }).expect_err("this is no whole file");
        assert_eq!(error.code(), "people_damaged", "{error:?}");
        assert!(error.to_string().contains("people.redb"));
    }
}

#[test]
fn a_row_that_cannot_be_read_names_the_file_and_its_table() {
    let rig = Rig::new();
    let change = super::super::store::RowChange { table: super::super::store::Table::Tokens, key: "ann".into(), value: Some(vec![0xc1]) };
    rig.people.inner.store.write(&[change]).expect("the store works");
    let error = Memory::load(&rig.people.inner.store).expect_err("this is no row");
    assert_eq!(error.code(), "people_damaged");
    assert!(error.to_string().contains("tokens"));
}

/// One change by a person of three, on what is there.
#[derive(Debug, Clone, Copy)]
enum Act {
    Add,
    Session,
    EndSessions,
    Token,
    Link,
    Invite,
    Accept,
    Finish,
    Cancel,
    Disable,
    Enable,
    Rename,
    Oidc,
    SignIn,
    Tidy,
}

fn act(rig: &Rig, act: Act, number: u8, now: Moment) {
    let person = format!("p{}", number % 3);
    let (who, home) = (who(&person), "home".parse().expect("an id"));
    let oidc = || Some(Oidc { issuer: "i".into(), subject: number.to_string() });
    let known = Acceptor::Known(who.clone());
    let begun = || rig.people.unfinished().unwrap_or_default().first().map(|accepting| accepting.invitation.id);
    let invitation = || NewInvitation { household: home, role: "editor".into(), lists: vec![], by: who.clone(), expires: None };
    let token = || NewToken { name: name("t"), scopes: Scopes::NONE.with(Scope::Read), expires: Some(Moment(now.0 + 1)) };
    // Refusals are fine: what counts is that both sides agree.
    match act {
        Act::Add => drop(rig.people.add(&new(&person, number.is_multiple_of(2)), now)),
        Act::Session => drop(rig.people.create_session(&who, NewSession::default(), None, now)),
        Act::EndSessions => drop(rig.people.end_sessions(&who, None)),
        Act::Token => drop(rig.people.create_token(&who, token(), now)),
        Act::Link => drop(rig.people.create_link(&"weekly".parse().expect("an id"), &who, None, now)),
        Act::Invite => {
            drop(rig.people.invite(invitation(), now).map(|(secret, _, _)| rig.people.begin_accept(secret.expose(), &known, None, now)));
        }
        Act::Accept => drop(rig.people.invite(invitation(), now).map(|(secret, _, _)| {
            let login = login(&format!("n{number}"));
            let acceptor = Acceptor::New { who: super::who(login.as_str()), login, name: name("N"), password: password(PASSWORD) };
            rig.people.begin_accept(secret.expose(), &acceptor, None, now)
        })),
        Act::Finish => drop(begun().map(|id| rig.people.finish_accept(id))),
        Act::Cancel => drop(begun().map(|id| rig.people.cancel_accept(id))),
        Act::Disable => drop(rig.people.disable(&who)),
        Act::Enable => drop(rig.people.enable(&who)),
        Act::Rename => drop(rig.people.rename(&who, name(&format!("N{number}")))),
        Act::Oidc => drop(rig.people.link_oidc(&who, oidc())),
        Act::SignIn => drop(rig.try_from(&person, PASSWORD, &format!("10.0.0.{number}"))),
        Act::Tidy => drop(rig.people.tidy(now)),
    }
}

/// Everything in memory, in an order of its own.
fn shown(memory: &Memory) -> Vec<String> {
    let mut lines: Vec<_> = memory.accounts.values().map(|row| format!("{row:?}")).collect();
    lines.extend(memory.logins.iter().map(|entry| format!("{entry:?}")));
    lines.extend(memory.subjects.iter().map(|entry| format!("{entry:?}")));
    lines.extend(memory.credentials.values().map(|credential| format!("{credential:?}")));
    lines.extend(memory.invitations.values().map(|key| format!("{key:?}")));
    lines.sort();
    lines
}

fn acts() -> impl Strategy<Value = Vec<(Act, u8, u8)>> {
    use Act::{Accept, Add, Cancel, Disable, Enable, EndSessions, Finish, Invite, Link, Oidc, Rename, Session, SignIn, Tidy, Token};
    let all =
        vec![Add, Add, Session, EndSessions, Token, Link, Invite, Accept, Finish, Cancel, Disable, Enable, Rename, Oidc, SignIn, Tidy];
    prop::collection::vec((prop::sample::select(all), any::<u8>(), 0_u8..20), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_store_that_is_read_again_equals_the_memory(acts in acts()) {
        let rig = Rig::new();
        let mut now = NOW;
        for (one, number, days) in acts {
            act(&rig, one, number, now);
            now = Moment(now.0 + i64::from(days) * DAY_MICROS);
        }
        rig.people.close(now).expect("the store works");
        let again = Memory::load(&rig.people.inner.store).expect("the store works");
        prop_assert_eq!(shown(&again), shown(&rig.people.inner.memory.read()));
    }
}
