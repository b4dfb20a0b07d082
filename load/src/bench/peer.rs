//! The stack that aisled replaces, as a server to compare with: Node and `SQLite`. It is installed once, into a folder next to this
//! program.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::server::Server;

/// Its packages; `npm ci` runs again when one of these two has changed.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];
const PROGRAM: &str = "server.js";
/// The start of the line that it prints once it listens.
const LISTENS: &str = "seed stack on ";

/// Its installed copy.
pub struct Peer {
    folder: PathBuf,
}

impl Peer {
    /// Copies it and installs what it depends on, unless that was done before; an error states what is missing.
    pub fn install(source: &Path) -> Result<Self> {
        ensure!(source.join(PROGRAM).is_file(), "no folder {}", source.display());
        for tool in ["node", "npm"] {
            let found = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
            ensure!(found.is_ok_and(|status| status.success()), "no {tool} here");
        }
        let folder = env::current_exe()?.with_file_name("bench-peer");
        fs::create_dir_all(&folder)?;
        if !installed(source, &folder) {
            install_packages(source, &folder)?;
        }
        copy(PROGRAM, source, &folder)?;
        Ok(Self { folder })
    }

    /// Starts it on a new database; `synchronous` is FULL or NORMAL.
    pub fn start(&self, database: &Path, synchronous: &str) -> Result<Server> {
        // It cannot choose a free port and report it.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("node");
        command.arg(PROGRAM).current_dir(&self.folder);
        command.env("DB", database).env("SYNC", synchronous).env("PORT", port.to_string());
        Server::started(&mut command, |line| line.starts_with(LISTENS).then(|| format!("127.0.0.1:{port}")))
    }
}

/// Whether the copy holds the same packages, all of them: the two files are copied last.
fn installed(source: &Path, folder: &Path) -> bool {
    PACKAGES
        .iter()
        .all(|name| fs::read(source.join(name)).is_ok_and(|wanted| fs::read(folder.join(name)).is_ok_and(|found| found == wanted)))
}

fn install_packages(source: &Path, folder: &Path) -> Result<()> {
    eprintln!("  installing the replaced stack …");
    let fresh = tempfile::tempdir_in(folder)?;
    for name in PACKAGES {
        copy(name, source, fresh.path())?;
    }
    let done =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(fresh.path()).output().context("cannot start npm")?;
    let why = String::from_utf8_lossy(&done.stderr).lines().last().unwrap_or_default().to_owned();
    ensure!(done.status.success(), "npm ci failed: {why}");
    let modules = folder.join("node_modules");
    if modules.exists() {
        fs::remove_dir_all(&modules)?;
    }
    fs::rename(fresh.path().join("node_modules"), modules)?;
    for name in PACKAGES {
        copy(name, fresh.path(), folder)?;
    }
    Ok(())
}

/// Copies what is in a file but not its permissions: the source may be read-only, the copy is replaced one day.
fn copy(name: &str, from: &Path, to: &Path) -> Result<()> {
    Ok(fs::write(to.join(name), fs::read(from.join(name))?)?)
}
