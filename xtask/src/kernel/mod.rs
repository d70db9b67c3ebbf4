//! The toolchain of the kernel half: a compiler that knows the BPF target, and bpf-linker.
//!
//! The compiler is looked for in this order: rustup's nightly with rust-src, Debian's `rustc-web`.
//! What is missing is installed; on a machine where all is there, finding out takes some 0.2 s.

mod compiler;
mod linker;
mod probe;

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use self::compiler::Compiler;
use crate::workspace::{BPF_TARGET, Workspace};

/// A compiler and a linker that have been seen to work together.
pub(crate) struct Toolchain {
    compiler: Compiler,
    linker: PathBuf,
}

impl Toolchain {
    /// Finds the toolchain, and installs what is missing of it.
    ///
    /// # Errors
    /// [`crate::outcome::Outcome::ByHand`] when something cannot be installed from here.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let compiler = compiler::ensure()?;
        let linker = linker::ensure(workspace, &compiler)?;
        Ok(Self { compiler, linker })
    }

    /// `cargo build` for the kernel: release mode, BPF target, nothing of the user half's settings.
    pub(crate) fn cargo_build(&self, workspace: &Workspace) -> Command {
        let mut cargo = self.compiler.cargo();
        cargo
            .args(["build", "--release", "--target", BPF_TARGET, "--config"])
            .arg(workspace.root().join("xtask/bpf.toml"))
            .args(self.compiler.build_arguments())
            .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &self.linker)
            .current_dir(workspace.root());
        // Meant for the host's compiler; the first two would replace the flags in bpf.toml, the last
        // is where `cargo run` put the libraries of that compiler.
        for variable in [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTC_WRAPPER",
            "LD_LIBRARY_PATH",
        ] {
            cargo.env_remove(variable);
        }
        cargo
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} and {}", self.compiler, self.linker.display())
    }
}
