//! The exchange of a code for a token, by which the server proves who it is (Core, section 3.1.3; RFC 7636).

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{
    OidcError, Pending, Settings,
    discovery::Metadata,
    web::{self, Web},
};

/// The part of the answer that is used: the other tokens are forgotten.
#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

/// The ID token for a code.
pub fn id_token(web: &Web, metadata: &Metadata, settings: &Settings, pending: &Pending, code: &str) -> Result<String, OidcError> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", pending.redirect_uri())
        .append_pair("code_verifier", pending.verifier());
    let authorization = match &settings.client_secret {
        Some(secret) if metadata.takes_secret_in_form() => {
            form.append_pair("client_id", &settings.client_id).append_pair("client_secret", secret);
            None
        }
        Some(secret) => Some(basic(&settings.client_id, secret)),
        None => {
            form.append_pair("client_id", &settings.client_id);
            None
        }
    };
    let answer = web.post(&metadata.token_endpoint, authorization.as_deref(), form.finish())?;
    match answer.status().as_u16() {
        200 => web::read::<Answer>(answer).map(|answer| answer.id_token),
        400 => Err(refused(web::read(answer)?)),
        401 => Err(OidcError::Unavailable("it does not accept oidc_client_id with oidc_client_secret".into())),
        status => Err(OidcError::Unavailable(format!("it answered {status} to the exchange of the code"))),
    }
}

/// Why the provider refuses (RFC 6749, section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// A code that was used or is too old is the browser's; the rest is for the operator.
fn refused(refusal: Refusal) -> OidcError {
    match refusal.error.as_str() {
        "invalid_grant" => OidcError::CodeRefused,
        "invalid_client" | "unauthorized_client" => {
            OidcError::Unavailable("it does not accept oidc_client_id with oidc_client_secret".into())
        }
        _ => OidcError::Unavailable("it refused the exchange of the code".into()),
    }
}

/// Both parts are encoded before (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", Base64::encode_string(format!("{}:{}", encoded(id), encoded(secret)).as_bytes()))
}
