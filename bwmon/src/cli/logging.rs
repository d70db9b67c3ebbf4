//! Logging to stderr.

use std::{env, io::Write};

use clap::ColorChoice;
use env_logger::{Builder, TimestampPrecision, WriteStyle};
use log::{Level, LevelFilter};

use super::args::Options;

/// For commands that answer and end: warnings, in the form of their errors.
pub fn for_commands(options: &Options) {
    let mut builder = builder(options, LevelFilter::Warn);
    builder.format(|formatter, record| match record.level() {
        Level::Error => writeln!(formatter, "bwmon: {}", record.args()),
        Level::Warn => writeln!(formatter, "bwmon: warning: {}", record.args()),
        Level::Info | Level::Debug | Level::Trace => {
            writeln!(formatter, "bwmon: {}: {}", record.target(), record.args())
        }
    });
    start(&mut builder);
}

/// For the daemon: what happens in its life, with the time, unless the journal adds that.
pub fn for_daemon(options: &Options) {
    let mut builder = builder(options, LevelFilter::Info);
    let journal = env::var_os("JOURNAL_STREAM").is_some();
    builder.format_timestamp((!journal).then_some(TimestampPrecision::Seconds));
    start(&mut builder);
}

/// What bwmon says at `quiet`, one level more for each `-v`, and of libraries the warnings.
/// `RUST_LOG` adds to that.
fn builder(options: &Options, quiet: LevelFilter) -> Builder {
    let style = match options.color {
        ColorChoice::Auto => WriteStyle::Auto,
        ColorChoice::Always => WriteStyle::Always,
        ColorChoice::Never => WriteStyle::Never,
    };
    let mut builder = Builder::new();
    builder
        .filter_level(LevelFilter::Warn)
        .filter_module("bwmon", louder(quiet, options.verbose))
        .write_style(style)
        .parse_default_env();
    builder
}

fn louder(quiet: LevelFilter, times: u8) -> LevelFilter {
    let index = LevelFilter::iter()
        .position(|level| level == quiet)
        .unwrap_or_default();
    LevelFilter::iter()
        .nth(index + usize::from(times))
        .unwrap_or(LevelFilter::Trace)
}

fn start(builder: &mut Builder) {
    if let Err(err) = builder.try_init() {
        log::debug!("logging was set up before: {err}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_v_is_one_level_more() {
        for (quiet, times, expected) in [
            (LevelFilter::Warn, 0, LevelFilter::Warn),
            (LevelFilter::Warn, 1, LevelFilter::Info),
            (LevelFilter::Info, 1, LevelFilter::Debug),
            (LevelFilter::Info, 9, LevelFilter::Trace),
        ] {
            assert_eq!(louder(quiet, times), expected, "{quiet} {times}");
        }
    }
}
