//! The key for the terminal of the server's own machine: a person who can read the data folder can do everything to it anyway, so commands there
//! reach the running server without a token.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::PEOPLE;
use crate::{
    app::App,
    disk,
    people::{People, Secret},
};

/// The file in the folder of accounts.
const FILE: &str = "operator.json";

/// The file of a running server; it goes with the server.
pub struct Terminal(PathBuf);

/// Where a server runs, and its key.
#[derive(Serialize, Deserialize)]
pub struct Found {
    pub url: String,
    pub key: String,
}

impl Terminal {
    /// Leaves the key of a server in its data folder, for its owner alone.
    pub(super) fn open(app: &App, bound: SocketAddr, key: &Secret) -> Self {
        let path = file(&app.config.data);
        let found = Found { url: format!("http://{}", here(bound)), key: key.expose().to_owned() };
        let text = serde_json::to_vec(&found).unwrap_or_default();
        if let Err(error) = disk::write_private(&path, &text) {
            tracing::warn!(%error, "commands of this machine need a token: their key could not be written");
        }
        Self(path)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Err(error) = disk::remove_file(&self.0) {
            tracing::debug!(%error, "the key for this machine's terminal stays; it opens nothing any more");
        }
    }
}

/// The server that runs on a data folder, if one left its key.
#[must_use]
pub fn find(data: &Path) -> Option<Found> {
    let found = serde_json::from_slice(&fs::read(file(data)).ok()?).ok()?;
    // A server that was killed leaves its key, and another program may have its port by now: only while the accounts are held is there a
    // server that the key is for.
    People::is_held(&data.join(PEOPLE)).then_some(found)
}

fn file(data: &Path) -> PathBuf {
    data.join(PEOPLE).join(FILE)
}

/// Where other machines reach a server that listens everywhere: at the address of the interface that leads out. Nothing is sent: connecting a
/// datagram socket only asks the routing table. 192.0.2.1 is an address for documentation (RFC 5737).
#[must_use]
pub fn elsewhere(bound: SocketAddr) -> Option<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return Some(bound).filter(|bound| !bound.ip().is_loopback());
    }
    let asked = std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    asked.ok().filter(|own| !own.ip().is_loopback()).map(|own| SocketAddr::new(own.ip(), bound.port()))
}

/// The address as this machine reaches it: one that listens everywhere is reached over the loopback too.
#[must_use]
pub fn here(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, bound.port())
}
