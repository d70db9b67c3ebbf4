//! `bwmon run`: the daemon.

use std::process::ExitCode;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::args::{Options, RunArgs};
use crate::{config, engine, kernel, tls};

/// Counts, compares and alerts until a signal says stop.
pub fn run(options: &Options, args: &RunArgs) -> anyhow::Result<ExitCode> {
    tls::init();
    let overrides = args.overrides(options);
    let config = config::load(&overrides)?;
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    // Before there are threads, each of which has a set of its own.
    if let Err(error) = kernel::keep_capabilities_from_programs() {
        log::debug!("there are no ambient capabilities to give up: {error}");
    }
    // One for the loop, one for readers, so that a large answer does not hold up a sample.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("bwmon")
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    runtime.block_on(engine::run(config, overrides, CancellationToken::new()))?;
    Ok(ExitCode::SUCCESS)
}
