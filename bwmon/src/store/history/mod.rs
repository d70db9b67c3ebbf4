//! What each subject moved, for years: tables of sums by minute, quarter of an hour, hour and day.
//!
//! Each checkpoint adds to the minutes. Four times an hour, minutes that are over are added up into
//! the coarser tiers, which costs flash far less than to write all of them each minute. So a coarser
//! tier holds what is before the time `rolled`, and what came since is in the minutes alone. Which
//! hour or day a minute belongs to is asked once, by the time zone then in force: the sum of a tier
//! is that of any other, whatever the clock does.
//!
//! Rows lie in the order of time, so that those written together are in few pages.

mod import;
mod imported;
mod keep;
mod read;
mod write;

use jiff::{Timestamp, tz::TimeZone};

use crate::core::history::Minute;

pub use self::{
    import::{Import, Imported, ImportedBucket, Mode, Taken, import},
    imported::KnownDevice,
    keep::{HistorySettings, Retention},
    read::{Bucket, History, HistoryReader, Region, Series},
};
pub(super) use self::{
    keep::{forget_series, make_room},
    write::{add, rename},
};

/// How finely history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Of the clock.
    Minute,
    /// Of an hour.
    Quarter,
    /// On the clock on the wall.
    Hour,
    /// From midnight to midnight, 23 to 25 hours.
    Day,
}

impl Tier {
    /// The finest first.
    pub const ALL: [Self; 4] = [Self::Minute, Self::Quarter, Self::Hour, Self::Day];

    /// The next coarser one.
    pub fn coarser(self) -> Option<Self> {
        match self {
            Self::Minute => Some(Self::Quarter),
            Self::Quarter => Some(Self::Hour),
            Self::Hour => Some(Self::Day),
            Self::Day => None,
        }
    }

    /// The next finer one.
    pub fn finer(self) -> Option<Self> {
        match self {
            Self::Minute => None,
            Self::Quarter => Some(Self::Minute),
            Self::Hour => Some(Self::Quarter),
            Self::Day => Some(Self::Hour),
        }
    }

    /// The start of the one that `minute` is in.
    pub fn start(self, minute: Minute, zone: &TimeZone) -> Minute {
        let quarter = minute.div_euclid(15) * 15;
        // No clock on any wall is a part of a quarter ahead of others, today.
        match self {
            Self::Minute => minute,
            Self::Quarter => quarter,
            Self::Hour => {
                let time = local(quarter, zone).map(|zoned| i64::from(zoned.minute()));
                quarter - time.unwrap_or_else(|| quarter.rem_euclid(60))
            }
            Self::Day => {
                let midnight = local(quarter, zone).and_then(|zoned| zoned.start_of_day().ok());
                midnight.map_or(quarter.div_euclid(1440) * 1440, |midnight| {
                    minute_of(midnight.timestamp())
                })
            }
        }
    }

    /// The start of the one after that.
    pub fn next(self, minute: Minute, zone: &TimeZone) -> Minute {
        let start = self.start(minute, zone);
        match self {
            Self::Minute => start + 1,
            Self::Quarter => start + 15,
            Self::Hour => self.start(start + 60, zone).max(start + 15),
            Self::Day => {
                let next =
                    local(start, zone).and_then(|zoned| zoned.tomorrow().ok()?.start_of_day().ok());
                next.map_or(start + 1440, |next| minute_of(next.timestamp()))
            }
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Minute => "history_minute",
            Self::Quarter => "history_quarter",
            Self::Hour => "history_hour",
            Self::Day => "history_day",
        }
    }
}

/// Whole minutes since the epoch.
pub fn minute_of(at: Timestamp) -> Minute {
    at.as_second().div_euclid(60)
}

/// When a minute begins.
pub fn time_of(minute: Minute) -> Timestamp {
    match Timestamp::from_second(minute.saturating_mul(60)) {
        Ok(time) => time,
        Err(_) if minute < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

fn local(minute: Minute, zone: &TimeZone) -> Option<jiff::Zoned> {
    let time = Timestamp::from_second(minute.checked_mul(60)?).ok()?;
    Some(time.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, rows: &[(&str, Tier, &str, &str)]) {
        let zone = TimeZone::get(zone).unwrap();
        for (at, tier, start, next) in rows {
            let minute = |text: &str| minute_of(text.parse().unwrap());
            assert_eq!(
                tier.start(minute(at), &zone),
                minute(start),
                "{at} {tier:?}"
            );
            assert_eq!(tier.next(minute(at), &zone), minute(next), "{at} {tier:?}");
        }
    }

    #[test]
    fn days_and_hours_are_those_of_the_clock_on_the_wall() {
        check(
            "Europe/Berlin",
            &[
                (
                    "2026-03-08T23:17Z",
                    Tier::Minute,
                    "2026-03-08T23:17Z",
                    "2026-03-08T23:18Z",
                ),
                (
                    "2026-03-08T23:17Z",
                    Tier::Quarter,
                    "2026-03-08T23:15Z",
                    "2026-03-08T23:30Z",
                ),
                (
                    "2026-03-08T23:17Z",
                    Tier::Hour,
                    "2026-03-08T23:00Z",
                    "2026-03-09T00:00Z",
                ),
                (
                    "2026-03-08T23:17Z",
                    Tier::Day,
                    "2026-03-08T23:00Z",
                    "2026-03-09T23:00Z",
                ),
            ],
        );
        check(
            "Asia/Kathmandu",
            &[
                (
                    "2026-03-08T23:17Z",
                    Tier::Hour,
                    "2026-03-08T23:15Z",
                    "2026-03-09T00:15Z",
                ),
                (
                    "2026-03-08T18:14Z",
                    Tier::Day,
                    "2026-03-07T18:15Z",
                    "2026-03-08T18:15Z",
                ),
            ],
        );
    }

    #[test]
    fn a_day_may_have_23_or_25_hours() {
        check(
            "Europe/Berlin",
            &[
                (
                    "2026-03-29T12:00Z",
                    Tier::Day,
                    "2026-03-28T23:00Z",
                    "2026-03-29T22:00Z",
                ),
                (
                    "2026-10-25T12:00Z",
                    Tier::Day,
                    "2026-10-24T22:00Z",
                    "2026-10-25T23:00Z",
                ),
                // The hour that comes twice is two.
                (
                    "2026-10-25T00:30Z",
                    Tier::Hour,
                    "2026-10-25T00:00Z",
                    "2026-10-25T01:00Z",
                ),
                (
                    "2026-10-25T01:30Z",
                    Tier::Hour,
                    "2026-10-25T01:00Z",
                    "2026-10-25T02:00Z",
                ),
            ],
        );
    }

    #[test]
    fn a_clock_may_be_as_wrong_as_it_likes() {
        for tier in Tier::ALL {
            for minute in [i64::MIN / 100, -1, 0, i64::MAX / 100] {
                let start = tier.start(minute, &TimeZone::UTC);
                assert!(start <= minute && minute < tier.next(minute, &TimeZone::UTC));
            }
        }
    }
}
