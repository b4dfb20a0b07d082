//! Requests about people: accounts, households, tokens and sign-in.

use std::{fmt::Display, net::Ipv4Addr};

use super::{end_head, post, post_with, push};

/// Creates an account whose name in events is its login.
pub fn create_account(request: &mut Vec<u8>, login: &str, password: Option<&str>) {
    let password = password.map(|password| format!(r#","password":"{password}""#)).unwrap_or_default();
    post(request, "/api/v1/users", &format!(r#"{{"login":"{login}"{password}}}"#));
}

/// Signs in, through a proxy that names this client's address.
pub fn sign_in(request: &mut Vec<u8>, login: &str, password: &str, address: Ipv4Addr) {
    let body = format!(r#"{{"login":"{login}","password":"{password}"}}"#);
    post_with(request, format_args!("x-forwarded-for: {address}\r\n"), "/api/v1/session", &body);
}

/// Creates a token that may read and write, in somebody's name.
pub fn create_token(request: &mut Vec<u8>, who: &str) {
    post_with(request, acting_as(who), "/api/v1/tokens", r#"{"name":"load","scopes":"read write"}"#);
}

/// Founds a household; its owner is the one who asks.
pub fn create_household(request: &mut Vec<u8>, household: &str) {
    post(request, "/api/v1/households", &format!(r#"{{"id":"{household}","name":"Load household"}}"#));
}

/// Makes somebody a member.
pub fn join(request: &mut Vec<u8>, household: &str, member: &str, role: &str) {
    let body = format!(r#"{{"op":"join","member":"{member}","role":"{role}"}}"#);
    post(request, format_args!("/api/v1/households/{household}/commands"), &body);
}

/// Ends a membership.
pub fn leave(request: &mut Vec<u8>, household: &str, member: &str) {
    let body = format!(r#"{{"op":"leave","member":"{member}"}}"#);
    post(request, format_args!("/api/v1/households/{household}/commands"), &body);
}

/// Reads something with the rights of somebody.
pub fn get_as(request: &mut Vec<u8>, who: &str, path: impl Display) {
    push(request, format_args!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{}", acting_as(who)));
    end_head(request);
}

fn acting_as(who: &str) -> String {
    format!("x-aisled-as: {who}\r\n")
}
