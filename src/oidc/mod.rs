//! Sign-in by an `OpenID` provider: the Authorization Code flow with PKCE (`OpenID` Connect Core 1.0, Discovery 1.0, RFC 7636, RFC 9700).
//!
//! [`Provider::begin`] makes the address to which a browser is sent, and remembers what only its return may use. [`Provider::take`] finds
//! that again, once. [`Provider::finish`] exchanges the code and returns who the provider says it is. Nothing here knows accounts.
//! What talks to the provider blocks: call it on a thread that may. None reads the clock: the caller passes the moment.

mod discovery;
mod errors;
mod exchange;
mod keys;
mod pending;
mod signature;
mod slots;
#[cfg(test)]
mod tests;
mod token;
mod web;

use parking_lot::Mutex;
use ring::digest::{SHA256, digest};
use url::Url;

pub use errors::OidcError;
pub use pending::{PENDING_MAX, PENDING_SECONDS, Pending, Purpose};
pub use token::Person;
pub use web::Limits;

use discovery::Directory;
use keys::Keyring;
use pending::{Waiting, random_text};
use slots::Slots;
use web::Web;

/// What is asked of the provider: a name for the new account, beside the identity.
const SCOPE: &str = "openid profile email";

/// How the provider is reached, and how it knows this server.
#[derive(Clone)]
pub struct Settings {
    pub issuer: String,
    pub client_id: String,
    /// None for a public client.
    pub client_secret: Option<String>,
    pub limits: Limits,
}

/// The provider of a server.
pub struct Provider {
    settings: Settings,
    web: Web,
    directory: Mutex<Directory>,
    keyring: Mutex<Keyring>,
    waiting: Mutex<Waiting>,
    slots: Slots,
}

/// A sign-in that has begun.
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the browser's cookie keeps: only the browser that began may finish.
    pub handle: String,
}

impl Provider {
    /// Of some settings; nothing is sent yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let web = Web::new(&settings.issuer, settings.limits);
        let (directory, keyring, waiting) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { settings, web, directory, keyring, waiting, slots: Slots::default() }
    }

    /// Begins a sign-in that ends at `redirect_uri`. Blocks: call on a thread that may.
    ///
    /// # Errors
    /// The provider cannot be reached, or describes itself wrongly.
    pub fn begin(&self, purpose: Purpose, redirect_uri: &str, now: i64) -> Result<Begun, OidcError> {
        let metadata = self.metadata(now)?;
        let pending = Pending::new(purpose, redirect_uri);
        let url = self.address(&metadata.authorization_endpoint, &pending)?;
        let handle = random_text();
        self.waiting.lock().add(&handle, pending, now);
        Ok(Begun { url, handle })
    }

    /// What was begun in this browser with this state; once. `issuer` is what the answer names, if it names one (RFC 9207).
    ///
    /// # Errors
    /// Nothing was begun so, it took too long, it was finished, or another provider answers.
    pub fn take(&self, handle: Option<&str>, state: &str, issuer: Option<&str>, now: i64) -> Result<Pending, OidcError> {
        let pending = handle.and_then(|handle| self.waiting.lock().take(handle, state, now)).ok_or(OidcError::State)?;
        if issuer.is_some_and(|issuer| issuer != self.settings.issuer) { Err(OidcError::State) } else { Ok(pending) }
    }

    /// Exchanges a code for the identity that the provider vouches for. Blocks: call on a thread that may.
    ///
    /// # Errors
    /// The provider cannot be reached or refuses the code, or its token does not prove what it must.
    pub fn finish(&self, pending: &Pending, code: &str, now: i64) -> Result<Person, OidcError> {
        let metadata = self.metadata(now)?;
        let _slot = self.slots.take()?;
        let token = exchange::id_token(&self.web, &metadata, &self.settings, pending, code)?;
        let claims = self.signed_claims(&metadata.jwks_uri, &token, now)?;
        token::check(
            claims,
            &token::Expected { issuer: &self.settings.issuer, client_id: &self.settings.client_id, nonce: pending.nonce(), now },
        )
    }

    /// The claims of a token that a key of the provider has signed. Keys may be new: then they are fetched again.
    fn signed_claims(&self, jwks_uri: &str, token: &str, now: i64) -> Result<token::Claims, OidcError> {
        let known = self.keyring.lock().fresh(now);
        if let Some(keys) = known {
            match signature::claims(token, &keys) {
                Err(OidcError::UnknownKey) if self.keyring.lock().may_fetch(now) => {}
                decided => return decided,
            }
        }
        self.keyring.lock().asked(now);
        let keys = keys::fetch(&self.web, jwks_uri)?;
        self.keyring.lock().keep(&keys, now);
        signature::claims(token, &keys)
    }

    /// What the provider says of itself, at most an hour old.
    fn metadata(&self, now: i64) -> Result<std::sync::Arc<discovery::Metadata>, OidcError> {
        if let Some(known) = self.directory.lock().fresh(now) {
            return Ok(known);
        }
        let _slot = self.slots.take()?;
        let found = std::sync::Arc::new(discovery::fetch(&self.web, &self.settings.issuer)?);
        self.directory.lock().keep(&found, now);
        Ok(found)
    }

    fn address(&self, endpoint: &str, pending: &Pending) -> Result<String, OidcError> {
        let mut url = Url::parse(endpoint).map_err(|_| OidcError::Unavailable("its authorization endpoint is not a URL".into()))?;
        let challenge = pending::text(digest(&SHA256, pending.verifier().as_bytes()).as_ref());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", pending.redirect_uri())
            .append_pair("scope", SCOPE)
            .append_pair("state", pending.state())
            .append_pair("nonce", pending.nonce())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}
