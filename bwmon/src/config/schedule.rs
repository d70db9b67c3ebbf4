//! Times of the week as people write them: `22:00-06:00`, `Mon-Fri 08:00-18:00; Sat,Sun`.
//!
//! Spaces and case do not matter.

use jiff::civil::{Time, Weekday};

use crate::core::schedule::{Days, Schedule, Window};

/// Most windows of a schedule. Each rule of each device carries its own.
const MAX_WINDOWS: usize = 16;

/// What may be written.
pub(super) const ALLOWED: &str = "hours such as \"22:00-06:00\", with days such as \
    \"Mon-Fri 08:00-18:00\", or days alone such as \"Sat,Sun\", several separated by \";\"";

/// The text is no time of the week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Nothing is between two separators, or at all.
    #[error("a window has neither hours nor days; write {ALLOWED}")]
    Empty,
    /// A word that should be a day is none.
    #[error(
        "{text:?}: {day:?} is no day; write \"Mon\", \"Tue\", \"Wed\", \"Thu\", \"Fri\", \"Sat\" or \"Sun\""
    )]
    NotADay {
        /// As written.
        text: String,
        /// The word.
        day: String,
    },
    /// What follows the days is not from one time of day to another.
    #[error(
        "{text:?}: {hours:?} are no hours; write them as in \"08:00-18:00\" or \"22:00-06:00\", up to 24:00"
    )]
    NotHours {
        /// As written.
        text: String,
        /// What is there.
        hours: String,
    },
    /// It has more windows than anybody can follow.
    #[error("{count} windows are too many; at most {MAX_WINDOWS}")]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

/// Windows separated by `;`, each of them days, hours or both.
pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleError> {
    let count = text.split(';').count();
    if count > MAX_WINDOWS {
        return Err(ScheduleError::TooMany { count });
    }
    text.split(';')
        .map(window)
        .collect::<Result<_, _>>()
        .map(Schedule)
}

/// Days, hours or both: hours begin with the first digit.
fn window(text: &str) -> Result<Window, ScheduleError> {
    let text = text.trim();
    let hours_start = text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(text.len());
    let (days, hours) = text.split_at(hours_start);
    if text.is_empty() {
        return Err(ScheduleError::Empty);
    }
    let days = if days.is_empty() {
        Days::ALL
    } else {
        read_days(days).map_err(|day| ScheduleError::NotADay {
            text: text.to_owned(),
            day: day.to_owned(),
        })?
    };
    let (from, to) = if hours.is_empty() {
        (Time::midnight(), Time::midnight())
    } else {
        read_hours(hours).ok_or_else(|| ScheduleError::NotHours {
            text: text.to_owned(),
            hours: hours.to_owned(),
        })?
    };
    Ok(Window { days, from, to })
}

/// Days and ranges of days, separated by commas; else the word that is no day.
fn read_days(text: &str) -> Result<Days, &str> {
    text.split(',').try_fold(Days(0), |days, part| {
        let range = match part.split_once('-') {
            Some((first, last)) => Days::range(day(first)?, day(last)?),
            None => Days::only(day(part)?),
        };
        Ok(days.and(range))
    })
}

fn day(text: &str) -> Result<Weekday, &str> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = text.trim();
    let word = text.to_ascii_lowercase();
    NAMES
        .into_iter()
        .zip(Weekday::Monday.cycle_forward())
        .find(|(name, _)| *name == word || name[..3] == word)
        .map(|(_, day)| day)
        .ok_or(text)
}

fn read_hours(text: &str) -> Option<(Time, Time)> {
    let (from, to) = text.split_once('-')?;
    let from = time(from)?;
    // Midnight as an end is that of the next day.
    let to = if to.trim() == "24:00" {
        Time::midnight()
    } else {
        time(to)?
    };
    Some((from, to))
}

/// `8:00` or `08:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str| {
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|_| is_number)
    };
    let is_short = (1..=2).contains(&hour.len()) && minute.len() == 2;
    Time::new(number(hour)?, number(minute)?, 0, 0)
        .ok()
        .filter(|_| is_short)
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;
    use proptest::prelude::*;

    use super::*;

    /// Hour and minute.
    type Clock = (i8, i8);

    fn check(text: &str, expected: &[(u8, Clock, Clock)]) {
        let hour = |(hour, minute)| time(hour, minute, 0, 0);
        let windows = expected.iter().map(|&(days, from, to)| Window {
            days: Days(days),
            from: hour(from),
            to: hour(to),
        });
        assert_eq!(parse(text), Ok(Schedule(windows.collect())), "{text:?}");
    }

    #[test]
    fn days_and_hours_are_read() {
        check("22:00-06:00", &[(0x7f, (22, 0), (6, 0))]);
        check("Mon-Fri 08:00-18:30", &[(0b001_1111, (8, 0), (18, 30))]);
        check("Sat,Sun 10:00-24:00", &[(0b110_0000, (10, 0), (0, 0))]);
        check("Fri-Mon", &[(0b111_0001, (0, 0), (0, 0))]);
        check("wed", &[(0b000_0100, (0, 0), (0, 0))]);
        check(
            " MONDAY , wed - Thursday8:05 - 9:00 ",
            &[(0b000_1101, (8, 5), (9, 0))],
        );
        check("00:00-24:00", &[(0x7f, (0, 0), (0, 0))]);
        check(
            "Mon 08:00-12:00; Tue; 22:00-23:59",
            &[
                (1, (8, 0), (12, 0)),
                (2, (0, 0), (0, 0)),
                (0x7f, (22, 0), (23, 59)),
            ],
        );
    }

    #[test]
    fn what_is_no_time_of_the_week_is_told_with_what_is_allowed() {
        let texts = [
            "",
            " ; ",
            "Mon;",
            "Mo-Fr 08:00-18:00",
            "Mon-",
            "Mon,,Tue",
            "always",
            "08:00",
            "8-18",
            "08:00-18:0",
            "08:00-24:01",
            "24:00-06:00",
            "08:00-18:00, 20:00-22:00",
            "08:00-18:00 Mon",
            "08:+5-18:00",
            "08:00:00-18:00:00",
            "Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon;Mon",
        ];
        let said: Vec<_> = texts
            .iter()
            .map(|text| parse(text).unwrap_err().to_string())
            .collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        a window has neither hours nor days; write hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";"
        a window has neither hours nor days; write hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";"
        a window has neither hours nor days; write hours such as "22:00-06:00", with days such as "Mon-Fri 08:00-18:00", or days alone such as "Sat,Sun", several separated by ";"
        "Mo-Fr 08:00-18:00": "Mo" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
        "Mon-": "" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
        "Mon,,Tue": "" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
        "always": "always" is no day; write "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" or "Sun"
        "08:00": "08:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "8-18": "8-18" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:00-18:0": "08:00-18:0" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:00-24:01": "08:00-24:01" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "24:00-06:00": "24:00-06:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:00-18:00, 20:00-22:00": "08:00-18:00, 20:00-22:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:00-18:00 Mon": "08:00-18:00 Mon" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:+5-18:00": "08:+5-18:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        "08:00:00-18:00:00": "08:00:00-18:00:00" are no hours; write them as in "08:00-18:00" or "22:00-06:00", up to 24:00
        17 windows are too many; at most 16
        "#);
    }

    proptest! {
        #[test]
        fn no_text_panics(
            text: String,
            likely in "[MonTueWdhFriSatu0-9:,; -]{0,30}",
        ) {
            parse(&text).ok();
            parse(&likely).ok();
        }
    }
}
