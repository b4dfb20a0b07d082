//! Where accounts are managed: at the running server, or in the folder that none has open. Both do the same with the same request.

use anyhow::Context;
use serde::Serialize;
use serde_json::Value;

use super::refused;
use crate::{
    app::accounts,
    cli::admin::{Refused, Remote},
    config::Config,
    domain::Principal,
    events::clock::{Clock, SystemClock},
    http::{
        error::Problem,
        people::{accounts as users, tokens},
    },
    people::{CredentialId, FOLDER, Options, People, PeopleError},
    serve::terminal,
};

/// Where the accounts are managed over HTTP.
const USERS: &str = "/api/v1/users";
/// Where tokens are managed over HTTP, in the name of the person.
const TOKENS: &str = "/api/v1/tokens";

/// The place that answers.
pub enum Desk {
    Server(Remote),
    Folder(People),
}

/// What can be asked for. A body is what the API takes.
pub enum Ask<'a> {
    Users,
    AddUser(Value),
    ChangeUser(&'a Principal, Value),
    Tokens(&'a Principal),
    AddToken(&'a Principal, Value),
    RevokeToken(&'a Principal, CredentialId),
}

impl Desk {
    /// The named server; else the one that has the data folder open; else the folder, which is only made if `makes` is set.
    ///
    /// # Errors
    /// When another process has the store open and no server answers, or the store cannot be used.
    pub fn open(url: Option<&str>, config: &Config, makes: bool) -> anyhow::Result<Self> {
        if let Some(url) = url {
            return Ok(Self::Server(Remote::new(url, config)));
        }
        let Some(found) = terminal::find(&config.data) else { return Self::folder(config, makes) };
        let server = Remote::of(&found);
        // A server that was killed leaves its key, and its port may be another's by now.
        match server.try_out(USERS) {
            Ok(()) => Ok(Self::Server(server)),
            Err(silent) => Self::folder(config, makes).with_context(|| format!("no server answers for this folder: {silent:#}")),
        }
    }

    fn folder(config: &Config, makes: bool) -> anyhow::Result<Self> {
        // Looking must not make a folder.
        if !makes && !config.data.join(FOLDER).exists() {
            return Ok(Self::Folder(People::in_memory(Options::default())?));
        }
        let opened = accounts::open(&config.data).map_err(|error| match &error {
            PeopleError::Locked { .. } => {
                anyhow::anyhow!("{error}, which does not answer ({}): end it, or name it with --url", error.code())
            }
            PeopleError::Store(_)
            | PeopleError::Input(_)
            | PeopleError::LoginTaken
            | PeopleError::PrincipalTaken
            | PeopleError::SubjectTaken
            | PeopleError::UnknownAccount
            | PeopleError::Inactive
            | PeopleError::LastAdmin
            | PeopleError::LastWayIn
            | PeopleError::UnknownCredential
            | PeopleError::TooMany { .. }
            | PeopleError::Busy => refused(error.code(), &error.to_string()),
        });
        opened.map(Self::Folder)
    }

    /// Asks, and returns what the API answers.
    ///
    /// # Errors
    /// The refusal with its code, or why nothing answers.
    pub fn ask(&self, ask: &Ask<'_>) -> anyhow::Result<Value> {
        match self {
            Self::Server(server) => over_http(server, ask).map_err(|error| match error.downcast_ref::<Refused>() {
                Some(Refused { code, detail }) => refused(code, detail),
                None => error,
            }),
            Self::Folder(people) => in_folder(people, ask).map_err(|problem| refused(problem.code(), problem.detail())),
        }
    }
}

fn over_http(server: &Remote, ask: &Ask<'_>) -> anyhow::Result<Value> {
    match ask {
        Ask::Users => server.get(USERS),
        Ask::AddUser(body) => server.post(USERS, body),
        Ask::ChangeUser(who, body) => server.patch(&format!("{USERS}/{who}"), body),
        Ask::Tokens(who) => server.acting_for(who).get(TOKENS),
        Ask::AddToken(who, body) => server.acting_for(who).post(TOKENS, body),
        Ask::RevokeToken(who, id) => server.acting_for(who).delete(&format!("{TOKENS}/{id}")),
    }
}

fn in_folder(people: &People, ask: &Ask<'_>) -> Result<Value, Problem> {
    let now = SystemClock.now();
    match ask {
        Ask::Users => shown(&users::list(people)),
        Ask::AddUser(body) => shown(&users::add(people, read(body)?, now)?),
        Ask::ChangeUser(who, body) => shown(&users::change_one(people, who, read(body)?, now)?),
        Ask::Tokens(who) => shown(&tokens::list(people, who)?),
        Ask::AddToken(who, body) => shown(&tokens::make(people, who, read::<tokens::TokenRequest>(body)?.read()?, now)?),
        Ask::RevokeToken(who, id) => Ok(people.revoke_token(who, *id).map(|()| Value::Null)?),
    }
}

/// A body as the API reads it.
fn read<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, Problem> {
    T::deserialize(body).map_err(|error| Problem::malformed("invalid_body", error.to_string()))
}

fn shown(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(|error| Problem::internal(&error))
}
