//! `bwmon completions SHELL`: what a shell has to know to complete bwmon's commands and options.

use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use super::{
    args::{Cli, CompletionsArgs},
    output::print,
};

/// Prints the script.
///
/// # Errors
/// When stdout can't be written.
pub fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bwmon", &mut script);
    let script = String::from_utf8(script).context("cannot read the script as text")?;
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_is_told_of_every_command_and_of_options() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "bwmon", &mut script);
            let script = String::from_utf8(script).unwrap();
            for command in Cli::command().get_subcommands() {
                let name = command.get_name();
                assert!(script.contains(name), "{shell}: {name}");
            }
            assert!(script.contains("notify-test") && script.contains("xdp-mode"));
        }
    }
}
