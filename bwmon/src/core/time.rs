//! Two kinds of time, which never mix: the monotonic clock measures, the wall clock dates.

use std::time::Duration;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// A reading of the monotonic clock (since boot, suspended time left out).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// The time from `earlier` to here; zero if that is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// The moment of a sample on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For durations and rates.
    pub monotonic: Monotonic,
    /// For days and dates.
    pub wall: Timestamp,
}

impl Now {
    /// The local day it is.
    pub fn day(&self, zone: &TimeZone) -> Date {
        self.wall.to_zoned(zone.clone()).date()
    }

    /// The local date and time it is.
    pub fn local(&self, zone: &TimeZone) -> DateTime {
        self.wall.to_zoned(zone.clone()).datetime()
    }

    /// Whole minutes since the epoch.
    pub fn minute(&self) -> i64 {
        self.wall.as_second().div_euclid(60)
    }
}

/// RFC 3339 with the offset of `zone`, to the second.
pub fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}
