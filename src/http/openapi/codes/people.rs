//! What goes wrong with accounts and sessions.

use super::{Code, Group};
use crate::{domain::rights::Action, http::openapi::walk::Row};

const PATHS: &[&str] = &["/api/v1/session", "/api/v1/password", "/api/v1/tokens", "/api/v1/users", "/api/v1/setup", "/api/v1/oidc"];

fn keeps_accounts(row: Row) -> bool {
    PATHS.iter().any(|path| row.path.starts_with(path)) || is_about_credentials(row) || row.need.action() == Action::KeepAccount
}

fn is_about_credentials(row: Row) -> bool {
    ["/invitations", "/links", "/people"].iter().any(|part| row.path.starts_with("/api/v1/") && row.path.contains(part))
}

pub const GROUPS: &[Group] = &[
    Group {
        title: "Accounts and credentials",
        whose: "operations of accounts, sessions, tokens, links and invitations",
        applies: keeps_accounts,
        codes: &[
            Code(401, "sign_in_wrong", "Login and password do not fit."),
            Code(403, "session_required", "This takes a session: sign in."),
            Code(403, "setup_wrong", "The setup code or password is wrong."),
            Code(403, "setup_code_spent", "The setup code was tried too often."),
            Code(403, "setup_only_local", "The first account is made on the server's own machine, or with its code."),
            Code(404, "account_unknown", "There is no such account."),
            Code(404, "credential_not_found", "There is no such session, token, link or invitation."),
            Code(404, "invitation_unknown", "There is no such invitation."),
            Code(404, "invitation_not_begun", "The acceptance was not begun, or has ended."),
            Code(409, "account_inactive", "The account is disabled."),
            Code(409, "last_admin", "A server keeps at least one admin."),
            Code(409, "last_way_in", "Somebody keeps at least one way to sign in."),
            Code(409, "login_taken", "The login is taken."),
            Code(409, "principal_taken", "The principal is taken."),
            Code(409, "subject_taken", "The provider's person belongs to another account."),
            Code(409, "credentials_too_many", "There are as many as allowed: revoke one first."),
            Code(409, "setup_done", "There is an admin already."),
            Code(410, "invitation_expired", "The invitation has ended."),
            Code(410, "invitation_used", "The invitation was accepted."),
            Code(422, "login_invalid", "The login has odd characters, or is too short or long."),
            Code(422, "login_missing", "The invitation needs a login for the new account."),
            Code(422, "name_invalid", "The name is empty, too long, or has odd characters."),
            Code(422, "role_invalid", "There is no such role."),
            Code(422, "lists_for_guests_only", "Only guests are invited to single lists."),
            Code(422, "password_too_short", "The password is too short."),
            Code(422, "password_too_long", "The password is too long."),
            Code(422, "password_too_common", "The password is one of the commonest."),
            Code(422, "expiry_invalid", "The end is past, or too far away."),
            Code(422, "scopes_empty", "A token has at least one scope."),
            Code(422, "scope_unknown", "There is no such scope."),
            Code(422, "nothing_to_change", "The body changes nothing."),
            Code(422, "one_intent_only", "The body asks for several changes that only go one at a time."),
            Code(429, "sign_in_throttled", "Too many sign-ins: wait as `Retry-After` says."),
            Code(429, "code_throttled", "Too many wrong codes: wait as `Retry-After` says."),
            Code(503, "sign_in_busy", "Too many sign in at once: try again."),
        ],
    },
    Group {
        title: "Sign-in by a provider",
        whose: "operations under `/api/v1/oidc`",
        applies: |row| row.path.starts_with("/api/v1/oidc"),
        codes: &[
            Code(400, "oidc_elsewhere", "Begin at the address that the provider knows."),
            Code(400, "oidc_state", "The sign-in was not begun in this browser, or took too long."),
            Code(400, "oidc_code_refused", "The provider refuses this sign-in."),
            Code(403, "oidc_denied", "The provider did not sign you in."),
            Code(403, "oidc_not_invited", "The provider knows you, this server does not: ask for an invitation."),
            Code(403, "oidc_token_refused", "The provider's answer proves nothing."),
            Code(403, "account_inactive", "The account is disabled."),
            Code(404, "oidc_off", "No provider is configured."),
            Code(503, "oidc_busy", "Too many sign in by the provider: try again."),
            Code(503, "oidc_unavailable", "The provider cannot be reached."),
        ],
    },
];
