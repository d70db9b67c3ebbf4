//! `cargo xtask bench`: what the programs cost a packet.

use std::ffi::OsString;

use anyhow::{Context, Result};

use super::build::build;
use crate::cargo;
use crate::command;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Options of bwmon-bench, such as `--json`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds everything in release mode, then becomes the bench. Only its report goes to standard
/// output.
///
/// # Errors
/// When a build fails or the bench cannot be started.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<()> {
    build(workspace)?;
    let mut cargo = cargo::host(workspace, "build");
    cargo.args([
        "--release",
        "--package",
        "bwmon-tests",
        "--bin",
        "bwmon-bench",
    ]);
    command::run(&mut cargo).context("build the bench")?;
    // Loading programs takes root.
    let bench = workspace.release_binary("bwmon-bench");
    command::exec(
        command::as_root(bench)
            .args(&options.arguments)
            .current_dir(workspace.root()),
    )
}
