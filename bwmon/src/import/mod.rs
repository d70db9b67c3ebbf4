//! Understands what other programs wrote down of the past: the Python script's usage log, and the
//! exports of vnStat and nlbwmon.
//!
//! From text to [`Entry`]s, to the [`ImportedBucket`]s of devices that bwmon knows. Nothing here
//! reads a file or a clock, or writes a database. A file with a mistake is none: nothing of it is
//! taken. All of it is untrusted, and bounded.

mod json;
pub mod nlbwmon;
mod period;
pub mod subjects;
#[cfg(test)]
mod tests;
pub mod usage_log;
pub mod vnstat;

use std::{net::IpAddr, time::Duration};

use bwmon_common::layout::Counter;
use jiff::{Timestamp, civil::Date};

use crate::{
    core::{history::Minute, mac::MacAddr},
    store::Tier,
};

pub use self::period::{Period, spread};

/// Most bytes of a file.
pub const MAX_BYTES: u64 = 64 << 20;
/// Most bytes of a line of text.
const MAX_LINE: usize = 1 << 16;
/// Most entries that a file may come to.
pub const MAX_ENTRIES: usize = 200_000;
/// More bytes than pass in any period.
const MAX_AMOUNT: u64 = 1_000_000_000_000_000_000;
/// Longer names are cut off.
const MAX_NAME: usize = 64;

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The Python script: a line a day and device
    UsageLog,
    /// `vnstat --json`
    Vnstat,
    /// `nlbw -c json` or `nlbw -c csv`
    Nlbwmon,
}

/// What somebody moved in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub who: Named,
    /// When.
    pub when: When,
    /// Uploaded, as the devices see it; for an interface: what came in.
    pub sent: Counter,
    /// Downloaded; for an interface: what went out.
    pub received: Counter,
    /// For how long of it a device was active.
    pub active: Option<Duration>,
}

/// How a file calls somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// A device.
    Device {
        /// Its MAC.
        mac: Option<MacAddr>,
        /// One of its addresses.
        address: Option<IpAddr>,
        /// What it is called.
        name: Option<String>,
    },
    /// An interface of that machine.
    Interface(String),
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A bucket of this tier from a minute on.
    Bucket(Tier, Minute),
    /// Some days, of which it is not known how much moved on each.
    Days(Period),
}

/// A file as understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What it says.
    pub entries: Vec<Entry>,
    /// What the owner should know.
    pub notes: Vec<String>,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct ImportError {
    /// From one.
    pub line: usize,
    /// From one.
    pub column: usize,
    /// What, and what to do.
    pub what: String,
}

impl ImportError {
    fn new(line: usize, column: usize, what: impl Into<String>) -> Self {
        Self {
            line,
            column,
            what: what.into(),
        }
    }
}

/// Who seems to have written a file.
pub fn detect(text: &str) -> Option<Format> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let head = text.get(..4096).unwrap_or(text);
    let first = head.lines().next().unwrap_or_default();
    if head.starts_with('{') && head.contains("\"jsonversion\"") {
        return Some(Format::Vnstat);
    }
    if head.starts_with('{') && head.contains("\"columns\"") {
        return Some(Format::Nlbwmon);
    }
    if first.contains("rx_bytes") && first.contains("tx_bytes") {
        return Some(Format::Nlbwmon);
    }
    let is_log = first.starts_with('#') || first.starts_with("//");
    let is_record = first.starts_with('{') && first.contains("\"ip\"");
    (is_log || is_record).then_some(Format::UsageLog)
}

/// A name that is safe to keep and to show: without control characters, not too long.
fn name(text: &str) -> Option<String> {
    let text = crate::core::message::printable(text.trim());
    let text: String = text.chars().take(MAX_NAME).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The minute of a local time; of two with the same name, the earlier.
fn local_minute(date: Date, hour: i8, minute: i8, zone: &jiff::tz::TimeZone) -> Option<Minute> {
    let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
    let at: Timestamp = zone.to_timestamp(date.to_datetime(time)).ok()?;
    Some(crate::store::minute_of(at))
}

/// Whole bytes; `None` where that is no amount.
fn amount(value: f64) -> Option<u64> {
    (0.0..=MAX_AMOUNT as f64)
        .contains(&value)
        .then(|| value.round() as u64)
}
