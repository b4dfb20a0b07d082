//! Reads from a running server, for commands that can use one instead of a folder.

use std::io::{BufRead, BufReader};

use anyhow::Context;

use crate::{
    client::Client,
    config::{Config, Secret},
    events::Recorded,
    exchange::event_of_line,
};

/// Where a server serves its log.
pub(super) const EVENTS: &str = "/api/v1/events";

/// The server at a URL, as its admin if the configuration has the token.
pub(super) fn client(url: &str, config: &Config) -> Client {
    Client::new(url, config.admin_token.as_ref().map(Secret::expose))
}

/// Gets a resource; anything but success is an error with the server's response.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(super) fn get(url: &str, path: &str, query: &[(&str, String)], config: &Config) -> anyhow::Result<ureq::http::Response<ureq::Body>> {
    let mut request = client(url, config).get(path);
    for (name, value) in query {
        request = request.query(name, value);
    }
    let mut answer = request.call().with_context(|| format!("cannot reach {url}"))?;
    if !answer.status().is_success() {
        let said = answer.body_mut().read_to_string().unwrap_or_default();
        anyhow::bail!("{url} answered {}: {said}", answer.status());
    }
    Ok(answer)
}

/// The events of a server, as they arrive.
///
/// # Errors
/// When the server cannot be reached or refuses; each event has its own.
pub(super) fn events(
    url: &str,
    query: &[(&str, String)],
    config: &Config,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Recorded>> + use<>> {
    let body = BufReader::new(get(url, EVENTS, query, config)?.into_body().into_reader());
    Ok(body.lines().map(|line| {
        let line = line.context("the server ended the response early")?;
        event_of_line(&line).with_context(|| format!("the server sent something that is not an event: {line}"))
    }))
}
