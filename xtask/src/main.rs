//! The project's chores as `cargo xtask VERB`: set-up, builds, checks, tests, installation.
//!
//! One verb, one file under [`verbs`]. Each verb works as the first command after a clone: it sets up
//! what it needs and says so. Nothing here is part of the product.

mod architecture;
mod cargo;
mod command;
mod debian;
mod files;
mod kernel;
mod node;
mod outcome;
mod python;
mod steps;
mod tools;
mod verbs;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

use crate::workspace::Workspace;

/// Chores of the bwmon repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Set up the compiler for the kernel half and the tools of the tests.
    Setup,
    /// Build the kernel half only, to target/bpfel-unknown-none/release/bwmon.
    BuildEbpf,
    /// Build the dashboard only, to target/web.
    BuildWeb,
    /// Build both halves, with the dashboard, in release mode, to target/release/bwmon.
    Build,
    /// Build both halves and run `bwmon run ARGS…` (by sudo when not root).
    Run(verbs::run::Options),
    /// Show bwmon in a home of network namespaces, with traffic; no network of yours is touched.
    Demo(verbs::demo::Options),
    /// Run every check and every test.
    Test,
    /// Check format, clippy, architecture, licences and sources.
    Lint,
    /// Measure the cost of the programs, with ARGS… for bwmon-bench.
    Bench(verbs::bench::Options),
    /// Install the binary, the systemd unit, man pages, completions and example configuration.
    Install(verbs::install::Options),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = Workspace::find().and_then(|workspace| match options.verb {
        Verb::Setup => verbs::setup::setup(&workspace),
        Verb::BuildEbpf => verbs::build_ebpf::build_ebpf(&workspace),
        Verb::BuildWeb => verbs::build_web::build_web(&workspace),
        Verb::Build => verbs::build::build(&workspace),
        Verb::Run(options) => verbs::run::run(&workspace, &options),
        Verb::Demo(options) => verbs::demo::demo(&workspace, &options),
        Verb::Test => verbs::test::test(&workspace),
        Verb::Lint => verbs::lint::lint(&workspace),
        Verb::Bench(options) => verbs::bench::bench(&workspace, &options),
        Verb::Install(options) => verbs::install::install(&workspace, &options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => outcome::report(&error),
    }
}
