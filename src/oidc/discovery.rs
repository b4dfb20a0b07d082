//! What the provider says of itself (`OpenID` Connect Discovery 1.0).

use std::sync::Arc;

use serde::Deserialize;

use super::{OidcError, web::Web};

/// Seconds for which it is kept.
pub const KEPT_SECONDS: i64 = 3_600;

/// The part of the document that is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    /// How a client proves who it is; if absent, by HTTP Basic.
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Whether the client's secret goes into the form: only where the provider takes it nowhere else.
    pub fn takes_secret_in_form(&self) -> bool {
        let takes =
            |method: &str| self.token_endpoint_auth_methods_supported.as_ref().is_some_and(|all| all.iter().any(|one| one == method));
        takes("client_secret_post") && !takes("client_secret_basic")
    }
}

/// The document, with the second at which it was read.
#[derive(Default)]
pub struct Directory(Option<(Arc<Metadata>, i64)>);

impl Directory {
    /// The document, unless it is too old.
    pub fn fresh(&self, now: i64) -> Option<Arc<Metadata>> {
        self.0.as_ref().filter(|(_, read)| is_fresh(*read, now)).map(|(metadata, _)| Arc::clone(metadata))
    }

    /// Keeps a document.
    pub fn keep(&mut self, metadata: &Arc<Metadata>, now: i64) {
        self.0 = Some((Arc::clone(metadata), now));
    }
}

/// Reads and checks the document.
pub fn fetch(web: &Web, issuer: &str) -> Result<Metadata, OidcError> {
    let found: Metadata = web.get(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
    // To the letter (Discovery, section 4.3): another provider's document must not stand in for this one's.
    if found.issuer != issuer {
        return Err(OidcError::Unavailable("it calls itself by another address than oidc_issuer".into()));
    }
    [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri].into_iter().try_for_each(|endpoint| web.check(endpoint))?;
    Ok(found)
}

/// A clock that was set back makes it old as well.
pub fn is_fresh(read: i64, now: i64) -> bool {
    (0..KEPT_SECONDS).contains(&now.saturating_sub(read))
}
