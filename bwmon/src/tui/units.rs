//! Numbers that stand still: always three digits, so that what changes is the value and not the
//! place of its point.
//!
//! Sentences have `core::human`, which leaves trailing zeros out.

/// How rates are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Units {
    /// As lines are sold.
    #[default]
    Bits,
    /// As files are measured.
    Bytes,
}

/// Columns that [`Units::rate`] takes at most, up to a thousand terabits.
pub(super) const RATE_WIDTH: u16 = 11;
/// Columns that [`size`] takes at most.
pub(super) const SIZE_WIDTH: u16 = 7;

impl Units {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Bits => Self::Bytes,
            Self::Bytes => Self::Bits,
        }
    }

    /// A rate: `12.0 Mbit/s`.
    pub(super) fn rate(self, bytes_per_sec: f64) -> String {
        match self {
            Self::Bits => scaled(
                bytes_per_sec * 8.0,
                &[
                    "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s",
                ],
            ),
            Self::Bytes => scaled(
                bytes_per_sec,
                &["B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s"],
            ),
        }
    }
}

/// A size: `4.50 GB`.
pub(super) fn size(bytes: u64) -> String {
    scaled(bytes as f64, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// How much of something: `90 %`. Rounded down, so that what is full is, and nothing else.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    match percent {
        0..=999 => format!("{percent} %"),
        // Nobody needs to know by how many times.
        _ => ">999 %".to_owned(),
    }
}

/// A share, 0 to 1, with so many digits that a loss shows: `99.98 %`. Rounded down likewise.
pub(super) fn share(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 10_000.0 + 1e-6).floor();
    match hundredths {
        10_000.0.. => "100 %".to_owned(),
        _ => format!("{:.2} %", hundredths / 100.0),
    }
}

/// `value` in the largest of `units`, each 1,000 times the one before, of which it is at least one.
fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut units = units.iter().peekable();
    let mut is_whole = true;
    while let Some(unit) = units.next() {
        // What rounds to a thousand is one of the next unit.
        if value < 999.5 || units.peek().is_none() {
            let decimals = match value {
                _ if is_whole => 0,
                ..9.995 => 2,
                ..99.95 => 1,
                _ => 0,
            };
            return format!("{value:.decimals$} {unit}");
        }
        value /= 1000.0;
        is_whole = false;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_have_three_digits() {
        for (rate, bits, bytes) in [
            (0.0, "0 bit/s", "0 B/s"),
            (100.0, "800 bit/s", "100 B/s"),
            (124.95, "1.00 kbit/s", "125 B/s"),
            (1_500_000.0, "12.0 Mbit/s", "1.50 MB/s"),
            (125_000_000.0, "1.00 Gbit/s", "125 MB/s"),
        ] {
            assert_eq!(Units::Bits.rate(rate), bits);
            assert_eq!(Units::Bytes.rate(rate), bytes);
        }
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (9_996, "10.0 kB"),
            (99_960, "100 kB"),
            (999_600, "1.00 MB"),
            (4_500_000_000, "4.50 GB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn only_what_is_full_is_a_hundred_percent() {
        assert_eq!(percent(999, 1000), "99 %");
        assert_eq!(percent(1000, 1000), "100 %");
        assert_eq!(percent(u64::MAX, 0), ">999 %");
        assert_eq!(share(0.999_99), "99.99 %");
        assert_eq!(share(1.0), "100 %");
        assert_eq!(share(0.0), "0.00 %");
        assert_eq!(share(0.9984), "99.84 %");
    }

    proptest! {
        #[test]
        fn numbers_fit_their_columns(value in any::<u64>(), rate in 0.0..1e17_f64) {
            prop_assert!(size(value).len() <= usize::from(SIZE_WIDTH));
            for units in [Units::Bits, Units::Bytes] {
                prop_assert!(units.rate(rate).len() <= usize::from(RATE_WIDTH));
            }
        }
    }
}
