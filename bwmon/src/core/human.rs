//! Numbers as people read them: `4.5 GB`, `12.3 Mbit/s`, `5 h 1 min`.
//!
//! Sizes are decimal (10^6 = MB), rates are in bits. Everything is rounded to the nearest value of
//! three significant digits, without trailing zeros; machines get the integers instead.

use std::time::Duration;

/// Significant digits people are shown.
pub const DIGITS: u32 = 3;

/// A size: `4.5 GB`.
pub fn bytes(bytes: u64) -> String {
    bytes_with(bytes, DIGITS)
}

/// A size with at most so many significant digits, for telling two close ones apart.
pub fn bytes_with(bytes: u64, digits: u32) -> String {
    scaled(
        u128::from(bytes),
        digits,
        &["B", "kB", "MB", "GB", "TB", "PB", "EB"],
    )
}

/// A rate: `12.3 Mbit/s`.
pub fn bits_per_sec(bytes_per_sec: u64) -> String {
    bits_per_sec_with(bytes_per_sec, DIGITS)
}

/// A rate with at most so many significant digits, for telling two close ones apart.
pub fn bits_per_sec_with(bytes_per_sec: u64, digits: u32) -> String {
    let units = [
        "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s",
    ];
    scaled(u128::from(bytes_per_sec) * 8, digits, &units)
}

/// A duration in its two largest units, the rest cut off: `5 h 1 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => pair(minutes, "min", seconds, "s"),
        (0, _, _) => pair(hours, "h", minutes, "min"),
        _ => pair(days, "d", hours, "h"),
    }
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    }
}

/// `value` in the largest of `units` (each 1,000 times the one before) of which it is at least one.
fn scaled(value: u128, digits: u32, units: &[&str]) -> String {
    // More would overflow the multiplication below, and no one could read it.
    let digits = digits.min(12);
    let mut unit = 1;
    let mut units = units.iter().peekable();
    while let Some(name) = units.next() {
        let decimals = match value / unit {
            _ if unit == 1 => 0,
            0..=9 => digits.saturating_sub(1),
            10..=99 => digits.saturating_sub(2),
            _ => digits.saturating_sub(3),
        };
        let factor = 10_u128.pow(decimals);
        let rounded = (value * factor + unit / 2) / unit;
        // Rounding can reach the next unit: 999.95 kB is 1 MB, not 1000 kB.
        if rounded < 1000 * factor || units.peek().is_none() {
            return format!("{} {name}", decimal(rounded, factor));
        }
        unit *= 1000;
    }
    String::new()
}

fn decimal(value: u128, factor: u128) -> String {
    let (whole, fraction) = (value / factor, value % factor);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = factor.ilog10() as usize;
    let fraction = format!("{fraction:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(actual: String, expected: &str) {
        assert_eq!(actual, expected);
    }

    #[test]
    fn sizes_have_three_significant_digits_and_no_trailing_zeros() {
        check(bytes(0), "0 B");
        check(bytes(999), "999 B");
        check(bytes(1000), "1 kB");
        check(bytes(1_005), "1.01 kB");
        check(bytes(12_000_000), "12 MB");
        check(bytes(512_000_000), "512 MB");
        check(bytes(4_500_000_000), "4.5 GB");
        check(bytes(4_050_000_000), "4.05 GB");
        check(bytes(1_234_567_890_123), "1.23 TB");
        check(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn rounding_up_to_a_thousand_takes_the_next_unit() {
        check(bytes(9_994), "9.99 kB");
        check(bytes(9_996), "10 kB");
        check(bytes(99_960), "100 kB");
        check(bytes(999_499), "999 kB");
        check(bytes(999_500), "1 MB");
        check(bytes(999_999_999), "1 GB");
    }

    #[test]
    fn rates_are_bits() {
        check(bits_per_sec(0), "0 bit/s");
        check(bits_per_sec(100), "800 bit/s");
        check(bits_per_sec(125), "1 kbit/s");
        check(bits_per_sec(6_250_000), "50 Mbit/s");
        check(bits_per_sec(7_650_000), "61.2 Mbit/s");
        check(bits_per_sec(125_000_000), "1 Gbit/s");
        check(bits_per_sec(u64::MAX), "148 Ebit/s");
    }

    #[test]
    fn more_digits_tell_close_values_apart() {
        check(bytes_with(5_003_000_000, 4), "5.003 GB");
        check(bytes_with(512_345_678, 5), "512.35 MB");
        check(bits_per_sec_with(6_250_125, 5), "50.001 Mbit/s");
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let seconds = |seconds| duration(Duration::from_secs(seconds));
        check(seconds(0), "0 s");
        check(duration(Duration::from_millis(10_900)), "10 s");
        check(seconds(59), "59 s");
        check(seconds(60), "1 min");
        check(seconds(312), "5 min 12 s");
        check(seconds(18_000), "5 h");
        check(seconds(18_060), "5 h 1 min");
        check(seconds(18_012), "5 h");
        check(seconds(86_400), "1 d");
        check(seconds(100_000), "1 d 3 h");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_within_half_a_percent(value in any::<u64>()) {
            let text = bytes(value);
            let (number, unit) = text.split_once(' ').unwrap();
            let exponent = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
                .iter()
                .position(|name| *name == unit)
                .unwrap();
            let shown = number.parse::<f64>().unwrap() * 1000_f64.powi(exponent as i32);
            prop_assert!((shown - value as f64).abs() <= 0.0051 * value as f64, "{value}: {text}");
            prop_assert!(number.chars().filter(char::is_ascii_digit).count() <= 3, "{text}");
        }
    }
}
