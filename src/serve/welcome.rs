//! What a start says to the person who started it: how to get in.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use super::terminal::{elsewhere, here};
use crate::app::Running;

/// Prints the way in, once, on standard output: secrets do not belong into the log.
pub(super) fn print(running: &Running, bound: SocketAddr, require_sign_in: bool) {
    let Some(keys) = running.take_keys() else { return };
    let app = running.current();
    let base =
        app.config.public_url.first().map(ToString::to_string).or_else(|| elsewhere(bound).map(|address| format!("http://{address}")));
    let place = format!("{}/setup", base.clone().unwrap_or_else(|| format!("http://{}", here(bound))));
    if let Some(base) = base {
        let _ = app.entrance.reached_at.set(base);
    }
    let link = format!("http://{}/setup#{}", here(bound), keys.link.expose());
    let lines = lines(&link, keys.code.expose(), &place, app.authority.people.is_set_up(), require_sign_in);
    let mut out = io::stdout().lock();
    let told = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    if let Err(error) = told.and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output cannot be written");
    }
}

fn lines(link: &str, code: &str, place: &str, set_up: bool, require_sign_in: bool) -> Vec<String> {
    let mut lines = Vec::new();
    match (set_up, require_sign_in) {
        (true, true) => return lines,
        (_, false) => lines.push(format!("open {link} to sign this machine's browser in as the owner; the link works once")),
        (false, true) => lines.push(format!("open {link} on this machine to set the server up; the link works once")),
    }
    if !set_up {
        lines.push(format!("or type the code {code} at {place} to set the server up"));
    }
    if !require_sign_in {
        lines.push(
            "programs on this machine, such as curl, act as the owner without signing in; require_sign_in = true ends that".to_owned(),
        );
    }
    lines
}
