//! `cargo xtask build-web`: the dashboard, to `target/web/`, for the user half to embed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::command;
use crate::files;
use crate::node;
use crate::workspace::Workspace;

/// What the packages are in, and what only the tests are made of: neither is part of the pages.
const NOT_SOURCES: [&str; 3] = ["node_modules", "tests", "dev"];

/// Checks the types and builds the pages, unless they are newer than what they are made of.
///
/// # Errors
/// When there is no Node.js, a package is not to be had, or the pages are wrong or too large.
pub(crate) fn build_web(workspace: &Workspace) -> Result<()> {
    let (sources, output) = (workspace.web_sources(), workspace.web());
    // Written last.
    let built = output.join("index.html.gz");
    if let Ok(built) = modified(&built)
        && newest(&sources)? <= built
    {
        return Ok(());
    }
    check_types(workspace)?;
    let mut build = tool(workspace, "vite");
    build.args(["build", "--logLevel", "warn", "--outDir"]);
    command::run(build.arg(&output)).context("build the dashboard")?;
    let index = fs::read(&built).with_context(|| format!("read {}", built.display()))?;
    // A build within the same tick of the clock as a change is not to be taken for newer.
    files::write(&built, &index, 0o644)
}

/// Checks the types of the pages.
///
/// # Errors
/// When a type is wrong, or the compiler is not to be had.
pub(crate) fn check_types(workspace: &Workspace) -> Result<()> {
    ensure_packages(workspace)?;
    command::run(tool(workspace, "tsc").arg("--noEmit")).context("check the dashboard's types")
}

/// Compiles the unit tests, and the command that runs them.
///
/// # Errors
/// When they can't be compiled.
pub(crate) fn unit_tests(workspace: &Workspace) -> Result<Command> {
    ensure_packages(workspace)?;
    let output = workspace.target().join("web-tests");
    files::remove_directory(&output)?;
    let mut compile = tool(workspace, "tsc");
    compile
        .args(["--project", "tests", "--outDir"])
        .arg(&output);
    command::run(&mut compile).context("compile the dashboard's tests")?;
    files::write(
        &output.join("package.json"),
        b"{ \"type\": \"module\" }\n",
        0o644,
    )?;
    let mut tests = Vec::new();
    for entry in fs::read_dir(output.join("tests")).context("list the dashboard's tests")? {
        tests.push(entry.context("list the dashboard's tests")?.path());
    }
    tests.retain(|path| path.to_string_lossy().ends_with(".test.js"));
    tests.sort();
    let mut run = Command::new("node");
    run.args(["--test", "--test-reporter=spec"]).args(tests);
    Ok(run)
}

/// Installs the packages of the lock file, unless those are there.
pub(crate) fn ensure_packages(workspace: &Workspace) -> Result<()> {
    node::ensure()?;
    let sources = workspace.web_sources();
    let lock = sources.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("read {}", lock.display()))?;
    // Written last, so packages that have it are complete.
    let installed = sources.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&sources);
    command::run(&mut install).context("install the dashboard's packages")?;
    files::write(&installed, &wanted, 0o644)
}

/// A program of the packages.
fn tool(workspace: &Workspace, name: &str) -> Command {
    let sources = workspace.web_sources();
    let mut tool = Command::new(sources.join("node_modules/.bin").join(name));
    tool.current_dir(&sources);
    tool
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// When the latest of the sources was changed. A directory changes when a file goes.
fn newest(directory: &Path) -> Result<SystemTime> {
    let looked_at = |path: &Path| format!("look at {}", path.display());
    let mut latest = modified(directory).with_context(|| looked_at(directory))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| looked_at(directory))? {
        let entry = entry.with_context(|| looked_at(directory))?;
        if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            paths.push(entry.path());
        }
    }
    for path in paths {
        let changed = match path.is_dir() {
            true => newest(&path)?,
            false => modified(&path).with_context(|| looked_at(&path))?,
        };
        latest = latest.max(changed);
    }
    Ok(latest)
}
