//! `cargo xtask run`: from a clone to a running daemon.

use std::ffi::OsString;

use anyhow::Result;

use super::build::build;
use crate::command;
use crate::workspace::Workspace;

/// Variables that the daemon reads and sudo would not pass on.
const ENVIRONMENT: [&str; 3] = ["NO_COLOR", "RUST_BACKTRACE", "RUST_LOG"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Options of `bwmon run`, such as `--iface eth1`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds both halves, then becomes `bwmon run`, so that signals reach the daemon and its exit code
/// is ours.
///
/// # Errors
/// When a build fails or the daemon cannot be started.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    build(workspace)?;
    let bwmon = workspace.release_binary("bwmon");
    let mut daemon = command::as_root_keeping(bwmon, &ENVIRONMENT);
    command::exec(daemon.arg("run").args(&options.arguments))
}
