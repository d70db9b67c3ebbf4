//! Finding a bpf-linker that understands the compiler's bitcode, and building one.
//!
//! Bitcode is a private language of one LLVM: the linker has to be built against the LLVM that the
//! compiler has inside. Which one a linker has cannot be asked, so it is tried ([`super::probe`]).

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::compiler::Compiler;
use super::probe;
use crate::cargo::Tool;
use crate::command::{self, on_path};
use crate::debian;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// The release that the tests have seen to work.
const VERSION: &str = "0.13.0";

/// The LLVM releases that this bpf-linker can be built against.
const LLVM: std::ops::RangeInclusive<u32> = 21..=23;

/// Finds a linker for `compiler`, and installs one where there is none.
///
/// # Errors
/// [`Outcome::ByHand`] when none can be installed from here.
pub(super) fn ensure(workspace: &Workspace, compiler: &Compiler) -> Result<PathBuf> {
    let llvm = compiler.llvm_major()?;
    let tool = tool(llvm);
    for candidate in tool.candidates(workspace) {
        if probe::works(workspace, compiler, &candidate)? {
            return Ok(candidate);
        }
    }
    let linker = install(workspace, &tool, llvm)?;
    if !probe::works(workspace, compiler, &linker)? {
        let linker = linker.display();
        return Err(anyhow::anyhow!(
            "link a test program for BPF with {linker}: see what the linker said above"
        ));
    }
    Ok(linker)
}

fn install(workspace: &Workspace, tool: &Tool<'_>, llvm: u32) -> Result<PathBuf> {
    if !LLVM.contains(&llvm) {
        let why = format!(
            "bpf-linker {VERSION} cannot be built against LLVM {llvm}, which the compiler has"
        );
        return Err(Outcome::by_hand(why, ["cargo binstall bpf-linker"]));
    }
    if debian::is_here() {
        let llvm_packages = [format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev")];
        let [llvm_dev, polly_dev] = &llvm_packages;
        // llvm-config names all four to the linker's build.
        debian::ensure(
            &[llvm_dev, polly_dev, "zlib1g-dev", "libzstd-dev"],
            "building bpf-linker",
        )?;
        return tool.install(workspace).context("build bpf-linker");
    }
    if on_path("cargo-binstall").is_some() {
        // The released program carries its LLVM, the newest, which reads the bitcode of older ones.
        let mut binstall = std::process::Command::new("cargo");
        binstall
            .args(["binstall", "--no-confirm", "--root"])
            .arg(workspace.tools())
            .arg(format!("bpf-linker@{VERSION}"));
        command::run(&mut binstall).context("install bpf-linker")?;
        return Ok(tool.path(workspace));
    }
    let why =
        format!("the kernel half needs bpf-linker, and there is no apt to get LLVM {llvm} from");
    Err(Outcome::by_hand(
        why,
        [command::shown(&tool.install_command(workspace))],
    ))
}

fn tool(llvm: u32) -> Tool<'static> {
    Tool {
        name: "bpf-linker",
        version: VERSION,
        arguments: vec![
            "--no-default-features".to_owned(),
            format!("--features=llvm-{llvm}"),
        ],
        environment: vec![("LLVM_PREFIX".to_owned(), format!("/usr/lib/llvm-{llvm}"))],
    }
}
