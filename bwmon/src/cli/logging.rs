//! Logging to stderr.

use std::{
    collections::VecDeque,
    env,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use clap::ColorChoice;
use env_logger::{Builder, Target, TimestampPrecision, WriteStyle};
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

/// For a command that draws on the terminal: what is said meanwhile would be drawn over, so its last
/// lines are held back.
pub(super) fn held_back(options: &Options) -> Held {
    let held = Held::default();
    let mut builder = builder(options, LevelFilter::Warn);
    builder
        .format(|formatter, record| writeln!(formatter, "bwmon: {}", record.args()))
        .target(Target::Pipe(Box::new(held.clone())));
    start(&mut builder);
    held
}

/// Lines that are held back; afterwards the way to stderr.
#[derive(Clone, Debug)]
pub(super) struct Held(Arc<Mutex<Option<VecDeque<Vec<u8>>>>>);

/// Lines that are kept.
const MOST_HELD: usize = 20;

impl Held {
    /// Says what was held back, and what comes from now on at once.
    pub(super) fn release(&self) {
        let lines = self.lock().take();
        for line in lines.into_iter().flatten() {
            // Where stderr is closed there is nobody to tell.
            io::stderr().write_all(&line).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Vec<u8>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Held {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(VecDeque::new()))))
    }
}

impl Write for Held {
    /// A line at a time, as the logger writes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *self.lock() {
            Some(lines) => {
                if lines.len() == MOST_HELD {
                    lines.pop_front();
                }
                lines.push_back(line.to_owned());
            }
            None => io::stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    fn the_last_lines_are_held_back() {
        let mut held = Held::default();
        for number in 0..MOST_HELD + 5 {
            held.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let lines = held.lock().take().unwrap();
        assert_eq!(lines.len(), MOST_HELD);
        assert_eq!(lines[0], b"5\n");
    }

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
