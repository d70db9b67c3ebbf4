//! `cargo xtask setup`: everything that any verb could miss.

use anyhow::Result;

use super::build_web;
use crate::kernel::Toolchain;
use crate::tools;
use crate::workspace::Workspace;

/// Sets up the compiler for the kernel half and the tools of the tests.
///
/// # Errors
/// When something is missing and cannot be installed.
pub(crate) fn setup(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace)?;
    eprintln!("kernel half: {toolchain}");
    build_web::ensure_packages(workspace)?;
    tools::ensure_programs(workspace)?;
    let cargo_deny = tools::ensure_cargo_deny(workspace)?;
    eprintln!("licence check: {}", cargo_deny.display());
    Ok(())
}
