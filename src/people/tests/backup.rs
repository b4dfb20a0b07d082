//! The sealed backup.

use super::*;

const PASSPHRASE: &str = "a long enough phrase";

#[test]
fn a_backup_restores_all_but_sessions_into_an_empty_store() {
    let rig = Rig::new();
    let ann = rig.add("ann", true);
    let (session, _) = rig.session(&ann);
    let scopes = Scopes::NONE.with(Scope::Admin);
    let (token, _) = rig.people.create_token(&ann, NewToken { name: name("script"), scopes, expires: None }, NOW).expect("a token");
    let invitation =
        NewInvitation { household: "home".parse().expect("an id"), role: "editor".into(), lists: vec![], by: ann.clone(), expires: None };
    let (_, code, _) = rig.people.invite(invitation, NOW).expect("an invitation");
    let bytes = rig.people.backup(PASSPHRASE).expect("a backup");

    let other = Rig::new();
    other.people.restore_backup(&bytes, PASSPHRASE).expect("the store is empty");
    assert_eq!(other.people.accounts(), rig.people.accounts());
    assert!(other.people.check(token.expose(), NOW).is_ok());
    assert!(other.people.check(session.expose(), NOW).is_err(), "sessions are left out");
    assert!(other.try_from("ann", PASSWORD, "10.0.0.1").is_ok());
    assert!(other.people.begin_accept(code.expose(), &Acceptor::Known(ann), None, NOW).is_ok(), "codes keep their salt");
    assert_eq!(other.people.restore_backup(&bytes, PASSPHRASE), Err(BackupError::NotEmpty));
}

#[test]
fn a_wrong_key_and_every_changed_or_missing_byte_are_noticed() {
    let rig = Rig::new();
    let bytes = rig.people.backup(PASSPHRASE).expect("a backup");
    let code = |bytes: &[u8], phrase: &str| Rig::new().people.restore_backup(bytes, phrase).err().map(|error| error.code());
    assert_eq!(code(&bytes, PASSPHRASE), None);
    assert_eq!(code(&bytes, "another long enough phrase"), Some("backup_sealed"));
    let empty = Rig::new();
    let restored = |bytes: &[u8]| empty.people.restore_backup(bytes, PASSPHRASE).err().map(|error| error.code());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        let expected = match at {
            0..8 => "backup_foreign",
            8 => "backup_newer",
            _ => "backup_sealed",
        };
        assert_eq!(restored(&changed), Some(expected), "byte {at}");
        let expected = if at < 61 { "backup_foreign" } else { "backup_sealed" };
        assert_eq!(restored(&bytes[..at]), Some(expected), "the first {at} bytes");
    }
}

#[test]
fn a_short_passphrase_is_refused() {
    let refused = Rig::new().people.backup("short").map_err(|error| error.code());
    assert_eq!(refused, Err("passphrase_invalid"));
}

#[test]
fn a_backup_shows_nothing_of_what_is_in_it() {
    let rig = Rig::new();
    rig.add("annabelle", true);
    let bytes = rig.people.backup(PASSPHRASE).expect("a backup");
    assert!(!bytes.windows(9).any(|part| part == b"annabelle"));
}
