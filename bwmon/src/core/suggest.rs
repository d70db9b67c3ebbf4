//! Which threshold would have been quiet? Proposes one from what a subject did on each day.
//!
//! The threshold is the (k + 1)th highest of the daily values with [`HEAD_ROOM`] added, rounded up to
//! what people write, where k is how many alerts the owner wants in that time. So no more than k of
//! the days were over it. Of a day to come, the chance to be over the (k + 1)th highest of n values
//! is (k + 1) / (n + 1), whatever their distribution: S. S. Wilks, "Determination of sample sizes for
//! setting tolerance limits", Annals of Mathematical Statistics 12 (1941). The head room makes it
//! less.

/// Percent of the value that a threshold has at least: a usual day that is a little busier is no
/// news.
const HEAD_ROOM: u64 = 120;
/// What people write: two digits at most, next to each other by a third at most.
const ROUND: [u64; 10] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];
const TERA: u64 = 1_000_000_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Bytes; 1 MB at least.
    Size,
    /// Bytes per second, round in bits; 100 kbit/s at least.
    Rate,
    /// Seconds of a day; a quarter of an hour at least.
    Time,
}

/// How many alerts there may be in `days` days, if there are to be `per_week` at most.
pub fn allowed(per_week: f64, days: usize) -> usize {
    // The conversion saturates, and takes what is no number for zero.
    (per_week * days as f64 / 7.0) as usize
}

/// Thresholds for a subject that had these values, one for each day, so that `allowed` of them are
/// over it at most: the lowest first, then such as leave fewer and fewer over them. Empty where it
/// never did anything, or where no threshold could be broken.
pub fn candidates(values: &[u64], allowed: usize, quantity: Quantity) -> Vec<u64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(|one, other| other.cmp(one));
    let Some(highest) = values.first().copied().filter(|highest| *highest > 0) else {
        return Vec::new();
    };
    let with_head_room = |value: u64| value.saturating_mul(HEAD_ROOM) / 100;
    let last = allowed.min(values.len() - 1);
    let quieter = (0..=last).rev().map(|place| values[place]);
    let above = [2, 4, 8].map(|times| highest.saturating_mul(times));
    let mut candidates: Vec<u64> = quieter
        .chain(above)
        .map(|value| round_up(with_head_room(value), quantity))
        .collect();
    candidates.dedup();
    if quantity == Quantity::Time {
        candidates.retain(|seconds| *seconds < DAY);
    }
    candidates
}

/// The next value that people would write, not below this one.
pub fn round_up(value: u64, quantity: Quantity) -> u64 {
    match quantity {
        Quantity::Size => in_round_steps(u128::from(value.max(1_000_000))),
        Quantity::Rate => in_round_steps(8 * u128::from(value.max(12_500))).div_ceil(8),
        Quantity::Time => {
            let step = match value {
                0..=7_200 => HOUR / 4,
                7_201..=21_600 => HOUR / 2,
                _ => HOUR,
            };
            value.max(1).div_ceil(step).saturating_mul(step)
        }
    }
}

/// How it is written in the configuration, where it is one of [`round_up`].
pub fn written(value: u64, quantity: Quantity) -> String {
    match quantity {
        // The configuration has no word for more, and nobody has so much.
        Quantity::Size | Quantity::Rate if value >= TERA => value.to_string(),
        Quantity::Size => super::human::bytes(value),
        Quantity::Rate => super::human::bits_per_sec(value),
        Quantity::Time => match (value / HOUR, value % HOUR / 60) {
            (0, minutes) => format!("{minutes}m"),
            (hours, 0) => format!("{hours}h"),
            (hours, minutes) => format!("{hours}h{minutes}m"),
        },
    }
}

