//! `bwmon man`: the man pages, out of what the command line is defined by.

use std::{fs, io, path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::{
    args::{Cli, ManArgs},
    output::print,
};

/// What else belongs into a page of the whole program, in the language of man pages.
const FILES: &str = r#".SH FILES
.TP
\fI/etc/bwmon/bwmon.toml\fR
configuration; every key is optional
.TP
\fI/etc/bwmon/registered_devices.json\fR
names, groups and thresholds of single devices
.TP
\fI/var/lib/bwmon/bwmon.db\fR
history, alerts, and events that wait
"#;

/// Prints the page of bwmon, or writes those of all commands.
///
/// # Errors
/// When stdout or the directory can't be written.
pub fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    match &args.dir {
        Some(directory) => write_all(directory)?,
        None => {
            let page = page(whole()).context("cannot write the page")?;
            print(&page)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write_all(directory: &Path) -> anyhow::Result<()> {
    for (name, command) in commands(whole()) {
        let path = directory.join(format!("{name}.1"));
        let page = page(command).context("cannot write the page")?;
        fs::write(&path, page)
            .with_context(|| format!("cannot write the man page {}", path.display()))?;
    }
    Ok(())
}

fn whole() -> Command {
    let mut whole = Cli::command().disable_help_subcommand(true);
    whole.build();
    whole
}

/// A command and all below it, by the names of their pages.
fn commands(command: Command) -> Vec<(String, Command)> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let below: Vec<Command> = command.get_subcommands().cloned().collect();
    let mut all = vec![(name, command)];
    all.extend(below.into_iter().flat_map(commands));
    all
}

fn page(command: Command) -> io::Result<String> {
    let is_whole = command.get_name() == "bwmon";
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    if is_whole {
        page.extend_from_slice(FILES.as_bytes());
    }
    String::from_utf8(page).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_every_command() {
        let directory = tempfile::tempdir().unwrap();
        write_all(directory.path()).unwrap();
        let page = |name: &str| {
            let page = fs::read_to_string(directory.path().join(format!("{name}.1")));
            page.unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        for command in Cli::command().get_subcommands() {
            let text = page(&format!("bwmon-{}", command.get_name()));
            assert!(text.contains(".SH SYNOPSIS"), "{text}");
        }
        assert!(page("bwmon-alerts-ack").contains("takes care"));
        assert!(page("bwmon").contains("registered_devices.json"));
        assert!(!page("bwmon-status").contains("registered_devices.json"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = write_all(Path::new("/nonexistent")).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/bwmon.1"),
            "{error}"
        );
    }
}
