//! `cargo xtask install`: the binary, the systemd unit and example configuration, put in place.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::build::build;
use crate::command;
use crate::files;
use crate::outcome::Outcome;
use crate::workspace::Workspace;

/// The system user and group of the daemon, as in the unit.
const USER: &str = "bwmon";

/// Example configuration, which becomes the owner's with the first installation.
const CONFIGURATION: [&str; 2] = ["bwmon.toml", "registered_devices.json"];

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the program goes: PREFIX/bin/bwmon.
    #[arg(long, default_value = "/usr/local")]
    prefix: PathBuf,
    /// Stage all files below this directory, for a package; no user is made.
    #[arg(long, value_name = "DIR")]
    destdir: Option<PathBuf>,
    /// Where the systemd unit goes.
    #[arg(long, value_name = "DIR", default_value = "/etc/systemd/system")]
    unit_dir: PathBuf,
    /// Where the configuration goes; a file that is there already stays as it is.
    #[arg(long, value_name = "DIR", default_value = "/etc/bwmon")]
    config_dir: PathBuf,
    /// Leave out the build: said by the xtask that built and then called sudo.
    #[arg(long, hide = true)]
    built: bool,
}

/// Builds as the caller, then installs as root.
///
/// # Errors
/// When the build fails or a file cannot be put in place.
pub(crate) fn install(workspace: &Workspace, options: &Options) -> Result<()> {
    for directory in [&options.prefix, &options.unit_dir, &options.config_dir] {
        ensure!(
            directory.is_absolute(),
            "install below {}: name an absolute path, since the unit has to",
            directory.display()
        );
    }
    if !options.built {
        build(workspace)?;
    }
    let is_staged = options.destdir.is_some();
    if !is_staged && !command::is_root() {
        return as_root();
    }
    if !is_staged {
        make_user()?;
    }
    let placed = put_in_place(workspace, options)?;
    if is_staged {
        return Ok(());
    }
    println!("\nto start it now and with the machine:");
    println!("    systemctl daemon-reload");
    println!("    systemctl enable --now {}", placed.unit);
    println!("to look at it:");
    println!("    {} status", placed.binary.display());
    println!("    {} devices", placed.binary.display());
    Ok(())
}

struct Placed {
    unit: &'static str,
    binary: PathBuf,
}

fn put_in_place(workspace: &Workspace, options: &Options) -> Result<Placed> {
    let unit_name = "bwmon.service";
    let binary = options.prefix.join("bin/bwmon");
    let examples = workspace.root().join("config");

    let program = read(&workspace.release_binary("bwmon"))?;
    place(options, &binary, &program, 0o755)?;

    let unit =
        String::from_utf8(read(&examples.join(unit_name))?).context("read the unit as text")?;
    let unit = unit_for(&unit, &binary, &options.config_dir.join("bwmon.toml"))?;
    place(
        options,
        &options.unit_dir.join(unit_name),
        unit.as_bytes(),
        0o644,
    )?;

    for name in CONFIGURATION {
        let path = options.config_dir.join(name);
        if staged(options, &path).exists() {
            println!("kept      {}, which is yours", path.display());
        } else {
            place(options, &path, &read(&examples.join(name))?, 0o644)?;
        }
    }
    Ok(Placed {
        unit: unit_name,
        binary,
    })
}

fn place(options: &Options, path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let path = staged(options, path);
    files::write(&path, content, mode)?;
    println!("installed {}", path.display());
    Ok(())
}

/// Where a file goes that is meant to be at `path` in the end.
fn staged(options: &Options, path: &Path) -> PathBuf {
    match &options.destdir {
        Some(destdir) => destdir.join(path.strip_prefix("/").unwrap_or(path)),
        None => path.to_owned(),
    }
}

/// The unit with the paths of this installation.
fn unit_for(unit: &str, binary: &Path, configuration: &Path) -> Result<String> {
    let start = "ExecStart=";
    ensure!(
        unit.lines().filter(|line| line.starts_with(start)).count() == 1,
        "adjust the unit: it must have one line that starts with {start}"
    );
    let command = format!(
        "{} run --config {}",
        binary.display(),
        configuration.display()
    );
    let lines = unit.lines().map(|line| match line.starts_with(start) {
        true => format!("{start}{command}\n"),
        false => format!("{line}\n"),
    });
    Ok(lines.collect())
}

fn make_user() -> Result<()> {
    if command::ask(Command::new("getent").args(["passwd", USER])).is_some() {
        return Ok(());
    }
    let mut useradd = Command::new("useradd");
    useradd
        .args(["--system", "--user-group", "--no-create-home"])
        .args([
            "--home-dir",
            "/nonexistent",
            "--shell",
            "/usr/sbin/nologin",
            USER,
        ]);
    command::run(&mut useradd).context("make the user the daemon runs as")
}

/// Starts this very installation again, by sudo.
fn as_root() -> Result<()> {
    let xtask = env::current_exe().context("find the path of xtask, to call it by sudo")?;
    let arguments = env::args_os().skip(1);
    let mut sudo = command::as_root_keeping(xtask, &["CARGO_TARGET_DIR"]);
    sudo.args(arguments).arg("--built");
    if !command::can_be_root() {
        let why = "installing takes root, and there is no sudo";
        return Err(Outcome::by_hand(
            why,
            [command::typed_as_root("cargo xtask install")],
        ));
    }
    command::exec(&mut sudo)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_starts_what_was_installed() {
        let unit =
            "[Service]\n# ExecStart= is below\nExecStart=/usr/local/bin/bwmon run\nUser=bwmon\n";
        let adjusted = unit_for(
            unit,
            Path::new("/opt/b/bin/bwmon"),
            Path::new("/etc/x.toml"),
        );
        assert_eq!(
            adjusted.unwrap(),
            "[Service]\n# ExecStart= is below\nExecStart=/opt/b/bin/bwmon run --config /etc/x.toml\nUser=bwmon\n"
        );
        assert!(unit_for("[Service]\n", Path::new("/a"), Path::new("/b")).is_err());
    }
}
