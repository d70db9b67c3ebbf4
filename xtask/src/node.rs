//! Node.js, which builds the dashboard: the machine's, else Debian's.

use std::process::Command;

use anyhow::Result;

use crate::command;
use crate::debian;
use crate::outcome::Outcome;

const PACKAGES: [&str; 2] = ["nodejs", "npm"];

/// Sees to it that there is a `node` that is new enough, and `npm`.
///
/// # Errors
/// [`Outcome::ByHand`] when there is none and Debian has none either.
pub(crate) fn ensure() -> Result<()> {
    if found().is_ok() {
        return Ok(());
    }
    if debian::is_here() {
        debian::ensure(&PACKAGES, "the dashboard")?;
    }
    found().map_err(|what| {
        let why = format!("the dashboard is built by Node.js 20.19 or newer with npm, and {what}");
        let commands =
            ["install one of https://nodejs.org/en/download, so that `node` is on the PATH"];
        Outcome::by_hand(why, commands)
    })
}

/// Whether all is there, else what is not.
fn found() -> Result<(), String> {
    let Some(version) = command::ask(Command::new("node").arg("--version")) else {
        return Err("there is no `node`".to_owned());
    };
    let version = version.trim();
    if !is_new_enough(version) {
        return Err(format!("`node` is {version}"));
    }
    match command::ask(Command::new("npm").arg("--version")) {
        Some(_) => Ok(()),
        None => Err("there is no `npm`".to_owned()),
    }
}

/// As the packages of the dashboard have it in `engines`: `^20.19 || >=22.12`.
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return false;
    };
    let version: (u32, u32) = (major, minor);
    version >= (22, 12) || ((20, 19)..(21, 0)).contains(&version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_odd_versions_will_not_do() {
        for (version, expected) in [
            ("v18.20.4", false),
            ("v20.18.3", false),
            ("v20.19.0", true),
            ("v21.7.3", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.1.0", true),
            ("", false),
            ("v", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}
