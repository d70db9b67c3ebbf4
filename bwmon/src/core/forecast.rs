//! What a billing cycle will end with: linear in time at first, and by what each day of the week
//! brings once two whole weeks are known.
//!
//! With `m` whole days known, the time that is left is worth `n` days. If days are independent and
//! spread alike around what is expected of them, then with a probability of 80 % what they bring is
//! within `t · s · √(Σ n_d + n_d²/m_d)` of what is expected: `s` is the standard deviation of the known
//! days around their mean, `t` the 90th percentile of Student's distribution, and the sum goes over
//! the kinds of days: those of the week, or all as one. For one kind that is the prediction interval
//! for the mean of `n` future observations, times `n` (Hahn and Meeker, *Statistical Intervals*, 1991,
//! section 4.8); each kind adds its own uncertainty.
//!
//! Days of a home are not quite like that: weeks of holidays come in a row. The range says how far
//! the days so far went apart, and no more.

use jiff::civil::{Date, DateTime, Weekday};

use super::cycle::days_between;

/// Whole days of which the latest are looked at: eight weeks, so that it follows a changed household.
pub const MOST_DAYS: usize = 56;
/// Whole days from which on each day of the week has a mean of its own.
pub const DAYS_FOR_WEEKDAYS: usize = 14;
/// Whole days from which on there is a range.
pub const DAYS_FOR_RANGE: usize = 3;

const SECONDS_A_DAY: u32 = 86_400;

/// What is known when one is made.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The first day of the cycle.
    pub from: Date,
    /// The first day of the next one.
    pub until: Date,
    /// Bytes that count so far.
    pub used: u64,
    /// The clock on the wall.
    pub local: DateTime,
    /// Bytes of whole days that are over, in order. The latest [`MOST_DAYS`] count.
    pub days: &'a [(Date, u64)],
}

/// What a cycle will end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Bytes, never less than are used already.
    pub bytes: u64,
    /// From so many to so many in four of five cases; `None` while too little is known.
    pub range: Option<(u64, u64)>,
    /// How it was made.
    pub basis: Basis,
    /// Whole days that it stands on.
    pub days: usize,
}

/// How a forecast was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The time that is left goes on like the cycle so far.
    Linear,
    /// Each day that is left brings what its day of the week brought lately.
    Weekday,
}

/// What the cycle will end with; `None` on its first day while two weeks are not known, since
/// nothing follows of hours for a month.
pub fn forecast(known: &Known<'_>) -> Option<Forecast> {
    let latest = known.days.len().saturating_sub(MOST_DAYS);
    let days = &known.days[latest..];
    // What is left is told apart from what is used, which may be more than a float holds exactly.
    let (left, kinds, basis) = match days.len() >= DAYS_FOR_WEEKDAYS {
        true => {
            let kinds = by_weekday(known, days);
            let left = kinds.iter().map(|kind| kind.left * kind.mean).sum();
            (left, kinds, Basis::Weekday)
        }
        false => {
            let linear = linear(known.used, known.local, known.from, known.until)?;
            let left = linear.saturating_sub(known.used) as f64;
            let kind = Kind::of(days.iter().map(|(_, bytes)| *bytes), all_left(known));
            (left, vec![kind], Basis::Linear)
        }
    };
    let with = |left: f64| known.used.saturating_add(whole(left));
    let range = (days.len() >= DAYS_FOR_RANGE)
        .then(|| spread(days.len(), &kinds))
        .flatten()
        .map(|reach| (with(left - reach), with(left + reach)));
    Some(Forecast {
        bytes: with(left),
        range,
        basis,
        days: days.len(),
    })
}

