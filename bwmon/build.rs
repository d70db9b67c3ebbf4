//! Tells the compiler where the kernel half and the dashboard are, so that they become part of the
//! binary, and packs the registries of the IEEE, so that they take little of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

fn main() {
    find_kernel_half();
    list_dashboard();
    pack_vendors();
}

fn find_kernel_half() {
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

/// Writes `dashboard.rs`, a list of the files of the dashboard, which are packed already.
fn list_dashboard() {
    println!("cargo::rerun-if-env-changed=BWMON_WEB_DIR");
    let directory = env::var_os("BWMON_WEB_DIR").map_or_else(default_web, PathBuf::from);
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut files = BTreeMap::new();
    for part in ["", "assets"] {
        let Ok(entries) = fs::read_dir(directory.join(part)) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(name) = name.and_then(|name| name.strip_suffix(".gz")) {
                let separator = if part.is_empty() { "" } else { "/" };
                files.insert(format!("{part}{separator}{name}"), path);
            }
        }
    }
    if !files.contains_key("index.html") {
        println!(
            "cargo::error=no dashboard at {}; build it with `cargo xtask build-web`",
            directory.display()
        );
    }
    let files = files
        .iter()
        .map(|(name, path)| format!("({name:?}, include_bytes!({path:?})),\n"));
    let list = format!("&[\n{}]", files.collect::<String>());
    write_out("dashboard.rs", list.as_bytes());
}

fn default_web() -> PathBuf {
    directory("CARGO_MANIFEST_DIR").join("../target/web")
}

fn default_object() -> PathBuf {
    directory("CARGO_MANIFEST_DIR").join("../target/bpfel-unknown-none/release/bwmon")
}

/// Writes `vendors.bin`; `bwmon/src/sources/vendor.rs` reads it. All numbers are little-endian.
///
/// Four counts of 4 bytes: the prefixes of 24, of 28 and of 36 bits, and the names. Then the prefixes
/// of each length, in order, each 5 bytes with its value and 2 with the number of its name. Then
/// where each name starts, 4 bytes each and one more for the end of the last; then the names.
fn pack_vendors() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut prefixes: [BTreeMap<u64, &str>; 3] = Default::default();
    for (digits, entry) in &oui_data::OUI_ENTRIES {
        let (Ok(value), name) = (u64::from_str_radix(digits, 16), entry.organization().trim())
        else {
            continue;
        };
        let length = match digits.len() {
            6 => 0,
            7 => 1,
            9 => 2,
            _ => continue,
        };
        // Who does not want to be named is no vendor.
        if !name.is_empty() && !name.eq_ignore_ascii_case("private") {
            prefixes[length].insert(value, name);
        }
    }
    let names: BTreeSet<&str> = prefixes
        .iter()
        .flat_map(BTreeMap::values)
        .copied()
        .collect();
    let numbers: BTreeMap<&str, u16> = names.iter().copied().zip(0..=u16::MAX).collect();
    if numbers.len() != names.len() {
        println!("cargo::error=more than 65536 vendors: make their numbers larger");
        return;
    }
    let mut packed = Vec::new();
    for count in prefixes.iter().map(BTreeMap::len).chain([names.len()]) {
        packed.extend((count as u32).to_le_bytes());
    }
    for (value, name) in prefixes.iter().flatten() {
        packed.extend(&value.to_le_bytes()[..5]);
        packed.extend(numbers.get(name).copied().unwrap_or_default().to_le_bytes());
    }
    let mut start = 0_u32;
    for name in &names {
        packed.extend(start.to_le_bytes());
        start += name.len() as u32;
    }
    packed.extend(start.to_le_bytes());
    packed.extend(names.iter().flat_map(|name| name.bytes()));
    write_out("vendors.bin", &packed);
}

fn write_out(name: &str, contents: &[u8]) {
    let path = directory("OUT_DIR").join(name);
    if let Err(error) = fs::write(&path, contents) {
        println!("cargo::error=cannot write {}: {error}", path.display());
    }
}

fn directory(variable: &str) -> PathBuf {
    env::var_os(variable).map(PathBuf::from).unwrap_or_default()
}
