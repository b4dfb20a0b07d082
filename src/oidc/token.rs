//! What an ID token must say (`OpenID` Connect Core 1.0, section 3.1.3.7).

use serde::Deserialize;

use super::OidcError;

/// Seconds by which the clocks of provider and server may differ.
const SKEW_SECONDS: i64 = 60;
/// Characters of a provider's name of a person (Core, section 2).
const SUBJECT_CHARS_MAX: usize = 255;

/// Who the provider says it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    /// How the person likes to be called when typing; a hint for a login, and no proof of anything.
    pub preferred_username: Option<String>,
    /// A hint for a login. It never finds an account: many providers let people enter any address.
    pub email: Option<String>,
    pub name: Option<String>,
}

/// What is read of a token.
#[derive(Deserialize)]
pub struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// What a token is compared with.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// Seconds since 1970.
    pub now: i64,
}

/// The person, if the token is from this provider, for this server, for this sign-in, and of now.
pub fn check(claims: Claims, expected: &Expected<'_>) -> Result<Person, OidcError> {
    check_parties(&claims, expected)?;
    check_times(&claims, expected.now)?;
    // Hashes are compared in constant time.
    let hash = |text: &str| blake3::hash(text.as_bytes());
    if claims.nonce.as_deref().map(hash) != Some(hash(expected.nonce)) {
        return Err(OidcError::Token("it is for another sign-in (nonce)"));
    }
    if claims.sub.is_empty() || claims.sub.chars().count() > SUBJECT_CHARS_MAX {
        return Err(OidcError::Token("its subject is empty or too long"));
    }
    let Claims { iss, sub, preferred_username, email, name, .. } = claims;
    Ok(Person { issuer: iss, subject: sub, preferred_username, email, name })
}

fn check_parties(claims: &Claims, expected: &Expected<'_>) -> Result<(), OidcError> {
    if claims.iss != expected.issuer {
        return Err(OidcError::Token("it is from another provider (iss)"));
    }
    let audience = claims.aud.all();
    // Others than this server could use a token that is for them as well: none is trusted.
    if audience.is_empty() || audience.iter().any(|one| one != expected.client_id) {
        return Err(OidcError::Token("it is for somebody else (aud)"));
    }
    match claims.azp.as_deref() {
        Some(party) if party != expected.client_id => Err(OidcError::Token("it was given to somebody else (azp)")),
        Some(_) | None => Ok(()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in a float for millions of years")]
fn check_times(claims: &Claims, now: i64) -> Result<(), OidcError> {
    let (now, skew) = (now as f64, SKEW_SECONDS as f64);
    if claims.exp + skew <= now {
        return Err(OidcError::Token("it has expired (exp)"));
    }
    if claims.iat - skew > now || claims.nbf.is_some_and(|nbf| nbf - skew > now) {
        return Err(OidcError::Token("it is from the future (iat, nbf): compare the clocks"));
    }
    Ok(())
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}
