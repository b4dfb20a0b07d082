//! `aisled serve`: checks the configuration and hands it to the application.

use std::path::PathBuf;

use clap::Args;

use super::{
    CliError, Ended,
    flags::{DataFlags, ServerFlags},
    prepare,
};
use crate::{serve, telemetry};

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    server: ServerFlags,
}

impl Serve {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let mut flags = self.data.values();
        flags.extend(self.server.values());
        let config = prepare(file, flags)?.config;
        let metrics = telemetry::install()?;
        let served = actix_rt::System::new().block_on(serve::serve(config, metrics));
        served.map_err(anyhow::Error::from)?;
        Ok(Ended::Well)
    }
}
