//! Reads from a running server, for commands that can use one instead of a folder.

use std::io::{BufRead, BufReader};

use anyhow::Context;
use serde_json::Value;
use url::Url;

use crate::{client::Client, config::Config, events::Recorded, exchange::event_of_line, serve::terminal};

/// Where a server serves its log.
pub(super) const EVENTS: &str = "/api/v1/events";

/// The server at a URL, as its owner if there is a token for it.
pub(super) fn client(url: &str, config: &Config) -> Client {
    Client::new(url, token(url, config).as_deref())
}

/// The configured token; else the key that the server of the data folder left there, if the URL is that server's.
pub(super) fn token(url: &str, config: &Config) -> Option<String> {
    let configured = config.admin_token.as_ref().map(|token| token.expose().to_owned());
    configured.or_else(|| terminal::find(&config.data).filter(|found| is_same(&found.url, url)).map(|found| found.key))
}

/// Whether two texts are one address. A name for it is not: another program of this machine may answer there.
fn is_same(one: &str, other: &str) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    origin(one).is_some_and(|one| origin(other) == Some(one))
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

/// A line that is no event says why the server ends the answer before its end.
///
/// # Errors
/// That reason.
pub(super) fn check_end(line: &Value) -> anyhow::Result<()> {
    let Some(error) = line["error"].as_str() else { return Ok(()) };
    let detail = line["detail"].as_str().unwrap_or_default();
    match line["epoch"].as_str() {
        Some(epoch) => anyhow::bail!("{error}: {detail}; its epoch is {epoch}: read again from the beginning, or from a position of it"),
        None => anyhow::bail!("{error}: {detail}"),
    }
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
    Ok(body.lines().filter(|line| !line.as_ref().is_ok_and(|line| line.trim().is_empty())).map(|line| {
        let line = line.context("the server ended the response early")?;
        check_end(&serde_json::from_str(&line).unwrap_or_default())?;
        event_of_line(&line).with_context(|| format!("the server sent something that is not an event: {line}"))
    }))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_key_goes_only_to_the_very_address_of_its_server() {
        for same in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "HTTP://127.0.0.1:8080"] {
            assert!(is_same("http://127.0.0.1:8080", same), "{same}");
        }
        for other in ["http://127.0.0.1:8081", "http://localhost:8080", "https://127.0.0.1:8080", "http://127.0.0.1", "127.0.0.1:8080", ""]
        {
            assert!(!is_same("http://127.0.0.1:8080", other), "{other}");
        }
    }
}
