//! Tells the compiler where the kernel half is, so that it becomes part of the binary.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=BWMON_EBPF_OBJECT");
    let object = env::var_os("BWMON_EBPF_OBJECT").map_or_else(default_object, PathBuf::from);
    println!("cargo::rerun-if-changed={}", object.display());
    if !object.is_file() {
        println!(
            "cargo::error=no kernel half at {}; build it with `cargo xtask build-ebpf`",
            object.display()
        );
    }
    println!("cargo::rustc-env=BWMON_EBPF_OBJECT={}", object.display());
}

fn default_object() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    manifest.join("../target/bpfel-unknown-none/release/bwmon")
}