/// What a cycle will end with if it goes on as it went: linear in time. `None` on its first day, of
/// which nothing follows for a month.
pub fn linear(used: u64, local: DateTime, from: Date, until: Date) -> Option<u64> {
    const DAY: u128 = SECONDS_A_DAY as u128;
    let days = u128::try_from(days_between(from, until)).ok()?;
    let passed = u128::try_from(days_between(from, local.date())).ok()?;
    let time = local.time();
    let seconds = 3600 * i32::from(time.hour()) + 60 * i32::from(time.minute());
    let passed = passed * DAY + u128::try_from(seconds).ok()?;
    if passed < DAY {
        return None;
    }
    let whole = u128::from(used) * days.saturating_mul(DAY) / passed;
    // Never less than what is used already, not even by a clock that is ahead of the cycle.
    Some(u64::try_from(whole).unwrap_or(u64::MAX).max(used))
}

/// Days that are expected to be alike.
struct Kind {
    /// How many are known.
    known: f64,
    /// Bytes of one of them.
    mean: f64,
    /// Sum of the squares of how far they are from that.
    squares: f64,
    /// How many are left.
    left: f64,
}

impl Kind {
    fn of(days: impl Iterator<Item = u64> + Clone, left: f64) -> Self {
        let known = days.clone().count() as f64;
        let sum: f64 = days.clone().map(|bytes| bytes as f64).sum();
        let mean = if known > 0.0 { sum / known } else { 0.0 };
        let squares = days.map(|bytes| (bytes as f64 - mean).powi(2)).sum();
        Self {
            known,
            mean,
            squares,
            left,
        }
    }
}

fn by_weekday(known: &Known<'_>, days: &[(Date, u64)]) -> Vec<Kind> {
    let left = left_by_weekday(known);
    let mut kinds = Vec::new();
    let mut homeless = 0.0;
    for weekday in Weekday::Monday.cycle_forward().take(7) {
        let same = days.iter().filter(|(date, _)| date.weekday() == weekday);
        let left = left[place(weekday)];
        match same.clone().next() {
            Some(_) => kinds.push(Kind::of(same.map(|(_, bytes)| *bytes), left)),
            None => homeless += left,
        }
    }
    if homeless > 0.0 {
        // bwmon was not there on any such day: it is expected to be like the others.
        kinds.push(Kind {
            squares: 0.0,
            ..Kind::of(days.iter().map(|(_, bytes)| *bytes), homeless)
        });
    }
    kinds
}

