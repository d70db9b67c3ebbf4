//! The programs of the tests that are written in Python, in an environment of their own below the
//! target directory: nothing of the machine's Python is changed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::debian;
use crate::files;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// What is installed, each with its version, and nothing else.
const REQUIREMENTS: &str = "tests/schemathesis/requirements.txt";
/// The Python that Debian's `python3-venv` is for.
const DEBIANS: &str = "/usr/bin/python3";

/// Makes the environment, unless it has what is wanted already.
///
/// # Errors
/// [`Outcome::ByHand`] when there is no Python that can, or a package is not to be had.
pub(crate) fn ensure(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.root().join(REQUIREMENTS);
    let wanted = fs::read(&requirements)
        .with_context(|| format!("read what Python is to have from {REQUIREMENTS}"))?;
    let directory = workspace.python();
    // Written last, so an environment that has it is complete.
    let installed = directory.join("installed.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!(
        "missing for the tests: schemathesis, which asks whatever the API's description allows"
    );
    if debian::is_here() {
        debian::ensure(&["python3-venv"], "schemathesis")?;
    }
    files::remove_directory(&directory)?;
    let python = if Path::new(DEBIANS).is_file() {
        DEBIANS
    } else {
        "python3"
    };
    let by_hand = |error: &anyhow::Error| {
        let commands = [
            format!("{python} -m venv {}", directory.display()),
            format!(
                "{} install --no-deps --requirement {}",
                directory.join("bin/pip").display(),
                requirements.display()
            ),
        ];
        Outcome::by_hand(format!("{error:#}"), commands)
    };
    let mut make = Command::new(python);
    command::run(make.args(["-m", "venv"]).arg(&directory)).map_err(|error| by_hand(&error))?;
    let mut install = Command::new(directory.join("bin/python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(&requirements);
    command::run(&mut install).map_err(|error| by_hand(&error))?;
    files::write(&installed, &wanted, 0o644)
}
