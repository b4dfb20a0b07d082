//! What a start says to the person who started it: how to get in.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use super::terminal::here;
use crate::app::Running;

/// Prints the way in, once, on standard output: secrets do not belong into the log.
pub(super) fn print(running: &Running, bound: SocketAddr, require_sign_in: bool) {
    let Some(keys) = running.take_keys() else { return };
    let set_up = running.current().authority.people.is_set_up();
    let mut out = io::stdout().lock();
    let link = format!("http://{}/setup#{}", here(bound), keys.link.expose());
    let told = lines(&link, keys.code.expose(), bound, set_up, require_sign_in).iter().try_for_each(|line| writeln!(out, "{line}"));
    if let Err(error) = told.and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output cannot be written");
    }
}

fn lines(link: &str, code: &str, bound: SocketAddr, set_up: bool, require_sign_in: bool) -> Vec<String> {
    let mut lines = Vec::new();
    match (set_up, require_sign_in) {
        (true, true) => return lines,
        (_, false) => lines.push(format!("open {link} to sign this machine's browser in as the owner; the link works once")),
        (false, true) => lines.push(format!("open {link} on this machine to set the server up; the link works once")),
    }
    if !set_up {
        let port = bound.port();
        lines.push(format!(
            "or type the code {code} at http://<this machine's address>:{port}/setup on another device to set the server up"
        ));
    }
    if !require_sign_in {
        lines.push(
            "programs on this machine, such as curl, act as the owner without signing in; require_sign_in = true ends that".to_owned(),
        );
    }
    lines
}
