//! `cargo xtask build-ebpf`: the kernel half, and nothing else.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::command;
use crate::files;
use crate::kernel::Toolchain;
use crate::workspace::{BPF_TARGET, Workspace};

/// The objects: the programs, and those that only pass the packet on, which are the bench's yardstick.
const OBJECTS: [&str; 2] = ["bwmon", "empty"];

/// `e_machine` of a BPF object, at its place in the ELF header.
const EM_BPF: [u8; 2] = 247_u16.to_le_bytes();
const E_MACHINE: std::ops::Range<usize> = 18..20;

/// Sets up the toolchain, builds the kernel half and puts its objects where the user half embeds them.
///
/// # Errors
/// When the toolchain is not to be had or the build fails.
pub(crate) fn build_ebpf(workspace: &Workspace) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace)?;
    let kernel_target = workspace.kernel_target();
    let mut build = toolchain.cargo_build(workspace);
    build
        .args(["--package", "bwmon-ebpf", "--target-dir"])
        .arg(&kernel_target);
    command::run(&mut build).context("build the kernel half")?;
    for name in OBJECTS {
        let built = kernel_target.join(BPF_TARGET).join("release").join(name);
        let object = fs::read(&built)
            .with_context(|| format!("read the kernel half from {}", built.display()))?;
        ensure!(
            object.get(E_MACHINE) == Some(&EM_BPF),
            "{} is not a BPF object: was it linked by bpf-linker?",
            built.display()
        );
        files::write_if_changed(&workspace.kernel_object(name), &object, 0o644)?;
    }
    Ok(())
}
