//! `aisled user` and `aisled token`: people and their programs, managed at a terminal, with or without a running server.

mod desk;
mod password;
mod token;
mod user;

pub(super) use token::Token;
pub(super) use user::User;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::{CliError, flags::DataFlags, prepare};
use crate::{
    config::Config,
    domain::Principal,
    people::{OWNER, PeopleError},
};
use desk::{Ask, Desk};

/// Where the accounts are.
#[derive(Debug, Clone, Args)]
struct Place {
    #[command(flatten)]
    data: DataFlags,
    /// A running server, such as <http://127.0.0.1:8080>; without it, the one that has the data folder open, else the folder itself.
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
}

impl Place {
    fn config(&self, file: Option<PathBuf>) -> Result<Config, CliError> {
        Ok(prepare(file, self.data.values())?.config)
    }

    fn desk(&self, config: &Config, makes: bool) -> anyhow::Result<Desk> {
        Desk::open(self.url.as_deref(), config, makes)
    }
}

/// The person whom a text means: by the name in events, or by the login. The owner is known before there is an account.
fn person(desk: &Desk, text: &str) -> anyhow::Result<Principal> {
    let users = desk.ask(&Ask::Users)?;
    let users = users["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let by = |field: &str, wanted: &str| users.iter().find(|user| user[field] == wanted).and_then(|user| user["who"].as_str());
    let found = match (by("who", text), by("login", &text.to_ascii_lowercase())) {
        (Some(one), Some(other)) if one != other => {
            return Err(anyhow!(
                "{text} is the name of one account and the login of another, {other}: give the other text of the one you mean"
            ));
        }
        (Some(who), _) | (None, Some(who)) => who,
        (None, None) if text == OWNER => OWNER,
        (None, None) => return Err(refused(PeopleError::UnknownAccount.code(), &PeopleError::UnknownAccount.to_string())),
    };
    Ok(Principal::new(found)?)
}

/// A refusal as it is printed: the sentence, and the stable code.
fn refused(code: &str, detail: &str) -> anyhow::Error {
    anyhow!("{detail} ({code})")
}
