//! The commands, one file each, and what they share: arguments, the API client, tables, output.
//!
//! A command asks, renders to text, and prints that once; no command but `run` and `top` keeps state.

mod act;
mod alerts;
mod ask;
mod backtest;
mod chart;
mod check;
mod client;
mod completions;
mod device;
mod devices;
mod endpoint;
mod history;
mod import;
mod json;
mod man;
mod notify_test;
mod output;
mod prefix;
mod printable;
mod report;
mod run;
mod status;
mod table;
mod top;

pub mod args;
pub mod logging;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;

use crate::chain::chain;

pub use self::{
    alerts::alerts,
    backtest::backtest,
    check::check,
    client::{Client, ClientError},
    completions::completions,
    device::device,
    devices::devices,
    endpoint::{Endpoint, EndpointError},
    history::history,
    import::import,
    man::man,
    notify_test::notify_test,
    output::OutputError,
    printable::printable,
    report::report,
    run::run,
    status::status,
    top::top,
};
pub(crate) use self::{chart::Glyphs, client::Following};

/// Exit status of a command that could not be done.
pub const FAILED: u8 = 2;

/// Ends a command: says what went wrong, if anything did, and picks the exit status.
pub fn finish(result: anyhow::Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        // Nobody reads any further, as in `bwmon devices | head -1`: that is no failure.
        Err(err) if err.downcast_ref().is_some_and(OutputError::is_broken_pipe) => {
            ExitCode::SUCCESS
        }
        Err(err) => {
            // Where stderr is closed too there is nobody left to tell.
            writeln!(io::stderr().lock(), "bwmon: {}", chain(err.as_ref())).ok();
            ExitCode::from(FAILED)
        }
    }
}

/// Runs what has to wait for an answer.
fn wait<T>(answer: impl Future<Output = Result<T, ClientError>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    Ok(runtime.block_on(answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish_after(kind: io::ErrorKind) -> ExitCode {
        finish(Err(OutputError::from(io::Error::from(kind)).into()))
    }

    #[test]
    fn the_exit_status_says_how_it_went() {
        assert_eq!(finish(Ok(ExitCode::from(1))), ExitCode::from(1));
        assert_eq!(finish(Err(anyhow::anyhow!("no"))), ExitCode::from(FAILED));
        assert_eq!(
            finish_after(io::ErrorKind::StorageFull),
            ExitCode::from(FAILED)
        );
    }

    #[test]
    fn a_reader_who_has_read_enough_is_no_failure() {
        assert_eq!(finish_after(io::ErrorKind::BrokenPipe), ExitCode::SUCCESS);
        let elsewhere = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(finish(Err(elsewhere.into())), ExitCode::from(FAILED));
    }
}
