//! The table's laws.

mod strangers;

use super::*;

#[test]
fn each_row_stands_at_the_number_of_its_action() {
    for permission in PERMISSIONS {
        assert_eq!(permission.action.permission().what, permission.what);
    }
}

#[test]
fn an_admin_may_do_everything_and_nobody_else_runs_the_server() {
    for permission in PERMISSIONS {
        assert_eq!(Standing::Admin.may(permission.action), Verdict::Allowed, "{permission:?}");
    }
    for standing in Standing::ALL.into_iter().skip(1) {
        assert_ne!(standing.may(Action::RunServer), Verdict::Allowed, "{standing:?}");
    }
}

#[test]
fn who_is_not_signed_in_is_asked_to_sign_in_and_a_stranger_learns_of_nothing() {
    for permission in PERMISSIONS.iter().filter(|permission| permission.action != Action::Enter) {
        assert_eq!(Standing::Nobody.may(permission.action), Verdict::SignIn, "{permission:?}");
        if permission.subject.seen_by().is_some() {
            assert_eq!(Standing::Stranger.may(permission.action), Verdict::Hidden, "{permission:?}");
        }
    }
}

#[test]
fn a_more_powerful_member_may_do_whatever_a_less_powerful_one_may() {
    for permission in PERMISSIONS {
        let may = |standing: Standing| standing.may(permission.action) == Verdict::Allowed;
        assert!(may(Standing::Owner) || !may(Standing::Adult), "{permission:?}");
        assert!(may(Standing::Adult) || !may(Standing::Child), "{permission:?}");
        assert!(may(Standing::Adult) || !may(Standing::Viewer), "{permission:?}");
        assert!(may(Standing::Viewer) || !may(Standing::Link), "{permission:?}");
    }
}

#[test]
fn whoever_may_change_a_thing_may_see_it() {
    for permission in PERMISSIONS {
        let Some(see) = permission.subject.seen_by() else { continue };
        for standing in permission.allowed {
            assert_eq!(standing.may(see), Verdict::Allowed, "{standing:?} {permission:?}");
        }
    }
}

#[test]
fn an_editor_of_an_old_log_is_an_adult_and_is_written_again_as_it_was() {
    let role: HouseholdRole = serde_json::from_str("\"editor\"").expect("is read");
    assert_eq!((role.current(), Standing::from(role)), (HouseholdRole::Adult, Standing::Adult));
    assert_eq!(serde_json::to_string(&role).expect("is written"), "\"editor\"");
}
