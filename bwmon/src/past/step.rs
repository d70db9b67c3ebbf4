//! How long the steps of points over time are, and where each begins.

use std::time::Duration;

use jiff::{Span, Zoned, tz::TimeZone};

use super::{MOST_POINTS, PastError, Range, TimeError};
use crate::{
    config::units,
    core::history::Minute,
    store::{Region, Tier, minute_of, time_of},
};

/// Points that there are if nobody says how many.
const USUAL_POINTS: Minute = 500;
const HOUR: Minute = 60;
const DAY: Minute = 24 * HOUR;
/// The longest step there is.
const MOST_DAYS: Minute = 366;

/// How long a step is. Each is a part of the next larger one, and of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A sample, as far back as they are in memory; then a minute.
    Sample,
    /// 1, 3, 5, 15 or 30 of them.
    Minutes(Minute),
    /// 1, 2, 3, 4, 6, 8 or 12 of them, by the clock on the wall.
    Hours(Minute),
    /// Local ones, the first with the beginning of what is asked for.
    Days(Minute),
}

/// The fixed ones, in order.
const LADDER: [Step; 12] = [
    Step::Minutes(1),
    Step::Minutes(3),
    Step::Minutes(5),
    Step::Minutes(15),
    Step::Minutes(30),
    Step::Hours(1),
    Step::Hours(2),
    Step::Hours(3),
    Step::Hours(4),
    Step::Hours(6),
    Step::Hours(8),
    Step::Hours(12),
];

impl Step {
    /// The one that comes next to what is asked for, and is not shorter.
    ///
    /// # Errors
    ///
    /// When it is no duration.
    pub fn read(text: &str) -> Result<Self, TimeError> {
        match units::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(Self::at_least(duration)),
            _ => Err(TimeError::NotAStep {
                text: text.chars().take(100).collect(),
            }),
        }
    }

    fn at_least(duration: Duration) -> Self {
        if duration < Duration::from_secs(60) {
            return Self::Sample;
        }
        let minutes = Minute::try_from(duration.as_secs().div_ceil(60)).unwrap_or(Minute::MAX);
        let mut ladder = LADDER.into_iter();
        let fixed = ladder.find(|step| step.minutes() >= minutes);
        // The division comes first: it can't overflow.
        let days = (minutes / DAY + Minute::from(minutes % DAY > 0)).min(MOST_DAYS);
        fixed.unwrap_or(Self::Days(days))
    }

    /// The shortest one by which a range has no more than the usual number of points.
    pub(super) fn usual(range: Range) -> Self {
        let minutes = (range.to - range.from).max(1);
        let least = (minutes + USUAL_POINTS - 1) / USUAL_POINTS;
        Self::at_least(Duration::from_secs(least.unsigned_abs() * 60))
    }

    /// Usually, in minutes.
    fn minutes(self) -> Minute {
        match self {
            Self::Sample => 1,
            Self::Minutes(count) => count,
            Self::Hours(count) => count * HOUR,
            Self::Days(count) => count * DAY,
        }
    }

    /// Usually, in seconds.
    pub(super) fn seconds(self) -> u64 {
        match self {
            Self::Sample => 1,
            step => step.minutes().unsigned_abs() * 60,
        }
    }

    /// What it is made of.
    pub(super) fn tier(self) -> Tier {
        match self {
            Self::Sample | Self::Minutes(..15) => Tier::Minute,
            Self::Minutes(_) => Tier::Quarter,
            Self::Hours(_) => Tier::Hour,
            Self::Days(_) => Tier::Day,
        }
    }

    /// The start of the one that `minute` is in. Of days, of the one that begins with that day.
    pub(super) fn start(self, minute: Minute, zone: &TimeZone) -> Minute {
        match self {
            Self::Sample => minute,
            Self::Minutes(count @ ..=15) => minute.div_euclid(count) * count,
            Self::Minutes(count) => {
                let hour = start_of_hour(minute, zone);
                hour + (minute - hour).div_euclid(count) * count
            }
            Self::Hours(count) => {
                let hour = start_of_hour(minute, zone);
                match count {
                    // One that comes twice is two.
                    1 => hour,
                    _ => start_of_hours(hour, count, zone).unwrap_or(hour).min(hour),
                }
            }
            Self::Days(_) => Tier::Day.start(minute, zone),
        }
    }

    /// The start of the one after that.
    pub(super) fn next(self, minute: Minute, zone: &TimeZone) -> Minute {
        let start = self.start(minute, zone);
        match self {
            Self::Sample => start + 1,
            Self::Minutes(count @ ..=15) => start + count,
            Self::Minutes(count) => (start + count).min(Self::Hours(1).next(start, zone)),
            Self::Hours(_) => {
                let mut next = Tier::Hour.next(start, zone);
                while self.start(next, zone) <= start {
                    next = Tier::Hour.next(next, zone);
                }
                next
            }
            Self::Days(count) => (0..count).fold(start, |start, _| Tier::Day.next(start, zone)),
        }
    }
}

/// When the hour began. Where clocks change by half of one, it is one and a half long.
fn start_of_hour(minute: Minute, zone: &TimeZone) -> Minute {
    let start = Tier::Hour.start(minute, zone);
    Tier::Hour.start(start, zone)
}