fn in_round_steps(value: u128) -> u64 {
    let mut unit: u128 = 1;
    while value > unit * 100 {
        unit *= 10;
    }
    let round = ROUND
        .iter()
        .chain([&100])
        .map(|round| u128::from(*round) * unit);
    let round = round.into_iter().find(|round| *round >= value);
    // What the configuration can say.
    let most = i64::MAX.unsigned_abs();
    round
        .and_then(|round| u64::try_from(round).ok())
        .unwrap_or(most)
        .min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::units::{parse_duration, parse_rate, parse_size};

    const ALL: [Quantity; 3] = [Quantity::Size, Quantity::Rate, Quantity::Time];

    fn check(values: &[u64], allowed: usize, quantity: Quantity, expected: &str) {
        let candidates = candidates(values, allowed, quantity);
        let first = candidates.first().map(|value| written(*value, quantity));
        assert_eq!(first.as_deref().unwrap_or("none"), expected, "{values:?}");
    }

    #[test]
    fn a_threshold_is_above_all_but_the_days_that_may_be_told_of() {
        let days = [1_000_000_000, 3_000_000_000, 900_000_000, 40_000_000_000, 2];
        check(&days, 0, Quantity::Size, "50 GB");
        check(&days, 1, Quantity::Size, "4 GB");
        check(&days, 2, Quantity::Size, "1.2 GB");
        check(&days, 9, Quantity::Size, "1 MB");
        check(&[0, 0, 0], 0, Quantity::Size, "none");
        check(&[], 1, Quantity::Size, "none");
    }

    #[test]
    fn thresholds_are_what_people_write() {
        check(&[2_000_000], 0, Quantity::Rate, "20 Mbit/s");
        check(&[300], 0, Quantity::Rate, "100 kbit/s");
        check(&[1_500_000], 0, Quantity::Rate, "15 Mbit/s");
        check(&[60], 0, Quantity::Time, "15m");
        check(&[4_000], 0, Quantity::Time, "1h30m");
        check(&[12_000], 0, Quantity::Time, "4h");
        check(&[40_000], 0, Quantity::Time, "14h");
        // It is always on.
        check(&[86_000], 0, Quantity::Time, "none");
    }

    #[test]
    fn so_many_alerts_a_week_are_so_many_in_a_month() {
        assert_eq!(allowed(0.25, 30), 1);
        assert_eq!(allowed(0.25, 27), 0);
        assert_eq!(allowed(2.0, 30), 8);
        assert_eq!(allowed(f64::NAN, 30), 0);
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0_u64..100_000, 0_u64..1 << 50], 1..60)
    }

    proptest! {
        #[test]
        fn no_more_days_are_over_it_than_were_promised(
            values in values(), allowed in 0_usize..70, quantity in prop::sample::select(&ALL[..]),
        ) {
            let mut over_before = usize::MAX;
            for threshold in candidates(&values, allowed, quantity) {
                let over = values.iter().filter(|value| **value > threshold).count();
                prop_assert!(over <= allowed, "{over} over {threshold}");
                prop_assert!(over <= over_before);
                over_before = over;
            }
        }

        #[test]
        fn busier_days_never_lower_it(
            values in values(), more in values(), allowed in 0_usize..8,
            quantity in prop::sample::select(&ALL[..2]),
        ) {
            let busier: Vec<u64> = values
                .iter()
                .zip(more.iter().chain(std::iter::repeat(&0)))
                .map(|(value, more)| value + more)
                .collect();
            let (before, after) = (
                candidates(&values, allowed, quantity),
                candidates(&busier, allowed, quantity),
            );
            prop_assert!(before.first() <= after.first());
            prop_assert!(candidates(&values, allowed + 1, quantity).first() <= before.first());
        }

        #[test]
        fn it_is_read_as_it_is_written(value in 0_u64..1 << 56) {
            for quantity in ALL {
                if quantity == Quantity::Time && value > DAY {
                    continue;
                }
                let round = round_up(value, quantity);
                prop_assert!(round >= value);
                let text = written(round, quantity);
                let read = match quantity {
                    Quantity::Size => parse_size(&text).unwrap(),
                    Quantity::Rate => parse_rate(&text).unwrap(),
                    Quantity::Time => parse_duration(&text).unwrap().as_secs(),
                };
                prop_assert_eq!(read, round, "{}", text);
                prop_assert_eq!(round_up(round, quantity), round);
            }
        }
    }
}
