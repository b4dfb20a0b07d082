//! The caller, the command id and the condition of a request: read from its headers.

use std::{
    future::{Ready, ready},
    sync::LazyLock,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
};
use serde::Serialize;
use uuid::Uuid;

use super::error::Problem;
use crate::{
    actors::{CommandKey, Request},
    app::Current,
    domain::{ClientId, CommandId, Context, Moment, Principal, ids::IdError},
};

/// Names a family member the owner acts for; trusted because the request is authenticated.
pub const ACTING_AS: &str = "x-aisled-as";
/// Makes a write repeatable.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Names the device or program a command comes from; the history of a list shows it.
pub const CLIENT: &str = "x-aisled-client";
/// The longest `Idempotency-Key` accepted, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// The caller's data from a request's headers.
#[derive(Debug, Clone)]
pub struct Caller {
    pub who: Principal,
    /// When the request arrived.
    pub at: Moment,
    /// The device or program it comes from.
    pub client: Option<ClientId>,
    key: Option<CommandId>,
    if_version: Option<u64>,
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

impl Caller {
    fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let headers = request.headers();
        let app = Current::of(request)?;
        Ok(Self {
            who: principal(headers)?,
            at: app.clock.now(),
            client: client(headers)?,
            key: idempotency_key(headers)?,
            if_version: if_match(headers)?,
        })
    }

    /// What the decider may know of the request.
    #[must_use]
    pub fn context(&self) -> Context {
        Context { who: self.who.clone(), at: self.at }
    }

    /// Takes the body's `command_id` next to the header's key.
    ///
    /// # Errors
    /// 400 if both are given and differ.
    pub fn with_command_id(mut self, id: Option<CommandId>) -> Result<Self, Problem> {
        match (&self.key, id) {
            (Some(key), Some(id)) if *key != id => {
                let detail = "the Idempotency-Key header and command_id differ: give one of them";
                Err(Problem::malformed("two_command_ids", detail).at("/command_id"))
            }
            (None, id @ Some(_)) => {
                self.key = id;
                Ok(self)
            }
            _ => Ok(self),
        }
    }

    /// The caller of one line of many: each is a command of its own, without the condition of the whole.
    #[must_use]
    pub fn for_line(mut self, number: u64) -> Self {
        self.if_version = None;
        self.key = self.key.and_then(|key| CommandId::new(&derived_id("line", &number.to_string(), key.as_str())).ok());
        self
    }

    /// The id of a new entity: the client's own, else one derived from the key so that a repetition gets the same, else a new one.
    ///
    /// # Errors
    /// Never for ids generated here; they are plain text.
    pub fn id_for<I>(&self, given: Option<I>, kind: &str, make: impl Fn(&str) -> Result<I, IdError>) -> Result<I, Problem> {
        if let Some(id) = given {
            return Ok(id);
        }
        let text = match &self.key {
            Some(key) => derived_id(kind, self.who.as_str(), key.as_str()),
            None => Uuid::now_v7().to_string(),
        };
        make(&text).map_err(|error| Problem::internal(&error))
    }

    /// The command for the entity.
    #[must_use]
    pub fn request<C: Serialize>(self, entity: &str, command: C) -> Request<C> {
        let key = self.key.clone().map(|id| CommandKey { id, digest: digest(entity, &command) });
        Request { context: self.context(), command, more: Vec::new(), key, client: self.client, if_version: self.if_version }
    }

    /// Like `request`, for a command with a value that the client left out, such as the time: `given` is what the client sent.
    #[must_use]
    pub fn request_as_given<C, G: Serialize>(self, entity: &str, command: C, given: &G) -> Request<C> {
        let key = self.key.clone().map(|id| CommandKey { id, digest: digest(entity, given) });
        Request { context: self.context(), command, more: Vec::new(), key, client: self.client, if_version: self.if_version }
    }
}

impl Caller {
    /// The server's own commands, recorded as one at exactly this version. `None` if there is none.
    #[must_use]
    pub fn own_request<C>(&self, commands: Vec<C>, key: CommandKey, version: u64) -> Option<Request<C>> {
        let mut commands = commands.into_iter();
        let command = commands.next()?;
        let (more, client) = (commands.collect(), self.client.clone());
        Some(Request { context: self.context(), command, more, key: Some(key), client, if_version: Some(version) })
    }
}

/// Distinguishes commands under the same id: a digest of the entity and the command's JSON.
#[must_use]
pub fn digest<C: Serialize>(entity: &str, command: &C) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(entity.as_bytes());
    hasher.update(&[0]);
    // A command is plain data, so writing it cannot fail; an empty text would only make repetitions look different.
    hasher.update(&serde_json::to_vec(command).unwrap_or_default());
    let hash = hasher.finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes hold 8 because a hash has a fixed length"))
}

