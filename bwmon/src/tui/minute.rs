//! What happened in the last minute, second by second.

/// Seconds that are remembered.
pub(super) const SECONDS: usize = 60;

/// The rate in each of the last seconds, where it is known.
#[derive(Clone, Debug)]
pub(super) struct Minute {
    /// Bytes per second, at the place of the second modulo 60; not a number where it is not known.
    rates: [f32; SECONDS],
    /// The latest second, of the Unix epoch.
    until: i64,
}

impl Default for Minute {
    fn default() -> Self {
        Self {
            rates: [f32::NAN; SECONDS],
            until: i64::MIN,
        }
    }
}

impl Minute {
    /// The rate was `rate` after second `from`, up to and including second `until`.
    pub(super) fn push(&mut self, from: i64, until: i64, rate: u64) {
        let rate = rate as f32;
        if until == self.until {
            let slot = &mut self.rates[place(until)];
            *slot = slot.max(rate);
            return;
        }
        let passed = until.checked_sub(self.until);
        let is_next = passed.is_some_and(|passed| (1..=SECONDS as i64).contains(&passed));
        // What a clock that was set back or forth says of before is worth nothing.
        let first = if is_next {
            self.until + 1
        } else {
            self.rates = [f32::NAN; SECONDS];
            until.saturating_sub(SECONDS as i64 - 1)
        };
        for second in first..=until {
            self.rates[place(second)] = if second > from { rate } else { f32::NAN };
        }
        self.until = until;
    }

    /// The minute up to second `until` in so many columns, oldest first: the highest rate in each,
    /// `None` where none is known. At most 60.
    pub(super) fn columns(
        &self,
        until: i64,
        columns: usize,
    ) -> impl Iterator<Item = Option<f32>> + '_ {
        let columns = columns.clamp(1, SECONDS);
        (0..columns).map(move |column| {
            // Seconds ago, the oldest first.
            let seconds = (column * SECONDS / columns)..((column + 1) * SECONDS / columns);
            seconds
                .filter_map(|index| self.at(until.checked_sub((SECONDS - 1 - index) as i64)?))
                .reduce(f32::max)
        })
    }

    fn at(&self, second: i64) -> Option<f32> {
        let age = self.until.checked_sub(second)?;
        let is_known = (0..SECONDS as i64).contains(&age);
        let rate = self.rates[place(second)];
        (is_known && !rate.is_nan()).then_some(rate)
    }
}

fn place(second: i64) -> usize {
    second.rem_euclid(SECONDS as i64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn last(minute: &Minute, until: i64, count: usize) -> Vec<Option<f32>> {
        let all: Vec<_> = minute.columns(until, SECONDS).collect();
        all[SECONDS - count..].to_vec()
    }

    #[test]
    fn a_sample_is_about_all_seconds_since_the_one_before() {
        let mut minute = Minute::default();
        minute.push(99, 100, 7);
        minute.push(100, 103, 9);
        let expected = [None, Some(7.0), Some(9.0), Some(9.0), Some(9.0)];
        assert_eq!(last(&minute, 103, 5), expected);
    }

    #[test]
    fn of_several_samples_in_a_second_the_highest_counts() {
        let mut minute = Minute::default();
        minute.push(99, 100, 7);
        minute.push(100, 100, 9);
        minute.push(100, 100, 8);
        assert_eq!(last(&minute, 100, 2), [None, Some(9.0)]);
    }

    #[test]
    fn what_nobody_saw_is_not_known() {
        let mut minute = Minute::default();
        minute.push(99, 100, 7);
        minute.push(102, 103, 9);
        assert_eq!(
            last(&minute, 104, 5),
            [Some(7.0), None, None, Some(9.0), None]
        );
    }

    #[test]
    fn a_clock_set_back_begins_anew() {
        let mut minute = Minute::default();
        minute.push(99, 100, 7);
        minute.push(89, 90, 9);
        assert_eq!(
            last(&minute, 100, 11),
            [vec![Some(9.0)], vec![None; 10]].concat()
        );
    }

    #[test]
    fn fewer_columns_have_the_highest_of_their_seconds() {
        let mut minute = Minute::default();
        for second in 1..=60 {
            minute.push(second - 1, second, second as u64);
        }
        let columns: Vec<_> = minute.columns(60, 4).collect();
        assert_eq!(columns, [15.0, 30.0, 45.0, 60.0].map(Some));
        let columns: Vec<_> = minute.columns(60, 7).flatten().collect();
        assert_eq!((columns.len(), columns[6]), (7, 60.0));
    }

    proptest! {
        #[test]
        fn any_clock_will_do(
            pushes in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u64>()), 0..20),
            until in any::<i64>(),
            columns in 0_usize..100,
        ) {
            let mut minute = Minute::default();
            for (from, until, rate) in pushes {
                minute.push(from, until, rate);
            }
            prop_assert!(minute.columns(until, columns).count() <= SECONDS);
        }
    }
}
