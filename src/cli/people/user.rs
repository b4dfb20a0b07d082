//! `aisled user`: accounts.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place,
    desk::{Ask, Desk},
    password::{Chosen, PasswordFlag},
    person, refused,
};
use crate::{
    app::accounts,
    cli::{CliError, Ended, output::print_json},
    config::Config,
    domain::Principal,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct User {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create an account.
    Add(Add),
    /// List the accounts.
    List {
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Disable an account: its sessions and tokens end.
    Disable(One),
    /// Enable an account again.
    Enable(One),
    /// Set another password for an account: its sessions end.
    ResetPassword {
        #[command(flatten)]
        user: One,
        #[command(flatten)]
        password: PasswordFlag,
    },
    /// Restore the accounts of a snapshot into a data folder that has none, with `backup_key`.
    RestoreBackup {
        /// The file whose name ends in .people.sealed.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// What is typed to sign in.
    login: String,
    /// How the person is shown [default: the login].
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// The person's name in events [default: the login].
    #[arg(long, value_name = "ID")]
    who: Option<Principal>,
    /// May administer the server.
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: PasswordFlag,
}

#[derive(Debug, Args)]
struct One {
    /// The login, or the person's name in events.
    #[arg(value_name = "USER")]
    user: String,
}

impl User {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = self.place.config(file)?;
        if let What::RestoreBackup { file } = &self.what {
            return Ok(restore_backup(&config, file)?);
        }
        let desk = self.place.desk(&config, matches!(self.what, What::Add(_)))?;
        self.what.run(&desk)?;
        Ok(Ended::Well)
    }
}

impl What {
    fn run(&self, desk: &Desk) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(desk),
            Self::List { json } => list(desk, *json),
            Self::Disable(one) => one.change(desk, json!({ "disabled": true })),
            Self::Enable(one) => one.change(desk, json!({ "disabled": false })),
            Self::ResetPassword { user, password } => user.reset(desk, password),
            Self::RestoreBackup { .. } => Ok(()),
        }
    }
}

impl Add {
    fn run(&self, desk: &Desk) -> anyhow::Result<()> {
        let Self { login, name, who, admin, password } = self;
        let password = password.choose()?;
        let mut body = json!({ "login": login, "admin": admin, "password": password.text });
        if let Some(name) = name {
            body["name"] = json!(name);
        }
        if let Some(who) = who {
            body["who"] = json!(who);
        }
        show(desk.ask(&Ask::AddUser(body))?, &password)
    }
}

impl One {
    fn change(&self, desk: &Desk, body: Value) -> anyhow::Result<()> {
        let who = person(desk, &self.user)?;
        print_json(&desk.ask(&Ask::ChangeUser(&who, body))?)
    }

    fn reset(&self, desk: &Desk, password: &PasswordFlag) -> anyhow::Result<()> {
        let who = person(desk, &self.user)?;
        let password = password.choose()?;
        let changed = desk.ask(&Ask::ChangeUser(&who, json!({ "password": password.text })))?;
        show(changed, &password)
    }
}

/// Prints an account, with the password that nobody has seen yet.
fn show(mut account: Value, password: &Chosen) -> anyhow::Result<()> {
    if password.generated {
        account["password"] = json!(password.text);
        eprintln!("aisled: the password was generated and is shown only now");
    }
    print_json(&account)
}

fn list(desk: &Desk, as_json: bool) -> anyhow::Result<()> {
    let users = desk.ask(&Ask::Users)?;
    if as_json {
        return print_json(&users);
    }
    println!("{:<24} {:<24} {:<24} STATE", "USER", "LOGIN", "NAME");
    for user in users["users"].as_array().into_iter().flatten() {
        let text = |field: &str| user[field].as_str().unwrap_or_default().to_owned();
        println!("{:<24} {:<24} {:<24} {}", text("who"), text("login"), text("name"), state(user));
    }
    Ok(())
}

fn state(user: &Value) -> String {
    let facts = [("admin", true, "admin"), ("disabled", true, "disabled"), ("can_sign_in", false, "cannot sign in")];
    facts.iter().filter(|(field, value, _)| user[field] == *value).map(|(.., word)| *word).collect::<Vec<_>>().join(", ")
}

fn restore_backup(config: &Config, file: &Path) -> anyhow::Result<Ended> {
    let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let restored = accounts::restore_sealed(config, &bytes).map_err(|error| refused(error.code(), &error.to_string()))?;
    print_json(&json!({ "accounts": restored }))?;
    Ok(Ended::Well)
}
