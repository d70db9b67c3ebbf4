//! `cargo xtask lint`: format, clippy, types of the dashboard, architecture, licences and sources.

use std::process::Command;

use anyhow::{Context, Result};

use super::build_ebpf::build_ebpf;
use super::build_web::{build_web, check_types};
use crate::architecture;
use crate::cargo;
use crate::command;
use crate::outcome::Outcome;
use crate::steps::Steps;
use crate::tools;
use crate::workspace::Workspace;

/// Runs every check, whatever the others found.
///
/// # Errors
/// When a check found something or could not be tried.
pub(crate) fn lint(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    // Clippy runs the build script that embeds both.
    steps.run("kernel half", |_| build_ebpf(workspace));
    steps.run("dashboard", |_| build_web(workspace));
    check_all(workspace, &mut steps);
    steps.finish()
}

/// The checks as steps.
pub(crate) fn check_all(workspace: &Workspace, steps: &mut Steps) {
    steps.run("format", |_| format(workspace));
    steps.run("clippy", |_| clippy(workspace));
    steps.run("types of the dashboard", |_| check_types(workspace));
    steps.run("architecture", |_| architecture(workspace));
    steps.run("licences and sources", |_| licences(workspace));
}

fn format(workspace: &Workspace) -> Result<()> {
    tools::ensure_component("rustfmt")?;
    command::run(cargo::host(workspace, "fmt").args(["--all", "--check"]))
        .context("check the format (`cargo fmt --all` corrects it)")
}

fn clippy(workspace: &Workspace) -> Result<()> {
    tools::ensure_component("clippy")?;
    let mut clippy = cargo::host(workspace, "clippy");
    clippy.args(["--all-targets", "--", "-D", "warnings"]);
    command::run(&mut clippy)
}

fn architecture(workspace: &Workspace) -> Result<()> {
    let findings = architecture::check(workspace.root())?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Outcome::found("1 place breaks a rule")),
        count => Err(Outcome::found(format!("{count} places break a rule"))),
    }
}

/// All that cargo-deny can check without asking the network for advisories.
fn licences(workspace: &Workspace) -> Result<()> {
    let cargo_deny = tools::ensure_cargo_deny(workspace)?;
    let mut check = Command::new(cargo_deny);
    check
        .args([
            "check",
            "--hide-inclusion-graph",
            "licenses",
            "bans",
            "sources",
        ])
        .current_dir(workspace.root());
    command::run(&mut check)
}
