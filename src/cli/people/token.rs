//! `aisled token`: API tokens of people, for their programs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Place,
    desk::{Ask, Desk},
    person, refused,
};
use crate::{
    cli::{CliError, Ended, output::print_json},
    domain::{Moment, moment::DAY_MICROS},
    events::clock::{Clock, SystemClock},
    people::{CredentialId, PeopleError},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Token {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Create a token in somebody's name, and show it once.
    Create(Create),
    /// List somebody's tokens.
    List {
        #[command(flatten)]
        owner: Owner,
        /// As one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Revoke one of somebody's tokens: what it opened is closed.
    Revoke {
        #[command(flatten)]
        owner: Owner,
        /// The token's id, as `list` shows it.
        id: String,
    },
}

#[derive(Debug, Args)]
struct Owner {
    /// The login, or the person's name in events; `local` is the server's owner.
    #[arg(long, value_name = "USER")]
    user: String,
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    owner: Owner,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Of read, write and admin, separated by blanks; none includes another.
    #[arg(long, value_name = "SCOPES")]
    scopes: String,
    /// When it ends, such as 2027-01-31T00:00:00Z; without an end it stays until it is revoked.
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    expires: Option<Moment>,
    /// After how many days it ends.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
}

impl Token {
    pub(in crate::cli) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = self.place.config(file)?;
        let desk = self.place.desk(&config, matches!(self.what, What::Create(_)))?;
        match &self.what {
            What::Create(create) => create.run(&desk)?,
            What::List { owner, json } => owner.list(&desk, *json)?,
            What::Revoke { owner, id } => owner.revoke(&desk, id)?,
        }
        Ok(Ended::Well)
    }
}

impl Create {
    fn run(&self, desk: &Desk) -> anyhow::Result<()> {
        let who = person(desk, &self.owner.user)?;
        let after = |days: u16| Moment(SystemClock.now().0 + i64::from(days) * DAY_MICROS);
        let expires = self.expires.or(self.days.map(after));
        let made = desk.ask(&Ask::AddToken(&who, json!({ "name": self.name, "scopes": self.scopes, "expires": expires })))?;
        eprintln!("aisled: the token is shown only now");
        print_json(&made)
    }
}

impl Owner {
    fn list(&self, desk: &Desk, as_json: bool) -> anyhow::Result<()> {
        let tokens = desk.ask(&Ask::Tokens(&person(desk, &self.user)?))?;
        if as_json {
            return print_json(&tokens);
        }
        println!("{:<18} {:<18} {:<28} {:<28} NAME", "ID", "SCOPES", "EXPIRES", "LAST USED");
        tokens["tokens"].as_array().into_iter().flatten().for_each(print_row);
        Ok(())
    }

    fn revoke(&self, desk: &Desk, id: &str) -> anyhow::Result<()> {
        let who = person(desk, &self.user)?;
        let unknown = PeopleError::UnknownCredential;
        let id: CredentialId = id.parse().map_err(|_| refused(unknown.code(), &unknown.to_string()))?;
        desk.ask(&Ask::RevokeToken(&who, id))?;
        print_json(&json!({ "revoked": id }))
    }
}

fn print_row(token: &Value) {
    let text = |field: &str| token[field].as_str().unwrap_or("-").to_owned();
    println!("{:<18} {:<18} {:<28} {:<28} {}", text("id"), text("scopes"), text("expires"), text("last_used"), text("name"));
}
