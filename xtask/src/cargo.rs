//! Cargo for the host: the user half, the tests, and tools from crates.io.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::command::{self, on_path};
use crate::workspace::Workspace;

/// The variable that tells `bwmon`'s build script where the kernel half is.
const KERNEL_OBJECT: &str = "BWMON_EBPF_OBJECT";

/// The variable that tells it where the dashboard is.
const WEB_DIRECTORY: &str = "BWMON_WEB_DIR";

/// `cargo VERB` in the workspace.
///
/// With the usual target directory the environment is that of a cargo called by hand, so that the
/// two do not throw away each other's builds; elsewhere the build script is told where to look.
pub(crate) fn host(workspace: &Workspace, verb: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.arg(verb).current_dir(workspace.root());
    if workspace.has_default_target() {
        cargo.env_remove(KERNEL_OBJECT).env_remove(WEB_DIRECTORY);
    } else {
        cargo
            .env("CARGO_TARGET_DIR", workspace.target())
            .env(KERNEL_OBJECT, workspace.kernel_object("bwmon"))
            .env(WEB_DIRECTORY, workspace.web());
    }
    cargo
}

/// A program from crates.io that xtask installs into the target directory.
pub(crate) struct Tool<'a> {
    /// The crate, which is also the program's name.
    pub(crate) name: &'a str,
    /// The version that is known to do.
    pub(crate) version: &'a str,
    /// What to say to cargo beyond that.
    pub(crate) arguments: Vec<String>,
    /// What the build needs to know.
    pub(crate) environment: Vec<(String, String)>,
}

impl Tool<'_> {
    /// Where [`Tool::install`] puts it.
    pub(crate) fn path(&self, workspace: &Workspace) -> PathBuf {
        workspace.tools().join("bin").join(self.name)
    }

    /// The one xtask installed, then the one on PATH.
    pub(crate) fn candidates(&self, workspace: &Workspace) -> Vec<PathBuf> {
        let own = Some(self.path(workspace)).filter(|own| own.is_file());
        own.into_iter().chain(on_path(self.name)).collect()
    }

    /// Compiles and installs it.
    ///
    /// # Errors
    /// When cargo fails.
    pub(crate) fn install(&self, workspace: &Workspace) -> Result<PathBuf> {
        command::run(&mut self.install_command(workspace))?;
        Ok(self.path(workspace))
    }

    /// The command that [`Tool::install`] runs.
    pub(crate) fn install_command(&self, workspace: &Workspace) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["install", "--locked", "--quiet", "--force", "--root"])
            .arg(workspace.tools())
            .args(["--version", self.version])
            .args(&self.arguments)
            .arg(self.name)
            // Such a tool runs for a second or two a day: compiling it is what costs.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .envs(self.environment.iter().cloned())
            .env_remove("CARGO_TARGET_DIR");
        cargo
    }
}
