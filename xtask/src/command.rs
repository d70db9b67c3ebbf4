//! Running other programs: each is printed before it runs, and a failure names it.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `command` with its output on standard error, so that standard output stays the verb's own.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    command.stdout(Stdio::from(io::stderr()));
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs `command` and returns how it ended.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    print(command);
    command
        .status()
        .with_context(|| format!("start `{}`", shown(command)))
}

/// Replaces this process by `command`, so that signals and the exit code are its own.
///
/// # Errors
/// When it cannot be started; else this does not return.
pub(crate) fn exec(command: &mut Command) -> Result<()> {
    print(command);
    let error = command.exec();
    Err(error).with_context(|| format!("start `{}`", shown(command)))
}

/// Asks a question that changes nothing: not printed, standard output returned when it exits with 0.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

/// Prints `command` as one would type it.
pub(crate) fn print(command: &Command) {
    eprintln!("$ {}", shown(command));
}

/// `command` as one would type it, the environment it sets included.
pub(crate) fn shown(command: &Command) -> String {
    let set = command.get_envs().filter_map(|(name, value)| {
        let value = value?;
        Some(format!("{}={}", name.display(), quoted(value)))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = set.chain(words.map(quoted)).collect();
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|process| process.uid() == 0)
}

/// `program` with the rights of root: itself when we have them, else by sudo.
pub(crate) fn as_root(program: impl AsRef<OsStr>) -> Command {
    as_root_keeping(program, &[])
}

/// As [`as_root`], with these of our variables, which sudo would not pass on.
pub(crate) fn as_root_keeping(program: impl AsRef<OsStr>, variables: &[&str]) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    let set = variables.iter().filter(|name| env::var_os(name).is_some());
    sudo.args(set.map(|name| format!("--preserve-env={name}")))
        .arg("--")
        .arg(program);
    sudo
}

/// `line` as somebody types it to have it run by root.
pub(crate) fn typed_as_root(line: &str) -> String {
    if is_root() {
        line.to_owned()
    } else if on_path("sudo").is_some() {
        format!("sudo {line}")
    } else {
        format!("su --command '{line}'")
    }
}

/// Whether [`as_root`] has a way to become root.
pub(crate) fn can_be_root() -> bool {
    is_root() || on_path("sudo").is_some()
}

/// The first program of that name on PATH.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("apt-get");
        command
            .args(["install", "a b", "it's", ""])
            .env("LC_ALL", "C")
            .env_remove("RUSTFLAGS");
        assert_eq!(
            shown(&command),
            r"LC_ALL=C apt-get install 'a b' 'it'\''s' ''"
        );
    }
}
