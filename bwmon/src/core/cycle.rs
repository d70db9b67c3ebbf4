//! Billing cycles: from which day to which day a quota is counted.

use jiff::{ToSpan, civil::Date};

/// How the days of a billing cycle are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cycle {
    /// Begins on this day of each month, 1 to 31; in a month that has no such day, on its last one.
    DayOfMonth(i8),
    /// Begins so many days before a month's end: 1 is its last day, 28 the most.
    FromMonthsEnd(i8),
    /// Begins every so many days, once of them on `from`.
    Every {
        /// How many days it has; at least one.
        days: u16,
        /// A day on which one begins, past or future.
        from: Date,
    },
}

impl Default for Cycle {
    /// The calendar month.
    fn default() -> Self {
        Self::DayOfMonth(1)
    }
}

impl Cycle {
    /// The first day of the cycle that `day` is in.
    pub fn start(self, day: Date) -> Date {
        match self {
            Self::Every { days, from } => {
                let days = i32::from(days.max(1));
                let passed = days_between(from, day).rem_euclid(days);
                day.saturating_sub(passed.days())
            }
            Self::DayOfMonth(_) | Self::FromMonthsEnd(_) => {
                let this_month = self.in_month_of(day);
                if this_month <= day {
                    this_month
                } else {
                    self.in_month_of(day.first_of_month().saturating_sub(1.day()))
                }
            }
        }
    }

    /// The first day of the cycle after the one that `day` is in.
    pub fn end(self, day: Date) -> Date {
        match self {
            Self::Every { days, .. } => {
                let days = i32::from(days.max(1));
                self.start(day).saturating_add(days.days())
            }
            Self::DayOfMonth(_) | Self::FromMonthsEnd(_) => {
                let next_month = |day: Date| day.last_of_month().saturating_add(1.day());
                let this_month = self.in_month_of(day);
                if this_month > day {
                    this_month
                } else {
                    self.in_month_of(next_month(day))
                }
            }
        }
    }

    /// The day of a month on which a cycle begins.
    fn in_month_of(self, day: Date) -> Date {
        let last = day.days_in_month();
        let number = match self {
            Self::DayOfMonth(number) => number.clamp(1, last),
            Self::FromMonthsEnd(before) => (last + 1 - before.clamp(1, 28)).max(1),
            Self::Every { .. } => day.day(),
        };
        day.first_of_month()
            .saturating_add(i32::from(number - 1).days())
    }
}

/// Days from `from` to `to`; negative when that is earlier.
pub fn days_between(from: Date, to: Date) -> i32 {
    // All dates that there are lie within 20,000 years.
    from.duration_until(to).as_hours() as i32 / 24
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// Rows of a day, and the first days of its cycle and of the next one.
    fn check(cycle: Cycle, rows: &[[&str; 3]]) {
        for row in rows {
            let [day, start, end] = row.map(|date| date.parse().unwrap());
            assert_eq!(cycle.start(day), start, "{cycle:?} {day}");
            assert_eq!(cycle.end(day), end, "{cycle:?} {day}");
        }
    }

    #[test]
    fn a_day_of_the_month_begins_a_cycle() {
        check(
            Cycle::DayOfMonth(15),
            &[
                ["2026-03-15", "2026-03-15", "2026-04-15"],
                ["2026-03-14", "2026-02-15", "2026-03-15"],
                ["2026-01-03", "2025-12-15", "2026-01-15"],
            ],
        );
    }

    #[test]
    fn a_month_without_the_day_begins_its_cycle_on_its_last() {
        check(
            Cycle::DayOfMonth(31),
            &[
                ["2026-02-28", "2026-02-28", "2026-03-31"],
                ["2026-03-30", "2026-02-28", "2026-03-31"],
                ["2028-02-29", "2028-02-29", "2028-03-31"],
            ],
        );
    }

    #[test]
    fn a_cycle_may_be_told_from_the_months_end() {
        check(
            Cycle::FromMonthsEnd(1),
            &[
                ["2026-02-28", "2026-02-28", "2026-03-31"],
                ["2026-03-30", "2026-02-28", "2026-03-31"],
            ],
        );
        let third_last = [["2026-04-28", "2026-04-28", "2026-05-29"]];
        check(Cycle::FromMonthsEnd(3), &third_last);
    }

    #[test]
    fn a_cycle_may_be_a_number_of_days() {
        let cycle = Cycle::Every {
            days: 30,
            from: date(2026, 1, 5),
        };
        check(
            cycle,
            &[
                ["2026-01-05", "2026-01-05", "2026-02-04"],
                ["2026-02-03", "2026-01-05", "2026-02-04"],
                ["2026-01-04", "2025-12-06", "2026-01-05"],
            ],
        );
    }

    fn any_cycle() -> impl Strategy<Value = Cycle> {
        prop_oneof![
            (1_i8..=31).prop_map(Cycle::DayOfMonth),
            (1_i8..=28).prop_map(Cycle::FromMonthsEnd),
            (1_u16..=400, -1000_i32..1000).prop_map(|(days, offset)| Cycle::Every {
                days,
                from: date(2026, 1, 1).saturating_add(offset.days()),
            }),
        ]
    }

    proptest! {
        #[test]
        fn every_day_is_in_exactly_one_cycle(cycle in any_cycle(), offset in -2000_i32..2000) {
            let day = date(2026, 1, 1).saturating_add(offset.days());
            let (start, end) = (cycle.start(day), cycle.end(day));
            prop_assert!(start <= day && day < end);
            prop_assert_eq!(cycle.start(start), start);
            prop_assert_eq!(cycle.start(end), end);
            prop_assert_eq!(cycle.start(end.saturating_sub(1.day())), start);
        }
    }
}