fn derived_id(kind: &str, who: &str, key: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("aisled 2026 id of a thing made under an idempotency key");
    for part in [kind, who, key] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let hash = hasher.finalize();
    let bytes = *hash.as_bytes().first_chunk().expect("32 bytes hold 16 because a hash has a fixed length");
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn principal(headers: &HeaderMap) -> Result<Principal, Problem> {
    static LOCAL: LazyLock<Principal> =
        LazyLock::new(|| Principal::new("local").expect("the text is a valid id because it has five letters"));
    match headers.get(ACTING_AS) {
        None => Ok(LOCAL.clone()),
        Some(value) => value
            .to_str()
            .map_err(|_| "it is not plain text".to_owned())
            .and_then(|text| Principal::new(text).map_err(|error| error.to_string()))
            .map_err(|error| Problem::malformed("invalid_principal", format!("X-Aisled-As is not a valid principal: {error}"))),
    }
}

/// The client's own name, else the program in its `User-Agent`, without its version.
fn client(headers: &HeaderMap) -> Result<Option<ClientId>, Problem> {
    if let Some(value) = headers.get(CLIENT) {
        let named = ClientId::new(value.to_str().unwrap_or_default());
        return named
            .map(Some)
            .map_err(|error| Problem::malformed("invalid_client", format!("X-Aisled-Client is not a valid client name: {error}")));
    }
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Every browser begins with Mozilla; its own name comes later, and some name others after it.
    let browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].into_iter().find(|browser| agent.contains(&format!("{browser}/")));
    let program = browser.unwrap_or_else(|| agent.split(['/', ' ']).next().unwrap_or_default());
    Ok(ClientId::new(&program.to_ascii_lowercase()).ok())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<CommandId>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    // Some clients send a structured-field string, in quotes.
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.len() > KEY_BYTES_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} visible ASCII characters");
        return Err(Problem::malformed("invalid_idempotency_key", detail));
    }
    let id = CommandId::new(text).or_else(|_| CommandId::new(&format!("k:{}", &blake3::hash(text.as_bytes()).to_hex()[..48])));
    id.map(Some).map_err(|error| Problem::internal(&error))
}

/// The version in `If-Match: "<version>"`. A list's tag `"<version>.<hash>"` counts by its version: prices are not edits.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let inner = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let version = inner.split('.').next().unwrap_or_default();
    version.parse().map(Some).map_err(|_| {
        let detail = "If-Match takes one version as it came in an ETag, such as \"7\"";
        Problem::malformed("invalid_if_match", detail)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"));
        headers
    }

    #[test]
    fn an_etag_of_any_read_serves_as_a_condition() {
        for (text, version) in [("\"7\"", 7), ("\"7.12af\"", 7), ("W/\"7\"", 7), ("7", 7)] {
            assert_eq!(if_match(&headers("if-match", text)).expect("is a version"), Some(version));
        }
        assert_eq!(if_match(&headers("if-match", "\"abc\"")).expect_err("is refused").code(), "invalid_if_match");
    }

    #[test]
    fn a_client_is_what_it_calls_itself_or_the_program_it_runs_in() {
        let named = |name: &'static str, value: &str| client(&headers(name, value)).map(|client| client.map(|client| client.to_string()));
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(named(CLIENT, "kitchen-tablet").expect("is an id").as_deref(), Some("kitchen-tablet"));
        assert_eq!(named("user-agent", "curl/8.5.0").expect("is allowed").as_deref(), Some("curl"));
        assert_eq!(named("user-agent", firefox).expect("is allowed").as_deref(), Some("firefox"));
        assert_eq!(named("user-agent", "(odd)").expect("is allowed"), None);
        assert_eq!(named(CLIENT, "my phone").expect_err("is refused").code(), "invalid_client");
    }

    #[test]
    fn a_key_that_is_no_id_becomes_one_and_stays_the_same() {
        let key = |text: &str| idempotency_key(&headers(IDEMPOTENCY_KEY, text)).expect("is accepted").expect("is there");
        assert_eq!(key("order-17").as_str(), "order-17");
        assert_eq!(key("a/b?c=1"), key("a/b?c=1"));
        assert_ne!(key("a/b?c=1"), key("a/b?c=2"));
    }

    #[test]
    fn the_same_command_has_the_same_digest_only_for_the_same_entity() {
        assert_eq!(digest("a", &1), digest("a", &1));
        assert_ne!(digest("a", &1), digest("b", &1));
        assert_ne!(digest("a", &1), digest("a", &2));
    }

    #[test]
    fn an_id_made_under_a_key_is_made_again_by_a_repetition() {
        assert_eq!(derived_id("list", "local", "k1"), derived_id("list", "local", "k1"));
        assert_ne!(derived_id("list", "local", "k1"), derived_id("item", "local", "k1"));
        assert!(crate::domain::ids::check_id(&derived_id("list", "local", "k1")).is_ok());
    }
}
