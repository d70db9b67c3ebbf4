//! `cargo xtask demo`: bwmon in a home that is not there, for somebody who wants to see it.

use anyhow::{Context, Result};

use super::build::build;
use crate::cargo;
use crate::command;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// The program that makes the home.
const DEMO: &str = "bwmon-demo";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the dashboard is, on the loopback of this machine; 0 takes a free one.
    #[arg(long, default_value_t = 4040)]
    port: u16,
    /// End by itself after so many seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Leave out the made-up weeks before today.
    #[arg(long)]
    no_past: bool,
}

/// Builds everything in release mode, then becomes the demo, so that Ctrl-C reaches it.
///
/// # Errors
/// When a build fails or the demo cannot be started.
pub(crate) fn demo(workspace: &Workspace, options: &Options) -> Result<()> {
    if !command::can_be_root() {
        let why = "the demo takes root, for network namespaces and to load programs, and there is no sudo";
        return Err(Outcome::by_hand(
            why,
            [command::typed_as_root("cargo xtask demo")],
        ));
    }
    build(workspace)?;
    let mut cargo = cargo::host(workspace, "build");
    cargo.args(["--release", "--package", "bwmon-tests", "--bin", DEMO]);
    command::run(&mut cargo).context("build the demo")?;
    let mut demo = command::as_root(workspace.release_binary(DEMO));
    demo.arg("--bwmon").arg(workspace.release_binary("bwmon"));
    demo.arg(format!("--port={}", options.port));
    if let Some(seconds) = options.seconds {
        demo.arg(format!("--seconds={seconds}"));
    }
    if options.no_past {
        demo.arg("--no-past");
    }
    command::exec(&mut demo)
}
