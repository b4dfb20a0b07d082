//! `aisled views prepare`: builds the views of this version of the program from a snapshot, while an older one still serves.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{CliError, Ended, snapshot::PlaceFlags, watch::watched};
use crate::app::prepare::prepare;

#[derive(Debug, Args)]
pub(super) struct Views {
    #[command(flatten)]
    place: PlaceFlags,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Build them before an upgrade, compare them, and put them where the next start finds them.
    Prepare {
        /// The snapshot to build them from: the newer, the less is left to replay.
        #[arg(long, value_name = "NAME")]
        snapshot: String,
    },
}

impl Views {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = self.place.config(file)?;
        let What::Prepare { snapshot } = self.what;
        let prepared = watched(|progress| Ok(prepare(&config, &snapshot, progress)?))?;
        if let Some(differ) = prepared.differ.as_ref().filter(|differ| !differ.is_empty()) {
            eprintln!("aisled: this program computes a different state than the one that created the snapshot, in: {}", differ.join(", "));
        }
        println!("{}", serde_json::to_string(&prepared).map_err(anyhow::Error::from)?);
        Ok(if prepared.differ.is_some_and(|differ| !differ.is_empty()) { Ended::FoundProblems } else { Ended::Well })
    }
}
