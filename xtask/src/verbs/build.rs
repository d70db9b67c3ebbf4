//! `cargo xtask build`: both halves and the dashboard, in release mode.

use anyhow::{Context, Result};

use super::build_ebpf::build_ebpf;
use super::build_web::build_web;
use crate::cargo;
use crate::command;
use crate::workspace::Workspace;

/// Builds the kernel half and the dashboard, then the program that carries them.
///
/// # Errors
/// When the toolchain is not to be had or a build fails.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    build_ebpf(workspace)?;
    build_web(workspace)?;
    let mut cargo = cargo::host(workspace, "build");
    cargo.args(["--release", "--package", "bwmon"]);
    command::run(&mut cargo).context("build bwmon")
}
