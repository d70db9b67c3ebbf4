//! Texts and what they are read as.

use proptest::prelude::*;

use super::*;

fn check<T: fmt::Debug>(read: Result<T, UnitError>, expected: &str) {
    let text = match read {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(text, expected);
}

#[test]
fn sizes() {
    for (text, expected) in [
        ("0", 0),
        ("500", 500),
        ("500 MB", 500_000_000),
        ("500MB", 500_000_000),
        ("  500   MB ", 500_000_000),
        ("500 MiB", 500 << 20),
        ("1.5 GB", 1_500_000_000),
        ("1.001 KiB", 1025),
        ("0.1 B", 1),
        ("7 kB", 7000),
        ("7 KB", 7000),
        ("2 TiB", 2 << 40),
        ("2 TB", 2_000_000_000_000),
        ("18446744073709551615", u64::MAX),
        ("18446744073709551615.0 B", u64::MAX),
        ("0.123456789012345678901234567890 kB", 123),
    ] {
        assert_eq!(parse_size(text), Ok(expected), "{text}");
    }
}

#[test]
fn no_sizes() {
    let size = |text: &str, expected: &str| check(parse_size(text), expected);
    let allowed = "write a size such as \"500 MB\", or a whole number of bytes";
    size("", &format!("\"\" is not a size; {allowed}"));
    size("lots", &format!("\"lots\" is not a size; {allowed}"));
    size("NaN", &format!("\"NaN\" is not a size; {allowed}"));
    size("1. GB", &format!("\"1. GB\" is not a size; {allowed}"));
    size(".5 GB", &format!("\".5 GB\" is not a size; {allowed}"));
    size("-5 GB", &format!("\"-5 GB\" is negative; {allowed}"));
    size("1.5", &format!("\"1.5\" is not a whole number; {allowed}"));
    size(
        "16777217 TiB",
        "\"16777217 TiB\" is too large; at most 18446744073709551615 bytes",
    );
    size(
        &format!("{} B", "9".repeat(400)),
        &format!(
            "\"{} B\" is too large; at most 18446744073709551615 bytes",
            "9".repeat(400)
        ),
    );
    size(
        "5 Mb",
        "\"5 Mb\" is not a size: unit \"Mb\" is unknown; \
         write MB for a size, as Mbit/s is for rates",
    );
    size(
        "5 mib",
        "\"5 mib\" is not a size: unit \"mib\" is unknown; did you mean \"MiB\"?",
    );
    size(
        "5 parsecs",
        "\"5 parsecs\" is not a size: unit \"parsecs\" is unknown; \
         allowed are B, kB, KB, MB, GB, TB, KiB, MiB, GiB, TiB",
    );
}

#[test]
fn rates() {
    for (text, expected) in [
        ("1000", 1000),
        ("20 Mbit/s", 2_500_000),
        ("20Mbit / s", 2_500_000),
        ("2 MB/s", 2_000_000),
        ("64 kbit/s", 8000),
        ("1 Gbit/s", 125_000_000),
        ("8 KiB/s", 8192),
        ("0 bit/s", 0),
        ("1 bit/s", 1),
        ("12 bit/s", 2),
    ] {
        assert_eq!(parse_rate(text), Ok(expected), "{text}");
    }
    let rate = |text: &str, expected: &str| check(parse_rate(text), expected);
    let both = "is unknown; write Mbit/s for bits, MB/s for bytes";
    rate(
        "5 Mbps",
        &format!("\"5 Mbps\" is not a rate: unit \"Mbps\" {both}"),
    );
    rate(
        "5 Mb",
        &format!("\"5 Mb\" is not a rate: unit \"Mb\" {both}"),
    );
    rate(
        "5 MB",
        &format!("\"5 MB\" is not a rate: unit \"MB\" {both}"),
    );
    rate(
        "5 MiB",
        "\"5 MiB\" is not a rate: unit \"MiB\" is unknown; did you mean \"MiB/s\"?",
    );
}

#[test]
fn durations() {
    for (text, milliseconds) in [
        ("90s", 90_000),
        ("90 s", 90_000),
        ("90", 90_000),
        ("3h", 3 * 3_600_000),
        ("500ms", 500),
        ("1h30m", 5_400_000),
        ("1h 30min", 5_400_000),
        ("1.5h", 5_400_000),
        ("2d", 2 * 86_400_000),
        ("0s", 0),
    ] {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_millis(milliseconds)),
            "{text}"
        );
    }
    let allowed = "write a duration such as \"90s\" or \"1h30m\", or a whole number of seconds";
    for text in ["", "soon", "1h30", "30m1h", "1m 1min", "5 5", "1.5.5h", "h"] {
        check(
            parse_duration(text),
            &format!("{text:?} is not a duration; {allowed}"),
        );
    }
    check(
        parse_duration("-1h"),
        &format!("\"-1h\" is negative; {allowed}"),
    );
    check(
        parse_duration("0.5"),
        &format!("\"0.5\" is not a whole number; {allowed}"),
    );
    check(
        parse_duration("1M"),
        "\"1M\" is not a duration: unit \"M\" is unknown; did you mean \"m\"?",
    );
    check(
        parse_duration("2 weeks"),
        "\"2 weeks\" is not a duration: unit \"weeks\" is unknown; \
         allowed are ms, s, m, min, h, d",
    );
    check(
        parse_duration("99999999999999999999s"),
        "\"99999999999999999999s\" is too large; at most 18446744073709551615 milliseconds",
    );
}

proptest! {
    #[test]
    fn a_size_written_in_any_unit_is_read_back(count in 0..1_000_000_u64, unit in 0..10_usize) {
        let (name, factor) = Quantity::Size.units()[unit];
        prop_assert_eq!(parse_size(&format!("{count} {name}")), Ok(count * factor as u64));
    }

    #[test]
    fn every_number_of_bytes_is_read_back(bytes: u64) {
        prop_assert_eq!(parse_size(&bytes.to_string()), Ok(bytes));
        prop_assert_eq!(parse_size(&format!("{bytes}B")), Ok(bytes));
        let (whole, rest) = (bytes / 1_000_000_000, bytes % 1_000_000_000);
        prop_assert_eq!(parse_size(&format!("{whole}.{rest:09} GB")), Ok(bytes));
    }

    #[test]
    fn every_duration_is_read_back(milliseconds in 0..=u64::MAX) {
        let expected = Duration::from_millis(milliseconds);
        let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
        prop_assert_eq!(parse_duration(&format!("{milliseconds}ms")), Ok(expected));
        prop_assert_eq!(parse_duration(&format!("{minutes}m {rest}ms")), Ok(expected));
    }

    #[test]
    fn no_text_panics(text in "\\PC*|[-0-9.kMGTiBbhms/ ]{0,12}") {
        parse_size(&text).ok();
        parse_rate(&text).ok();
        parse_duration(&text).ok();
    }
}
