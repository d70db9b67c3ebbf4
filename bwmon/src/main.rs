//! `bwmon`: does what the command line asks for.

use std::process::ExitCode;

use bwmon::cli::{
    self,
    args::{Cli, Command},
    logging,
};
use clap::Parser;

fn main() -> ExitCode {
    cli::finish(ask(&Cli::parse()))
}

fn ask(Cli { options, command }: &Cli) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(_) => logging::for_daemon(options),
        // What it says must not get into what it draws.
        Command::Top(_) => {}
        Command::Check(_)
        | Command::Status(_)
        | Command::Devices(_)
        | Command::Device(_)
        | Command::Alerts(_)
        | Command::Report(_)
        | Command::History(_)
        | Command::Backtest(_)
        | Command::Import(_)
        | Command::NotifyTest(_)
        | Command::Completions(_)
        | Command::Man(_) => {
            logging::for_commands(options);
        }
    }
    match command {
        Command::Run(args) => cli::run(options, args),
        Command::Top(args) => cli::top(options, args),
        Command::Check(args) => cli::check(options, args),
        Command::Status(args) => cli::status(options, args),
        Command::Devices(args) => cli::devices(options, args),
        Command::Device(args) => cli::device(options, args),
        Command::Alerts(args) => cli::alerts(options, args),
        Command::Report(args) => cli::report(options, args),
        Command::History(args) => cli::history(options, args),
        Command::Backtest(args) => cli::backtest(options, args),
        Command::Import(args) => cli::import(options, args),
        Command::NotifyTest(args) => cli::notify_test(options, args),
        Command::Completions(args) => cli::completions(args),
        Command::Man(args) => cli::man(args),
    }
}
