//! Where things are: the repository, cargo's target directory, the tools that xtask installs.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The target that the kernel half is built for.
pub(crate) const BPF_TARGET: &str = "bpfel-unknown-none";

/// The paths that all verbs share.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The workspace that this xtask was compiled in.
    ///
    /// # Errors
    /// When the current directory is needed and cannot be read.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("find the workspace above xtask: run xtask by `cargo xtask` in the clone")?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            // Cargo takes a relative one from the directory it was called in, and so do we.
            Some(target) => env::current_dir()
                .context("read the current directory, which CARGO_TARGET_DIR is relative to")?
                .join(target),
            None => root.join("target"),
        };
        Ok(Self {
            root: root.to_owned(),
            target,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Whether build products go where cargo puts them when nobody says otherwise.
    pub(crate) fn has_default_target(&self) -> bool {
        self.target == self.root.join("target")
    }

    /// The target directory of the kernel half. It has a compiler of its own, and in a shared
    /// directory each half would throw away what the other built.
    pub(crate) fn kernel_target(&self) -> PathBuf {
        self.target.join("ebpf")
    }

    /// Where the kernel half ends up, for the user half to embed.
    pub(crate) fn kernel_object(&self, name: &str) -> PathBuf {
        self.target.join(BPF_TARGET).join("release").join(name)
    }

    /// A program of the user half, built in release mode.
    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// What the dashboard is made of.
    pub(crate) fn web_sources(&self) -> PathBuf {
        self.root.join("bwmon/web")
    }

    /// Where the dashboard ends up, for the user half to embed.
    pub(crate) fn web(&self) -> PathBuf {
        self.target.join("web")
    }

    /// Tools that xtask compiled; they go away with the target directory.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The Python environment of the tests.
    pub(crate) fn python(&self) -> PathBuf {
        self.target.join("python")
    }

    /// The servers that xtask unpacked for the tests.
    pub(crate) fn servers(&self) -> PathBuf {
        self.target.join("servers")
    }
}
