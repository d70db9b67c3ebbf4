//! Tries compiler and linker together on a program of two lines, and remembers that they worked.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::Toolchain;
use super::compiler::Compiler;
use crate::command;
use crate::files;
use crate::workspace::Workspace;

const MANIFEST: &str = r#"[package]
name = "probe"
edition = "2024"

# Not a part of the repository's workspace.
[workspace]
"#;

const PROGRAM: &str = r#"#![no_std]
#![no_main]

#[unsafe(no_mangle)]
#[unsafe(link_section = "xdp")]
extern "C" fn probe() -> u32 {
    2
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
"#;

/// Whether `linker` makes a BPF object of what `compiler` hands it.
///
/// # Errors
/// When files cannot be read or written; a failing build is an answer.
pub(super) fn works(workspace: &Workspace, compiler: &Compiler, linker: &Path) -> Result<bool> {
    let directory = workspace.tools().join("probe");
    let stamp = directory.join("worked");
    let pair = describe(compiler, linker)?;
    if fs::read_to_string(&stamp).is_ok_and(|worked| worked == pair) {
        return Ok(true);
    }
    files::write(&directory.join("Cargo.toml"), MANIFEST.as_bytes(), 0o644)?;
    files::write(&directory.join("src/main.rs"), PROGRAM.as_bytes(), 0o644)?;
    let toolchain = Toolchain {
        compiler: compiler.clone(),
        linker: linker.to_owned(),
    };
    let mut build = toolchain.cargo_build(workspace);
    build
        .arg("--quiet")
        .arg("--manifest-path")
        .arg(directory.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(directory.join("target"));
    // What an earlier linker made would count as this one's.
    files::remove_directory(&directory.join("target"))?;
    eprintln!("trying {} on a program of two lines", linker.display());
    let status = command::status(&mut build)?;
    if status.success() {
        files::write(&stamp, pair.as_bytes(), 0o644)?;
    } else {
        eprintln!("{} does not work with this compiler", linker.display());
    }
    Ok(status.success())
}

/// What must be the same for the answer to be the same.
fn describe(compiler: &Compiler, linker: &Path) -> Result<String> {
    let metadata = linker
        .metadata()
        .with_context(|| format!("read the size of {}", linker.display()))?;
    Ok(format!(
        "{}linker: {} {} bytes {}\n",
        compiler.version(),
        linker.display(),
        metadata.len(),
        metadata.mtime()
    ))
}
