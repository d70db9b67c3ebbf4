//! When a rule applies: days of the week and hours of the day, in local time.

use jiff::civil::{DateTime, Time, Weekday};

/// Windows of local time, in any of which a rule applies. None at all: never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<Window>);

/// One window, which begins on some days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The days on which it begins.
    pub days: Days,
    /// When it begins.
    pub from: Time,
    /// When it ends: on the next day where that is not later than `from`. Equal: after 24 hours.
    pub to: Time,
}

/// Days of the week: bit 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u8);

impl Schedule {
    /// Whether a local time is in one of the windows.
    pub fn contains(&self, at: DateTime) -> bool {
        self.0.iter().any(|window| window.contains(at))
    }
}

impl Window {
    fn contains(&self, at: DateTime) -> bool {
        let Self { days, from, to } = *self;
        let (day, time) = (at.weekday(), at.time());
        if from < to {
            days.has(day) && from <= time && time < to
        } else {
            (days.has(day) && from <= time) || (days.has(day.previous()) && time < to)
        }
    }
}

impl Days {
    /// Each of them.
    pub const ALL: Self = Self(0x7f);

    /// Only this one.
    pub fn only(day: Weekday) -> Self {
        Self(1 << day.to_monday_zero_offset())
    }

    /// From one to another, both included, over Sunday where need be.
    pub fn range(first: Weekday, last: Weekday) -> Self {
        let days = first
            .cycle_forward()
            .take(1 + first.until(last).unsigned_abs() as usize);
        days.fold(Self(0), |days, day| days.and(Self::only(day)))
    }

    /// These and those.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether a day is among them.
    pub fn has(self, day: Weekday) -> bool {
        self.0 & Self::only(day).0 != 0
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn check(window: Window, day: i8, hour: i8, expected: bool) {
        // 2026-11-02 is a Monday.
        let at = date(2026, 11, 1 + day).at(hour, 30, 0, 0);
        let schedule = Schedule(vec![window]);
        assert_eq!(schedule.contains(at), expected, "{window:?} {at}");
    }

    fn window(days: Days, from: i8, to: i8) -> Window {
        let hour = |hour| time(hour, 0, 0, 0);
        Window {
            days,
            from: hour(from),
            to: hour(to),
        }
    }

    #[test]
    fn a_window_of_one_day_holds_its_hours() {
        let monday = window(Days::only(Weekday::Monday), 8, 18);
        for (day, hour, expected) in [(1, 8, true), (1, 17, true), (1, 18, false), (2, 9, false)] {
            check(monday, day, hour, expected);
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let friday = window(Days::only(Weekday::Friday), 22, 6);
        for (day, hour, expected) in [
            (5, 21, false),
            (5, 22, true),
            (6, 5, true),
            (6, 6, false),
            (5, 5, false),
            (6, 23, false),
        ] {
            check(friday, day, hour, expected);
        }
        // From Sunday into Monday.
        check(window(Days::only(Weekday::Sunday), 22, 6), 1, 3, true);
    }

    #[test]
    fn equal_ends_are_a_whole_day() {
        let always = window(Days::ALL, 0, 0);
        let sunday = window(Days::only(Weekday::Sunday), 6, 6);
        for hour in 0..24 {
            check(always, 3, hour, true);
            check(sunday, 7, hour, hour >= 6);
            check(sunday, 1, hour, hour < 6);
        }
    }

    #[test]
    fn no_window_is_never() {
        assert!(!Schedule::default().contains(date(2026, 11, 2).at(12, 0, 0, 0)));
    }
}
