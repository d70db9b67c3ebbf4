//! Debian's packages: which are missing, installing them, or only unpacking them.
//!
//! `dpkg-query` answers in milliseconds, so apt is started only when something is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::command::{self, on_path};
use crate::files;
use crate::outcome::Outcome;

/// Whether packages can be had from apt at all.
pub(crate) fn is_here() -> bool {
    on_path("apt-get").is_some() && on_path("dpkg-query").is_some()
}

/// Those of `packages` that are not installed.
pub(crate) fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(packages)
        .output();
    // It exits with 1 when it does not know one of the names, and tells about the others all the same.
    let known = output.map(|output| output.stdout).unwrap_or_default();
    not_installed(packages, &String::from_utf8_lossy(&known))
}

fn not_installed<'a>(packages: &[&'a str], dpkg: &str) -> Vec<&'a str> {
    let installed: Vec<&str> = dpkg
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect();
    packages
        .iter()
        .copied()
        .filter(|package| !installed.contains(package))
        .collect()
}

/// Installs what is missing of `packages`, `why` said in a line before.
///
/// # Errors
/// [`Outcome::ByHand`] when there is no way to become root, or apt fails.
pub(crate) fn ensure(packages: &[&str], why: &str) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("missing for {why}: {}", missing.join(" "));
    install(&missing)
}

/// Installs or upgrades `packages`.
///
/// # Errors
/// [`Outcome::ByHand`] when there is no way to become root, or apt fails.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if packages.iter().any(|package| candidate(package).is_none()) {
        refresh(packages)?;
    }
    if apt_get(
        packages,
        ["install", "--yes", "--no-install-recommends"],
        packages,
    )
    .is_err()
    {
        // Lists of last month name versions that the mirror no longer has.
        refresh(packages)?;
        apt_get(
            packages,
            ["install", "--yes", "--no-install-recommends"],
            packages,
        )?;
    }
    Ok(())
}

/// Unpacks `packages`, and those they need that are not installed, into `directory`, which is made
/// anew. Nothing of them is configured, enabled or started, and it takes no rights.
///
/// # Errors
/// [`Outcome::ByHand`] when they cannot be had; else when the directory cannot be written.
pub(crate) fn unpack(packages: &[&str], directory: &Path) -> Result<()> {
    if packages.iter().any(|package| candidate(package).is_none()) {
        refresh(packages)?;
    }
    // Moved into place when it is complete: what is there is used.
    let new = directory.with_extension("new");
    files::remove_directory(&new)?;
    let archives = new.join("archives");
    let partial = archives.join("partial");
    fs::create_dir_all(&partial)
        .with_context(|| format!("make the directory {}", partial.display()))?;
    if download(packages, &archives).is_err() {
        // As in `install`.
        refresh(packages)?;
        download(packages, &archives).map_err(|error| {
            let update = command::typed_as_root("apt-get update");
            Outcome::by_hand(format!("{error:#}"), [update])
        })?;
    }
    for archive in archives_in(&archives)? {
        let mut extract = Command::new("dpkg-deb");
        command::run(extract.arg("--extract").args([&archive, &new]))?;
    }
    files::remove_directory(&archives)?;
    files::remove_directory(directory)?;
    fs::rename(&new, directory).with_context(|| format!("move {} into place", directory.display()))
}

/// As the caller, who needs no lock for a directory of his own.
fn download(packages: &[&str], archives: &Path) -> Result<()> {
    let archives = format!("Dir::Cache::archives={}", archives.display());
    command::run(
        Command::new("apt-get")
            .args(["--quiet", "-o", &archives, "-o", "Debug::NoLocking=1"])
            .args(["install", "--download-only", "--yes"])
            .arg("--no-install-recommends")
            .args(packages),
    )
}

fn archives_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let list = || format!("list {}", directory.display());
    let mut archives = Vec::new();
    for entry in fs::read_dir(directory).with_context(list)? {
        let path = entry.with_context(list)?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            archives.push(path);
        }
    }
    archives.sort();
    Ok(archives)
}

/// The version of `package` that apt would install, as far as the lists on this machine know.
pub(crate) fn candidate(package: &str) -> Option<String> {
    let mut policy = Command::new("apt-cache");
    policy.args(["policy", package]).env("LC_ALL", "C");
    candidate_in(&command::ask(&mut policy)?)
}

fn candidate_in(policy: &str) -> Option<String> {
    policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))
        .filter(|version| *version != "(none)")
        .map(str::to_owned)
}

/// Fetches the package lists, once in the life of this process, for the sake of `packages`.
///
/// # Errors
/// [`Outcome::ByHand`] when there is no way to become root, or apt fails.
pub(crate) fn refresh(packages: &[&str]) -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    apt_get(packages, ["update"], &[])
}

fn apt_get<const N: usize>(wanted: &[&str], verb: [&str; N], operands: &[&str]) -> Result<()> {
    let by_hand = |why: &str| {
        let install = format!(
            "apt-get install --no-install-recommends {}",
            wanted.join(" ")
        );
        let commands = ["apt-get update", &install].map(command::typed_as_root);
        Outcome::by_hand(why, commands)
    };
    if !command::can_be_root() {
        return Err(by_hand(
            "installing packages takes root, and there is no sudo",
        ));
    }
    let done = command::run(
        command::as_root("env")
            // `env`, since sudo passes on few variables of its caller's.
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
            // Somebody else's apt is waited for.
            .args(["-o", "DPkg::Lock::Timeout=300"])
            .args(verb)
            .args(operands),
    );
    done.map_err(|error| by_hand(&format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installed_packages_count() {
        let dpkg = "tmux installed\niperf3 config-files\nethtool not-installed\n";
        let rows: [(&[&str], &[&str]); 3] = [
            (&["tmux"], &[]),
            (&["tmux", "iperf3", "ethtool"], &["iperf3", "ethtool"]),
            (&["unheard-of"], &["unheard-of"]),
        ];
        for (packages, expected) in rows {
            assert_eq!(not_installed(packages, dpkg), expected);
        }
    }

    #[test]
    fn no_candidate_is_none() {
        let rows = [
            (
                "x:\n  Installed: (none)\n  Candidate: 1.96.0-1\n",
                Some("1.96.0-1"),
            ),
            ("x:\n  Installed: (none)\n  Candidate: (none)\n", None),
            ("", None),
        ];
        for (policy, expected) in rows {
            assert_eq!(candidate_in(policy).as_deref(), expected);
        }
    }
}
