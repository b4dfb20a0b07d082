//! Whether the live state equals a replay of the log; if not, which projections and entities differ, and from which position on.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;

use crate::{
    app::{DataFolder, saved_views},
    cli::{CliError, Ended, output::print_json, remote},
    config::Config,
    debug::range::views_at,
    events::{Log, LogError, Position},
    projections::{Difference, Views, touches},
};

/// Where a server serves the digests of its views.
const DIGESTS: &str = "/api/v1/admin/digests";
/// At most this many differing entities are listed; all are counted.
const DIFFERENCES_LISTED_MAX: usize = 100;

/// Compares a replay with the views that the server last saved.
pub(super) fn with_folder(log: &dyn Log, folder: &DataFolder) -> Result<Ended, CliError> {
    let saved = saved_views(folder, log).map_err(|reason| anyhow::anyhow!("the saved views cannot be compared: {reason}"))?;
    let saved = saved.context("the server has not saved its views here yet; it saves them when it stops, and from time to time")?;
    let (replayed, _) = views_at(log, saved.position()).map_err(anyhow::Error::from)?;
    let mut differences = replayed.differences(&saved);
    let total = differences.len();
    differences.truncate(DIFFERENCES_LISTED_MAX);
    let touched = first_touches(log, &differences).map_err(anyhow::Error::from)?;
    for difference in &differences {
        eprintln!("aisled: {}", sentence(difference, &touched));
    }
    let listed: Vec<_> = differences.iter().map(|difference| shown(difference, &touched)).collect();
    print_json(
        &json!({"position": saved.position(), "compared_with": "saved views", "differences": total, "differing": listed, "ok": total == 0}),
    )?;
    Ok(if total == 0 { Ended::Well } else { Ended::FoundProblems })
}

/// The first position that touches each differing subject.
fn first_touches(log: &dyn Log, differences: &[Difference]) -> Result<BTreeMap<String, Position>, LogError> {
    let mut open: BTreeSet<_> = differences.iter().filter_map(|difference| difference.subject.clone()).collect();
    let mut touched = BTreeMap::new();
    if open.is_empty() {
        return Ok(touched);
    }
    log.scan(Position::START, &mut |recorded| {
        while let Some(subject) = touches(&recorded, &open) {
            open.remove(&subject);
            touched.insert(subject, recorded.position);
        }
        if open.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(touched)
}

fn first_touch(difference: &Difference, touched: &BTreeMap<String, Position>) -> Option<Position> {
    difference.subject.as_ref().and_then(|subject| touched.get(subject)).copied()
}

fn sentence(difference: &Difference, touched: &BTreeMap<String, Position>) -> String {
    let Difference { projection, subject, position } = difference;
    let Some(subject) = subject else { return format!("{projection} differs only in its inner order") };
    match (position, first_touch(difference, touched)) {
        (Some(position), _) => format!("{projection} differs in {subject}: first at position {position}"),
        (None, Some(position)) => format!("{projection} differs in {subject}, which position {position} touches first"),
        (None, None) => format!("{projection} differs in {subject}, which no event touches"),
    }
}

fn shown(difference: &Difference, touched: &BTreeMap<String, Position>) -> serde_json::Value {
    json!({
        "projection": difference.projection,
        "subject": difference.subject,
        "position": difference.position,
        "first_touched_at": first_touch(difference, touched),
    })
}

/// A server's digests of its views.
#[derive(Debug, Deserialize)]
struct Digests {
    position: Position,
    digests: BTreeMap<String, String>,
}

/// Compares a replay of a server's events with the digests it reports.
pub(super) fn with_server(url: &str, config: &Config) -> Result<Ended, CliError> {
    let body = remote::get(url, DIGESTS, &[], config)?.into_body().read_to_string().map_err(anyhow::Error::from)?;
    let live: Digests = serde_json::from_str(&body).with_context(|| format!("{url} returned no digests: {body}"))?;
    let replayed = replay_of_server(url, live.position, config)?.digests();
    let differing: Vec<_> = replayed
        .iter()
        .filter(|(name, digest)| live.digests.get(**name).is_some_and(|found| found != *digest))
        .map(|(name, _)| *name)
        .collect();
    let compared: Vec<_> = replayed.keys().filter(|name| live.digests.contains_key(**name)).collect();
    if compared.is_empty() {
        return Err(anyhow::anyhow!("{url} returned no digest of a projection known to this program").into());
    }
    for name in &differing {
        eprintln!("aisled: {name} differs at position {}; run --compare on a copy of the folder to list the entities", live.position);
    }
    let ok = differing.is_empty();
    print_json(&json!({"position": live.position, "compared_with": url, "compared": compared, "differing": differing, "ok": ok}))?;
    Ok(if ok { Ended::Well } else { Ended::FoundProblems })
}

fn replay_of_server(url: &str, position: Position, config: &Config) -> anyhow::Result<Views> {
    let mut views = Views::default();
    if position == Position::START {
        return Ok(views);
    }
    for recorded in remote::events(url, &[("limit", position.to_string())], config)? {
        let recorded = recorded?;
        anyhow::ensure!(recorded.position == views.position().next(), "{url} did not return position {}", views.position().next());
        views.apply(&recorded);
        if recorded.position == position {
            break;
        }
    }
    anyhow::ensure!(views.position() == position, "{url} ended its response after position {}", views.position());
    Ok(views)
}
