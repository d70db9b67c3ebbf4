//! Finding a Rust compiler with `core` for the BPF target, and installing one.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command::{self, on_path};
use crate::debian;
use crate::outcome::Outcome;
use crate::workspace::BPF_TARGET;

/// Where Debian has its compiler; rustup's stands before it on PATH.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Debian's backport of a current compiler to a stable release, and `core` for BPF, ready built.
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];

/// How long a download of rust-src (3 MB) may take before Debian's compiler is the better idea.
const RUST_SRC_PATIENCE: Duration = Duration::from_secs(60);

/// Where the compiler is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Nightly,
    Debian,
}

/// A compiler that can build for BPF.
#[derive(Debug)]
pub(super) struct Compiler {
    origin: Origin,
    /// What `rustc -vV` says.
    version: String,
}

/// Finds a compiler, and installs one where there is none.
///
/// # Errors
/// [`Outcome::ByHand`] when none can be installed from here.
pub(super) fn ensure() -> Result<Compiler> {
    let nightly = nightly()?;
    if let Some(nightly) = &nightly
        && has_rust_src()
    {
        return nightly.checked();
    }
    if let Some(debian) = debian()? {
        return Ok(debian);
    }
    if let Some(nightly) = &nightly
        && add_rust_src()
    {
        return nightly.checked();
    }
    install_debian()?;
    debian()?.with_context(|| {
        format!("find `core` for {BPF_TARGET} beside {DEBIAN_RUSTC}: its packages are installed, but of an unexpected version")
    })
}

impl Compiler {
    /// Cargo as this compiler wants to be called.
    pub(super) fn cargo(&self) -> Command {
        match self.origin {
            Origin::Nightly => {
                let mut cargo = Command::new("rustup");
                cargo
                    .args(["run", "nightly", "cargo"])
                    .env_remove("CARGO")
                    .env_remove("RUSTC")
                    .env_remove("RUSTUP_TOOLCHAIN");
                cargo
            }
            Origin::Debian => {
                let mut cargo = Command::new("cargo");
                cargo
                    .env("RUSTC", DEBIAN_RUSTC)
                    .env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
        }
    }

    /// What to add to `cargo build`.
    pub(super) fn build_arguments(&self) -> &'static [&'static str] {
        match self.origin {
            Origin::Nightly => &["-Z", "build-std=core"],
            Origin::Debian => &[],
        }
    }

    /// What `rustc -vV` says.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// The major version of the LLVM inside, which is what the linker has to match.
    pub(super) fn llvm_major(&self) -> Result<u32> {
        field(&self.version, "LLVM version: ")
            .and_then(|version| version.split('.').next()?.parse().ok())
            .with_context(|| format!("find the LLVM version in what rustc -vV says: {}", self.version))
    }

    fn is_new_enough(&self) -> bool {
        let release = field(&self.version, "release: ").and_then(major_minor);
        release >= Some(oldest())
    }

    fn checked(self) -> Result<Self> {
        Ok(self)
    }
}
