//! Who may change what the server shares.

use serde::{Deserialize, Serialize};

/// Who may change products, prices, stores and offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum CatalogWriters {
    /// Owners and adults of any household, and accounts that are in none yet.
    #[default]
    Members,
    /// Admins of the server only.
    Admins,
}

impl std::fmt::Display for CatalogWriters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Members => "members",
            Self::Admins => "admins",
        })
    }
}
