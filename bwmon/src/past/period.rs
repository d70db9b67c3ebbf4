//! Stretches of time as people write them.

use jiff::{
    SignedDuration, Span, Timestamp, Zoned,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    config::units,
    core::{cycle::Cycle, history::Minute, time::rfc3339},
    store::{minute_of, time_of},
};

/// No database is older, nor will any be so old.
const YEARS: std::ops::RangeInclusive<i16> = 1971..=9000;

/// A time that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TimeError {
    /// It is none.
    #[error(
        "{text:?} is no time; write one such as \"2026-03-08T16:00:00+01:00\", a local one such as \
         \"2026-03-08T16:00\", a day such as \"2026-03-08\", \"-24h\" or \"now\""
    )]
    NotATime {
        /// What was written.
        text: String,
    },
    /// It ends before it begins.
    #[error("the time from {from} to {to} is empty; it must end after it begins")]
    Empty {
        /// RFC 3339.
        from: String,
        /// RFC 3339.
        to: String,
    },
    /// It is no duration.
    #[error("{text:?} is no step; write a duration such as \"5m\", \"1h\" or \"1d\"")]
    NotAStep {
        /// What was written.
        text: String,
    },
    /// A period has an end of its own.
    #[error("a period ends by itself: leave out `to`, or `period`")]
    PeriodWithEnd,
}

/// Whole minutes, as far as they are to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first minute.
    pub from: Minute,
    /// The one after the last.
    pub to: Minute,
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday on.
    Week,
    /// Of the calendar.
    Month,
    /// A billing cycle.
    Cycle,
}

