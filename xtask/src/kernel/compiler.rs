//! Finding a Rust compiler with `core` for the BPF target, and installing one.

use std::env;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::command::{self, on_path};
use crate::debian;
use crate::outcome::Outcome;
use crate::workspace::BPF_TARGET;

/// Where Debian has its compiler; rustup's stands before it on PATH.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// Debian's backport of a current compiler to a stable release, and `core` for BPF, ready built.
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];

/// How long the download of rust-src (3 MB) may take before Debian's compiler is the better idea.
const RUST_SRC_PATIENCE: Duration = Duration::from_secs(60);

/// What to type where xtask has no way.
const RUSTUP_COMMANDS: [&str; 1] =
    ["rustup toolchain install nightly --profile minimal --component rust-src"];

/// A compiler that can build for BPF.
#[derive(Clone, Debug)]
pub(super) struct Compiler {
    origin: Origin,
    /// What `rustc -vV` says.
    version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Nightly,
    Debian,
}

/// Finds a compiler, and installs one where there is none.
///
/// # Errors
/// [`Outcome::ByHand`] when none can be installed from here.
pub(super) fn ensure() -> Result<Compiler> {
    let nightly = nightly();
    if nightly.is_some() && nightly_has_rust_src() {
        return nightly.context("use rustup's nightly");
    }
    if let Some(debian) = debian() {
        return Ok(debian);
    }
    if nightly.is_some() && may_rustup_fetch() {
        match add_rust_src() {
            Ok(()) => return nightly.context("use rustup's nightly"),
            Err(error) => {
                eprintln!("rustup's nightly has no rust-src ({error:#}): trying Debian's compiler")
            }
        }
    }
    install_debian()?;
    debian().with_context(|| {
        let packages = DEBIAN_PACKAGES.join(" and ");
        format!("find `core` for {BPF_TARGET} beside {DEBIAN_RUSTC}, where {packages} should have put it")
    })
}

impl Compiler {
    /// Cargo as this compiler wants to be called.
    pub(super) fn cargo(&self) -> Command {
        match self.origin {
            Origin::Nightly => {
                let mut cargo = rustup_run("cargo");
                cargo.env_remove("CARGO").env_remove("RUSTC");
                cargo
            }
            Origin::Debian => {
                let mut cargo = Command::new("cargo");
                // The BPF target and aya-ebpf need what is otherwise for nightly only.
                cargo.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
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

    /// The major version of its LLVM, which is what the linker has to match.
    ///
    /// # Errors
    /// When the compiler does not tell.
    pub(super) fn llvm_major(&self) -> Result<u32> {
        let llvm = field(&self.version, "LLVM version: ").and_then(major_minor);
        llvm.map(|(major, _)| major).with_context(|| {
            format!(
                "find the LLVM version in what rustc -vV says: {}",
                self.version
            )
        })
    }

    fn is_new_enough(&self) -> bool {
        field(&self.version, "release: ").and_then(major_minor) >= oldest()
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Nightly => "rustup's",
            Origin::Debian => "Debian's",
        };
        let version = self.version.lines().next().unwrap_or_default();
        write!(f, "{origin} {version}")
    }
}

/// Rustup's nightly, when it is there and new enough; rust-src is another question.
fn nightly() -> Option<Compiler> {
    on_path("rustup")?;
    let version = command::ask(rustup_run("rustc").arg("-vV"))?;
    let nightly = Compiler {
        origin: Origin::Nightly,
        version,
    };
    if !nightly.is_new_enough() {
        eprintln!(
            "rustup's nightly is older than Rust {}: not used (`rustup update nightly` helps)",
            env!("CARGO_PKG_RUST_VERSION")
        );
        return None;
    }
    Some(nightly)
}

/// Whether the owner of this machine lets rustup fetch what it lacks without being asked.
fn may_rustup_fetch() -> bool {
    let may = env::var_os("RUSTUP_AUTO_INSTALL").is_none_or(|may| may != "0");
    if !may {
        eprintln!(
            "rustup's nightly has no rust-src, and RUSTUP_AUTO_INSTALL=0: trying Debian's compiler"
        );
    }
    may
}

fn nightly_has_rust_src() -> bool {
    let sysroot = command::ask(rustup_run("rustc").args(["--print", "sysroot"]));
    sysroot.is_some_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library/core/Cargo.toml")
            .is_file()
    })
}

