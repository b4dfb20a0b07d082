//! Who signed a token: its header chooses a key among the provider's, and ring checks the signature.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature::{self, Verifier},
};
use ring::signature as ring_signature;

use super::{OidcError, keys::Key, token::Claims};

/// How ring checks one algorithm.
enum Scheme {
    Rsa(&'static ring_signature::RsaParameters),
    Point(&'static dyn ring_signature::VerificationAlgorithm),
}

/// What a token may be signed with. Neither `none` nor a shared secret: with those, anybody who knows the public key could sign.
const SCHEMES: &[(Algorithm, Scheme)] = &[
    (Algorithm::RS256, Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA256)),
    (Algorithm::RS384, Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA384)),
    (Algorithm::RS512, Scheme::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA512)),
    (Algorithm::PS256, Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA256)),
    (Algorithm::PS384, Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA384)),
    (Algorithm::PS512, Scheme::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA512)),
    (Algorithm::ES256, Scheme::Point(&ring_signature::ECDSA_P256_SHA256_FIXED)),
    (Algorithm::ES384, Scheme::Point(&ring_signature::ECDSA_P384_SHA384_FIXED)),
    (Algorithm::EdDSA, Scheme::Point(&ring_signature::ED25519)),
];

/// The claims of a token that one of these keys has signed. Nothing of them is checked yet.
pub fn claims(token: &str, keys: &[Key]) -> Result<Claims, OidcError> {
    install();
    let header =
        jsonwebtoken::decode_header(token).map_err(|_| OidcError::Token("its header cannot be read or names no known algorithm"))?;
    if scheme(header.alg).is_none() {
        return Err(OidcError::Token("it is signed with an algorithm that proves nothing"));
    }
    // An extension that must be understood (RFC 7515, section 4.1.11); none is.
    if header.crit.is_some() {
        return Err(OidcError::Token("it has an extension that is not known"));
    }
    let mut fitting = keys.iter().filter(|key| key.fits(header.kid.as_deref(), header.alg)).peekable();
    fitting.peek().ok_or(OidcError::UnknownKey)?;
    let signed = fitting.find_map(|key| jsonwebtoken::decode(token, &key.public, &signature_only(header.alg)).ok());
    signed.map(|data| data.claims).ok_or(OidcError::Token("its signature or its content is wrong"))
}

/// The claims are checked by `token.rs`, with the server's clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

fn scheme(algorithm: Algorithm) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|(known, _)| *known == algorithm).map(|(_, scheme)| scheme)
}

/// Gives ring to jsonwebtoken, which has no cryptography of its own here.
fn install() {
    static ONCE: Once = Once::new();
    static RING: CryptoProvider = CryptoProvider {
        signer_factory: |_, _| -> Result<Box<dyn JwtSigner>, Error> { Err(ErrorKind::InvalidAlgorithm.into()) },
        verifier_factory: verifier,
        key_utils: KeyUtils::new_unimplemented(),
    };
    // It fails only where there is one already, and only this installs any.
    ONCE.call_once(|| {
        let _ = RING.install_default();
    });
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "this is the form that jsonwebtoken calls")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let scheme = scheme(*algorithm).filter(|_| key.family() == algorithm.family()).ok_or(ErrorKind::InvalidAlgorithm)?;
    Ok(Box::new(Ring { algorithm: *algorithm, scheme, key: key.clone() }))
}

struct Ring {
    algorithm: Algorithm,
    scheme: &'static Scheme,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match (self.scheme, self.key.kind()) {
            (Scheme::Rsa(rsa), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                ring_signature::RsaPublicKeyComponents { n, e }.verify(rsa, message, signature)
            }
            (Scheme::Point(algorithm), DecodingKeyKind::SecretOrDer(point)) => {
                ring_signature::UnparsedPublicKey::new(*algorithm, point).verify(message, signature)
            }
            (Scheme::Rsa(_), DecodingKeyKind::SecretOrDer(_)) | (Scheme::Point(_), DecodingKeyKind::RsaModulusExponent { .. }) => {
                return Err(signature::Error::new());
            }
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