impl Range {
    /// From `from` to `to` as they were written, in whole minutes, up to `now` at most.
    ///
    /// # Errors
    ///
    /// When it is empty.
    pub fn new(
        from: Timestamp,
        to: Timestamp,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Self, TimeError> {
        if from >= to {
            return Err(TimeError::Empty {
                from: rfc3339(from, zone),
                to: rfc3339(to, zone),
            });
        }
        let from = minute_of(from);
        // A minute that has begun is looked at as far as it has come.
        let end = minute_of(to.min(now) - SignedDuration::from_nanos(1)) + 1;
        Ok(Self {
            from,
            to: end.max(from),
        })
    }

    pub(super) fn contains(self, minute: Minute) -> bool {
        (self.from..self.to).contains(&minute)
    }
}

impl Period {
    /// The first day of the one that `day` is in, and the first of the next one.
    pub fn days(self, day: Date, cycle: Cycle) -> (Date, Date) {
        let (from, length) = match self {
            Self::Day => (day, Span::new().days(1)),
            Self::Week => {
                let passed = i64::from(day.weekday().to_monday_zero_offset());
                (
                    day.saturating_sub(Span::new().days(passed)),
                    Span::new().days(7),
                )
            }
            Self::Month => (day.first_of_month(), Span::new().months(1)),
            Self::Cycle => return (cycle.start(day), cycle.end(day)),
        };
        (from, from.saturating_add(length))
    }
}

/// The moment at which a stretch begins that starts at `text`.
///
/// # Errors
///
/// When it is no time.
pub(super) fn beginning(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, TimeError> {
    Ok(read(text, now, zone)?.0)
}

/// The moment at which a stretch ends that goes up to `text`: of a day, its end.
///
/// # Errors
///
/// When it is no time.
pub(super) fn ending(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    Ok(read(text, now, zone)?.1)
}

fn read(text: &str, now: Timestamp, zone: &TimeZone) -> Result<(Timestamp, Timestamp), TimeError> {
    let moment = |at| Some((at, at));
    let read = || -> Option<(Timestamp, Timestamp)> {
        if text == "now" {
            return moment(now);
        }
        if let Some(ago) = text.strip_prefix('-') {
            let ago = units::parse_duration(ago).ok()?;
            let ago = SignedDuration::try_from(ago).ok()?;
            return moment(now.checked_sub(ago).ok()?);
        }
        // The plus of an offset, in a URL where nobody took care of it, is a space.
        if let Ok(at) = text.replace(' ', "+").parse() {
            return moment(at);
        }
        let local = |at: DateTime| at.to_zoned(zone.clone()).ok();
        // A day is a time, too.
        if let Some(day) = day(text) {
            let midnight = |day: Date| {
                let zoned: Option<Zoned> = local(day.at(0, 0, 0, 0));
                zoned?.start_of_day().ok().map(|zoned| zoned.timestamp())
            };
            return Some((midnight(day)?, midnight(day.tomorrow().ok()?)?));
        }
        moment(local(text.parse().ok()?)?.timestamp())
    };
    let is_told = |at: Timestamp| YEARS.contains(&at.to_zoned(TimeZone::UTC).year());
    read()
        .filter(|(from, to)| is_told(*from) && is_told(*to))
        .ok_or_else(|| TimeError::NotATime {
            text: text.chars().take(100).collect(),
        })
}

/// `2026-03-08` and nothing else.
fn day(text: &str) -> Option<Date> {
    let has_no_time = text.len() == "2026-03-08".len();
    has_no_time.then(|| text.parse().ok()).flatten()
}

/// When a minute begins, by the clock on the wall.
pub(super) fn told(minute: Minute, zone: &TimeZone) -> String {
    rfc3339(time_of(minute), zone)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-03-29T10:00:30Z".parse().unwrap();
        for (text, from, to) in [
            ("now", "2026-03-29T10:00:30Z", "2026-03-29T10:00:30Z"),
            ("-24h", "2026-03-28T10:00:30Z", "2026-03-28T10:00:30Z"),
            ("-1d12h", "2026-03-27T22:00:30Z", "2026-03-27T22:00:30Z"),
            (
                "2026-03-08T16:00:00+01:00",
                "2026-03-08T15:00:00Z",
                "2026-03-08T15:00:00Z",
            ),
            (
                "2026-03-08T16:00:00 01:00",
                "2026-03-08T15:00:00Z",
                "2026-03-08T15:00:00Z",
            ),
            (
                "2026-03-08T16:00",
                "2026-03-08T15:00:00Z",
                "2026-03-08T15:00:00Z",
            ),
            // A day with 23 hours.
            ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ] {
            let zone = berlin();
            let expected = |text: &str| text.parse::<Timestamp>().unwrap();
            assert_eq!(
                beginning(text, now, &zone).unwrap(),
                expected(from),
                "{text}"
            );
            assert_eq!(ending(text, now, &zone).unwrap(), expected(to), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "-",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "24h",
            "-0.5x",
            "1969-01-01",
            "9999-01-01",
            "--1h",
            "-999999999d",
            "2026",
            "\0",
        ] {
            let error = beginning(text, Timestamp::UNIX_EPOCH, &berlin()).unwrap_err();
            assert!(error.to_string().contains("is no time"), "{text}: {error}");
        }
    }

    #[test]
    fn a_stretch_is_whole_minutes_and_ends_by_now() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("1970-01-01T01:00:30Z");
        for (from, to, expected) in [
            ("1970-01-01T00:00:59Z", "1970-01-01T00:01:01Z", Some((0, 2))),
            ("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", Some((1, 2))),
            (
                "1970-01-01T00:01:00Z",
                "1970-01-02T00:00:00Z",
                Some((1, 61)),
            ),
            (
                "1970-01-01T02:00:00Z",
                "1970-01-02T00:00:00Z",
                Some((120, 120)),
            ),
            ("1970-01-01T00:01:00Z", "1970-01-01T00:01:00Z", None),
        ] {
            let range = Range::new(at(from), at(to), now, &TimeZone::UTC).ok();
            let expected = expected.map(|(from, to)| Range { from, to });
            assert_eq!(range, expected, "{from} {to}");
        }
    }

    #[test]
    fn periods_are_those_of_the_calendar_and_of_the_bill() {
        let cycle = Cycle::DayOfMonth(15);
        // A Sunday.
        let day = date(2026, 3, 8);
        for (period, from, until) in [
            (Period::Day, date(2026, 3, 8), date(2026, 3, 9)),
            (Period::Week, date(2026, 3, 2), date(2026, 3, 9)),
            (Period::Month, date(2026, 3, 1), date(2026, 4, 1)),
            (Period::Cycle, date(2026, 2, 15), date(2026, 3, 15)),
        ] {
            assert_eq!(period.days(day, cycle), (from, until), "{period:?}");
        }
    }
}