/// When the clock on the wall last showed a multiple of `count` hours.
fn start_of_hours(hour: Minute, count: Minute, zone: &TimeZone) -> Option<Minute> {
    let local: Zoned = time_of(hour).to_zoned(zone.clone());
    let over = Minute::from(local.hour()) % count;
    let start = local.datetime().checked_sub(Span::new().hours(over)).ok()?;
    let start = start.date().at(start.hour(), 0, 0, 0);
    Some(minute_of(start.to_zoned(zone.clone()).ok()?.timestamp()))
}

/// Where each step of a range begins, and where the last one ends. Where nothing so fine is kept any
/// more, steps are as long as what is.
pub(super) fn grid(
    step: Step,
    regions: &[Region],
    range: Range,
    zone: &TimeZone,
) -> Result<Vec<Minute>, PastError> {
    let mut edges = Vec::new();
    let mut at = None;
    for region in regions {
        let is_coarser = region.tier > step.tier();
        let next = |minute| match is_coarser {
            true => region.tier.next(minute, zone),
            false => step.next(minute, zone),
        };
        let start = |minute| match is_coarser {
            true => region.tier.start(minute, zone),
            false => step.start(minute, zone),
        };
        let mut minute = *at.get_or_insert_with(|| start(range.from));
        while minute < region.to.min(range.to) {
            edges.push(minute);
            if edges.len() > MOST_POINTS {
                return Err(PastError::TooMany("points"));
            }
            minute = next(minute);
        }
        at = Some(minute);
    }
    edges.extend(at);
    Ok(edges)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn minute(text: &str) -> Minute {
        minute_of(text.parse::<Timestamp>().unwrap())
    }

    #[test]
    fn what_is_asked_for_becomes_a_step_that_is_not_shorter() {
        for (text, expected) in [
            ("1s", Step::Sample),
            ("59s", Step::Sample),
            ("60", Step::Minutes(1)),
            ("61s", Step::Minutes(3)),
            ("5m", Step::Minutes(5)),
            ("10min", Step::Minutes(15)),
            ("45m", Step::Hours(1)),
            ("5h", Step::Hours(6)),
            ("1d", Step::Days(1)),
            ("25h", Step::Days(2)),
            ("7d", Step::Days(7)),
            ("9999d", Step::Days(366)),
        ] {
            assert_eq!(Step::read(text).unwrap(), expected, "{text}");
        }
        for text in ["", "0s", "-1h", "soon", "h"] {
            let error = Step::read(text).unwrap_err();
            assert!(error.to_string().contains("is no step"), "{text}: {error}");
        }
    }

    #[test]
    fn there_are_about_500_points_usually() {
        for (minutes, expected) in [
            (1, Step::Minutes(1)),
            (500, Step::Minutes(1)),
            (DAY, Step::Minutes(3)),
            (7 * DAY, Step::Minutes(30)),
            (31 * DAY, Step::Hours(2)),
            (366 * DAY, Step::Days(1)),
            (20 * 365 * DAY, Step::Days(15)),
        ] {
            let range = Range {
                from: 0,
                to: minutes,
            };
            assert_eq!(Step::usual(range), expected, "{minutes}");
        }
    }

    #[test]
    fn steps_begin_by_the_clock_on_the_wall() {
        for (zone, at, step, start, next) in [
            (
                "UTC",
                "2026-03-08T23:17Z",
                Step::Minutes(5),
                "2026-03-08T23:15Z",
                "2026-03-08T23:20Z",
            ),
            (
                "Asia/Kathmandu",
                "2026-03-08T23:17Z",
                Step::Minutes(30),
                "2026-03-08T23:15Z",
                "2026-03-08T23:45Z",
            ),
            (
                "Europe/Berlin",
                "2026-03-08T23:17Z",
                Step::Hours(6),
                "2026-03-08T23:00Z",
                "2026-03-09T05:00Z",
            ),
            // The night with an hour less, and the one with an hour more.
            (
                "Europe/Berlin",
                "2026-03-29T02:30Z",
                Step::Hours(6),
                "2026-03-28T23:00Z",
                "2026-03-29T04:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-10-25T02:30Z",
                Step::Hours(6),
                "2026-10-24T22:00Z",
                "2026-10-25T05:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-10-25T01:30Z",
                Step::Hours(1),
                "2026-10-25T01:00Z",
                "2026-10-25T02:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-10-24T12:30Z",
                Step::Days(2),
                "2026-10-23T22:00Z",
                "2026-10-25T23:00Z",
            ),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(
                step.start(minute(at), &zone),
                minute(start),
                "{at} {step:?}"
            );
            assert_eq!(step.next(minute(at), &zone), minute(next), "{at} {step:?}");
        }
    }

    proptest! {
        #[test]
        fn every_minute_is_in_exactly_one_step(
            place in 0_usize..LADDER.len(),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"]),
            // In two years of changing clocks.
            at in 29_500_000_i64..30_500_000,
        ) {
            let (step, zone) = (LADDER[place], TimeZone::get(zone).unwrap());
            let (start, next) = (step.start(at, &zone), step.next(at, &zone));
            prop_assert!(start <= at && at < next);
            prop_assert_eq!(step.start(start, &zone), start);
            prop_assert_eq!(step.start(next - 1, &zone), start);
            prop_assert_eq!(step.start(next, &zone), next);
        }
    }
}
