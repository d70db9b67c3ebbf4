//! `cargo xtask install`: the binary, the systemd unit, man pages, completions and example configuration,
//! put in place.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
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
const CONFIGURATION: &str = "bwmon.toml";
/// The same, which the daemon may write, too. So it is in a directory of its own, with a link beside
/// the rest.
const DEVICES: &str = "registered_devices.json";
/// That directory, below the one of the configuration; as in the unit.
const DEVICES_DIRECTORY: &str = "devices";
/// What Prometheus and Grafana take over, below PREFIX/share/bwmon as below `config`.
const MONITORING: [&str; 2] = ["grafana/bwmon.json", "prometheus/bwmon.rules.yml"];
/// Where shells look for completions below PREFIX/share.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/bwmon"),
    ("zsh", "zsh/site-functions/_bwmon"),
    ("fish", "fish/vendor_completions.d/bwmon.fish"),
];
/// Where `man` looks for pages of commands, below PREFIX/share.
const PAGES: &str = "man/man1";
/// Where the unit has the configuration.
const UNIT_CONFIGURATION: &str = "/etc/bwmon";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the program goes: PREFIX/bin/bwmon; and PREFIX/share/bwmon for what goes with it.
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
    let unit = unit_for(&unit, &binary, &options.config_dir)?;
    place(
        options,
        &options.unit_dir.join(unit_name),
        unit.as_bytes(),
        0o644,
    )?;

    let share = options.prefix.join("share");
    for file in MONITORING {
        let path = share.join("bwmon").join(file);
        place(options, &path, &read(&examples.join(file))?, 0o644)?;
    }
    place_help(workspace, options, &share)?;

    let path = options.config_dir.join(CONFIGURATION);
    if staged(options, &path).exists() {
        println!("kept      {}, which is yours", path.display());
    } else {
        place(options, &path, &read(&examples.join(CONFIGURATION))?, 0o644)?;
    }
    place_devices(options, &read(&examples.join(DEVICES))?)?;
    Ok(Placed {
        unit: unit_name,
        binary,
    })
}

/// What the program says of itself: completions, and its man pages.
fn place_help(workspace: &Workspace, options: &Options, share: &Path) -> Result<()> {
    let program = workspace.release_binary("bwmon");
    for (shell, file) in COMPLETIONS {
        let script = command::ask(Command::new(&program).args(["completions", shell]));
        let script = script.with_context(|| format!("have bwmon complete in {shell}"))?;
        place(options, &share.join(file), script.as_bytes(), 0o644)?;
    }
    let pages = staged(options, &share.join(PAGES));
    fs::create_dir_all(&pages)
        .with_context(|| format!("make the directory {}", pages.display()))?;
    let mut man = Command::new(&program);
    let written = command::ask(man.args(["man", "--dir"]).arg(&pages));
    written.with_context(|| format!("write man pages to {}", pages.display()))?;
    println!("installed {}/bwmon*.1", pages.display());
    Ok(())
}

/// The registered devices, where the daemon may write them: it replaces the file, so the directory is
/// the daemon's.
fn place_devices(options: &Options, example: &[u8]) -> Result<()> {
    let link = options.config_dir.join(DEVICES);
    let directory = options.config_dir.join(DEVICES_DIRECTORY);
    let file = directory.join(DEVICES);
    match fs::symlink_metadata(staged(options, &link)) {
        Ok(found) if found.is_symlink() => {
            println!("kept      {}, which is yours", link.display());
            return Ok(());
        }
        Ok(_) => {
            println!("kept      {}, which is yours", link.display());
            println!("          to have the service change it when the API is asked to:");
            for command in [
                format!("install -d -o {USER} -g {USER} {}", directory.display()),
                format!("mv {} {}", link.display(), file.display()),
                format!("chown {USER}:{USER} {}", file.display()),
                format!("ln -s {DEVICES_DIRECTORY}/{DEVICES} {}", link.display()),
            ] {
                println!("              {}", command::typed_as_root(&command));
            }
            return Ok(());
        }
        Err(_) => {}
    }
    place(options, &file, example, 0o644)?;
    let target = Path::new(DEVICES_DIRECTORY).join(DEVICES);
    symlink(&target, staged(options, &link))
        .with_context(|| format!("link {} to {}", link.display(), target.display()))?;
    println!("installed {}, a link to it", link.display());
    if options.destdir.is_none() {
        let mut chown = Command::new("chown");
        chown.arg(format!("{USER}:{USER}")).args([directory, file]);
        command::run(&mut chown).context("give the registered devices to the daemon")?;
    }
    Ok(())
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
fn unit_for(unit: &str, binary: &Path, config_dir: &Path) -> Result<String> {
    let start = "ExecStart=";
    ensure!(
        unit.lines().filter(|line| line.starts_with(start)).count() == 1,
        "adjust the unit: it must have one line that starts with {start}"
    );
    let command = format!(
        "{} run --config {}",
        binary.display(),
        config_dir.join(CONFIGURATION).display()
    );
    let writable = format!("{UNIT_CONFIGURATION}/{DEVICES_DIRECTORY}");
    let ours = config_dir.join(DEVICES_DIRECTORY).display().to_string();
    let lines = unit.lines().map(|line| match line.starts_with(start) {
        true => format!("{start}{command}\n"),
        false if line.starts_with('#') => format!("{line}\n"),
        false => format!("{}\n", line.replace(&writable, &ours)),
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
        let unit = "[Service]\n# ExecStart= is below\nExecStart=/usr/local/bin/bwmon run\nUser=bwmon\n\
                    ReadWritePaths=-/etc/bwmon/devices\n";
        let adjusted = unit_for(unit, Path::new("/opt/b/bin/bwmon"), Path::new("/etc/x"));
        assert_eq!(
            adjusted.unwrap(),
            "[Service]\n# ExecStart= is below\nExecStart=/opt/b/bin/bwmon run --config /etc/x/bwmon.toml\n\
             User=bwmon\nReadWritePaths=-/etc/x/devices\n"
        );
        assert!(unit_for("[Service]\n", Path::new("/a"), Path::new("/b")).is_err());
    }

    #[test]
    fn the_unit_lets_the_daemon_write_where_the_devices_are_put() {
        let unit = include_str!("../../../config/bwmon.service");
        let directory = format!("{UNIT_CONFIGURATION}/{DEVICES_DIRECTORY}");
        for line in [
            format!("ReadWritePaths=-{directory}"),
            format!(
                "ExecStartPre=-+/usr/bin/install --directory --owner={USER} --group={USER} --mode=0755 \
                 {directory}"
            ),
        ] {
            assert!(unit.lines().any(|each| each == line), "{line}");
        }
    }
}