/// How many days are left of each day of the week; of today, what is left of it.
fn left_by_weekday(known: &Known<'_>) -> [f64; 7] {
    let mut left = [0.0; 7];
    let today = known.local.date().max(known.from);
    let mut day = today;
    while day < known.until {
        left[place(day.weekday())] += match day == known.local.date() {
            true => 1.0 - passed(known.local),
            false => 1.0,
        };
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    left
}

fn all_left(known: &Known<'_>) -> f64 {
    left_by_weekday(known).iter().sum()
}

/// How much of the day is over, 0 to 1.
fn passed(local: DateTime) -> f64 {
    let time = local.time();
    let seconds = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60;
    f64::from(seconds) / f64::from(SECONDS_A_DAY)
}

fn place(weekday: Weekday) -> usize {
    usize::from(weekday.to_monday_zero_offset().unsigned_abs())
}

/// How far what is left may be from what is expected of it, in four of five cases.
fn spread(days: usize, kinds: &[Kind]) -> Option<f64> {
    let freedom = days as f64 - kinds.len() as f64;
    if freedom < 1.0 {
        return None;
    }
    let squares: f64 = kinds.iter().map(|kind| kind.squares).sum();
    let deviation = (squares / freedom).sqrt();
    let days: f64 = kinds
        .iter()
        .map(|kind| kind.left + kind.left.powi(2) / kind.known.max(1.0))
        .sum();
    Some(student_90(freedom) * deviation * days.sqrt())
}

/// The 90th percentile of Student's distribution: the expansion of Abramowitz and Stegun, *Handbook of
/// Mathematical Functions*, 26.7.5. It is off by 1 % with 2 degrees of freedom, and by less with more.
fn student_90(freedom: f64) -> f64 {
    /// The same of the normal distribution.
    const Z: f64 = 1.281_551_565_5;
    let terms = [
        Z,
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
    ];
    let powers = [0, 1, 2, 3];
    terms
        .iter()
        .zip(powers)
        .map(|(term, power)| term / freedom.powi(power))
        .sum()
}

fn whole(bytes: f64) -> u64 {
    // Saturates at both ends.
    bytes.round() as u64
}

#[cfg(test)]
mod tests {
    use jiff::{ToSpan, civil::date};
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const GB: u64 = 1_000_000_000;

    /// So many days before `until`, each with what `bytes` says of it.
    fn days(count: i32, until: Date, bytes: impl Fn(Date) -> u64) -> Vec<(Date, u64)> {
        let day = |back: i32| until.saturating_sub(back.days());
        let days = (1..=count).rev().map(day);
        days.map(|day| (day, bytes(day))).collect()
    }

    /// In a cycle of 30 days, at noon of the 16th.
    fn at_half<'a>(used: u64, days: &'a [(Date, u64)]) -> Known<'a> {
        Known {
            from: date(2026, 4, 1),
            until: date(2026, 5, 1),
            used,
            local: date(2026, 4, 16).at(12, 0, 0, 0),
            days,
        }
    }

    #[test]
    fn it_goes_on_as_it_went() {
        let (from, until) = (date(2026, 3, 1), date(2026, 3, 31));
        for (used, local, expected) in [
            (100, date(2026, 3, 1).at(23, 59, 0, 0), None),
            (100, date(2026, 3, 2).at(0, 0, 0, 0), Some(3000)),
            (100, date(2026, 3, 11).at(0, 0, 0, 0), Some(300)),
            (100, date(2026, 3, 30).at(23, 59, 0, 0), Some(100)),
            (0, date(2026, 3, 16).at(12, 0, 0, 0), Some(0)),
            (u64::MAX, date(2026, 3, 2).at(0, 0, 0, 0), Some(u64::MAX)),
            // A clock that is behind the cycle, or ahead of it.
            (100, date(2026, 2, 1).at(12, 0, 0, 0), None),
            (100, date(2026, 4, 30).at(0, 0, 0, 0), Some(100)),
        ] {
            let actual = linear(used, local, from, until);
            assert_eq!(actual, expected, "{used} at {local}");
        }
    }

    #[test]
    fn it_is_linear_until_two_weeks_are_known() {
        let today = date(2026, 4, 16);
        let known = days(13, today, |_| GB);
        let forecast = forecast(&at_half(155 * GB / 10, &known)).unwrap();
        assert_eq!((forecast.basis, forecast.days), (Basis::Linear, 13));
        assert_eq!(forecast.bytes, 30 * GB);
        assert_eq!(forecast.range, Some((30 * GB, 30 * GB)), "no day differs");
    }

    #[test]
    fn weekends_are_expected_to_be_weekends() {
        let weekend = |day: Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        let bytes = |day| if weekend(day) { 10 * GB } else { GB };
        let known = days(28, date(2026, 4, 16), bytes);
        let forecast = forecast(&at_half(5 * GB, &known)).unwrap();
        assert_eq!(forecast.basis, Basis::Weekday);
        // Half of Thursday the 16th, 10 other working days, and 4 days of weekends.
        assert_eq!(forecast.bytes, 5 * GB + GB / 2 + 10 * GB + 40 * GB);
        assert_eq!(forecast.range, Some((forecast.bytes, forecast.bytes)));
    }

    #[test]
    fn the_range_is_as_wide_as_days_differ() {
        // 0 and 2 GB in turn; 14.5 days are left.
        let bytes = |day: Date| if day.day() % 2 == 0 { 2 * GB } else { 0 };
        let known = days(13, date(2026, 4, 16), bytes);
        let forecast = forecast(&at_half(155 * GB / 10, &known)).unwrap();
        let (low, high) = forecast.range.unwrap();
        let mean = known.iter().map(|(_, bytes)| *bytes).sum::<u64>() as f64 / 13.0;
        let squares = known
            .iter()
            .map(|(_, bytes)| (*bytes as f64 - mean).powi(2));
        let deviation = (squares.sum::<f64>() / 12.0).sqrt();
        // Student's 90th percentile with 12 degrees of freedom, from a table.
        let reach = 1.356 * deviation * (14.5 + 14.5 * 14.5 / 13.0_f64).sqrt();
        assert!((low as f64 - (30e9 - reach)).abs() < 0.01 * reach, "{low}");
        assert!(
            (high as f64 - (30e9 + reach)).abs() < 0.01 * reach,
            "{high}"
        );
    }

    #[test]
    fn there_is_no_range_of_two_days_and_no_forecast_of_hours() {
        let known = days(2, date(2026, 4, 16), |_| GB);
        let made = forecast(&at_half(GB, &known)).unwrap();
        assert_eq!((made.range, made.days), (None, 2));
        let first = Known {
            local: date(2026, 4, 1).at(20, 0, 0, 0),
            ..at_half(GB, &known)
        };
        assert_eq!(forecast(&first), None);
        let weeks = days(14, date(2026, 4, 1), |_| GB);
        let first = Known {
            days: &weeks,
            ..first
        };
        assert_eq!(forecast(&first).unwrap().basis, Basis::Weekday);
    }

    #[test]
    fn only_the_latest_eight_weeks_count() {
        let before = date(2026, 2, 19);
        let bytes = |day| if day < before { 50 * GB } else { GB };
        let known = days(200, date(2026, 4, 16), bytes);
        let forecast = forecast(&at_half(0, &known)).unwrap();
        assert_eq!(forecast.days, MOST_DAYS);
        assert_eq!(forecast.bytes, 145 * GB / 10);
    }

    #[test]
    fn students_distribution_is_near_its_table() {
        for (freedom, expected) in [
            (2.0, 1.886),
            (3.0, 1.638),
            (5.0, 1.476),
            (10.0, 1.372),
            (30.0, 1.310),
            (120.0, 1.289),
        ] {
            let found = student_90(freedom);
            assert!(
                (found / expected - 1.0_f64).abs() < 0.01,
                "{freedom}: {found}"
            );
        }
    }

    proptest! {
        #[test]
        fn it_is_never_below_what_is_used_and_within_its_range(
            used in any::<u64>(),
            amounts in vec(0_u64..1 << 50, 0..80),
            hours in -100_i64..900,
            length in 1_i32..62,
        ) {
            let from = date(2026, 4, 1);
            let local = from.at(0, 0, 0, 0).saturating_add(hours.hours());
            let start = local.date().saturating_sub((amounts.len() as i64).days());
            let days: Vec<(Date, u64)> = (0_i64..).zip(amounts)
                .map(|(day, bytes)| (start.saturating_add(day.days()), bytes))
                .collect();
            let until = from.saturating_add(length.days());
            let known = Known { from, until, used, local, days: &days };
            let Some(forecast) = forecast(&known) else {
                prop_assert!(days.len() < DAYS_FOR_WEEKDAYS && hours < 24);
                return Ok(());
            };
            prop_assert!(forecast.bytes >= used);
            prop_assert_eq!(forecast.days, days.len().min(MOST_DAYS));
            if let Some((low, high)) = forecast.range {
                prop_assert!(used <= low && low <= forecast.bytes && forecast.bytes <= high);
            }
            prop_assert!(forecast.range.is_none() || days.len() >= DAYS_FOR_RANGE);
            prop_assert!(forecast.range.is_some() || days.len() < DAYS_FOR_WEEKDAYS);
            if local.date() >= until {
                prop_assert!(forecast.basis == Basis::Linear || forecast.bytes == used, "it is over");
            }
        }
    }
}