/// Debian's compiler, when it is there, new enough, and has `core` for BPF.
fn debian() -> Option<Compiler> {
    let version = command::ask(Command::new(DEBIAN_RUSTC).arg("-vV"))?;
    let sysroot = command::ask(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))?;
    let libraries = Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(BPF_TARGET)
        .join("lib");
    let has_core = fs::read_dir(libraries).is_ok_and(|files| {
        files
            .flatten()
            .any(|file| file.file_name().to_string_lossy().starts_with("libcore-"))
    });
    let debian = Compiler {
        origin: Origin::Debian,
        version,
    };
    (has_core && debian.is_new_enough()).then_some(debian)
}

fn add_rust_src() -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup
        .args(["component", "add", "rust-src", "--toolchain", "nightly"])
        .stdin(Stdio::null())
        // Read when it has ended: what rustup says fits into the pipe.
        .stderr(Stdio::piped());
    command::print(&rustup);
    let mut child = rustup.spawn().context("start rustup")?;
    let deadline = Instant::now() + RUST_SRC_PATIENCE;
    while child.try_wait().context("wait for rustup")?.is_none() {
        if Instant::now() > deadline {
            child.kill().context("stop rustup")?;
            child.wait().context("wait for rustup")?;
            bail!("rustup took longer than {RUST_SRC_PATIENCE:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().context("wait for rustup")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = said.lines().find(|line| line.starts_with("error: "));
        bail!(
            "rustup: {}",
            error.unwrap_or("failed without an error message")
        );
    }
    Ok(())
}

fn install_debian() -> Result<()> {
    if !debian::is_here() {
        let why = format!(
            "the kernel half needs a Rust compiler with `core` for {BPF_TARGET}, and there is no apt to get Debian's"
        );
        return Err(Outcome::by_hand(why, RUSTUP_COMMANDS));
    }
    let [compiler, _] = DEBIAN_PACKAGES;
    let fits = || {
        let candidate = debian::candidate(compiler);
        candidate.as_deref().and_then(major_minor) >= oldest()
    };
    if !fits() {
        // The first lists of a release name a compiler that is too old.
        debian::refresh(&DEBIAN_PACKAGES)?;
    }
    if !fits() {
        let oldest = env!("CARGO_PKG_RUST_VERSION");
        let why =
            format!("this release of the distribution has no {compiler} of {oldest} or newer");
        return Err(Outcome::by_hand(why, RUSTUP_COMMANDS));
    }
    eprintln!("missing for the kernel half: a compiler with `core` for {BPF_TARGET}");
    debian::install(&DEBIAN_PACKAGES)
}

fn rustup_run(program: &str) -> Command {
    let mut rustup = Command::new("rustup");
    rustup
        .args(["run", "nightly", program])
        .env_remove("RUSTUP_TOOLCHAIN");
    rustup
}

/// The oldest compiler that the workspace accepts. `None`, which is less than any, cannot happen:
/// the workspace names one.
fn oldest() -> Option<(u32, u32)> {
    major_minor(env!("CARGO_PKG_RUST_VERSION"))
}

fn field<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    lines.lines().find_map(|line| line.strip_prefix(name))
}

/// The first two numbers of a version like `1.96.0+dfsg1-1~deb12u2` or `1.97.0-nightly`.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        let rows = [
            ("1.96.0+dfsg1-1~deb12u2", Some((1, 96))),
            ("1.97.0-nightly", Some((1, 97))),
            ("22.1.8", Some((22, 1))),
            ("1.95", Some((1, 95))),
            ("nightly", None),
        ];
        for (version, expected) in rows {
            assert_eq!(major_minor(version), expected, "{version}");
        }
        assert!(major_minor("1.100.0") > major_minor("1.95"));
    }

    #[test]
    fn an_old_compiler_is_not_new_enough() {
        let rows = [
            ("1.85.0", false),
            ("1.96.0", true),
            ("1.97.0-nightly", true),
            ("?", false),
        ];
        for (release, expected) in rows {
            let version = format!("rustc x\nrelease: {release}\nLLVM version: 22.1.8\n");
            let compiler = Compiler {
                origin: Origin::Debian,
                version,
            };
            assert_eq!(compiler.is_new_enough(), expected, "{release}");
            assert_eq!(compiler.llvm_major().unwrap(), 22);
        }
    }
}
