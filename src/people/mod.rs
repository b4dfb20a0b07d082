//! Who asks: accounts, their credentials, and the identity that a request proves.

mod credential;
pub mod identity;

pub use credential::CredentialError;
pub use identity::{CredentialId, Identity};
