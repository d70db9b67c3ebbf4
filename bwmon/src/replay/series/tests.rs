use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Series, SeriesError> {
    Series::read(text.as_bytes())
}

fn check(text: &str, expected: &str) {
    let error = read(text).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text:?}");
}

fn seconds(series: &Series) -> Vec<(i64, u64, f64)> {
    series
        .spans()
        .map(|span| (span.start.as_second(), span.length.as_secs(), span.bytes))
        .collect()
}

#[test]
fn columns_are_found_by_name_and_may_be_quoted() {
    let series = read(
        "label,\"value\", timestamp\n\
         \"a, b\",1.5,0\n\n\
         ,\"2e3\",300\n",
    );
    assert_eq!(
        seconds(&series.unwrap()),
        [(0, 300, 1.5), (300, 300, 2000.0)]
    );
    let series = read("\u{feff}timestamp,value\r\n0,1\r\n60,2\r\n").unwrap();
    assert_eq!(series.len(), 2);
}

#[test]
fn times_may_be_written_in_several_ways() {
    let noon = 1_772_971_200;
    for (text, expected) in [
        ("1772971200", Some(noon)),
        ("1772971200.0", Some(noon)),
        ("2026-03-08T12:00:00Z", Some(noon)),
        ("2026-03-08T13:00:00+01:00", Some(noon)),
        ("2026-03-08 12:00", Some(noon)),
        ("2026-03-08 12:00:00", Some(noon)),
        ("2026-03-08 12:00:00.000", Some(noon)),
        ("2026-03-08T12:00:00", Some(noon)),
        ("", None),
        ("noon", None),
        ("2026-13-08 12:00", None),
        ("inf", None),
        ("99999999999999999999", None),
    ] {
        let found = time(text).map(Timestamp::as_second);
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn the_interval_is_the_median_distance_and_a_missing_row_is_no_part_of_one() {
    let series = read("timestamp,value\n0,1\n60,2\n121,3\n180,4\n600,5\n660,6\n").unwrap();
    assert_eq!(series.interval, Duration::from_secs(60));
    assert_eq!(series.gaps(), 1);
    let lengths: Vec<_> = series.spans().map(|span| span.length.as_secs()).collect();
    assert_eq!(lengths, [60, 61, 59, 60, 60, 60]);
}

#[test]
fn a_row_at_the_same_time_again_is_left_out() {
    let series = read("timestamp,value\n0,1\n60,2\n60,9\n120,3\n").unwrap();
    assert_eq!((series.len(), series.repeated), (3, 1));
}

#[test]
fn mistakes_have_their_line() {
    let no_column = |name| {
        format!("the first line names no column \"{name}\"; it has to name `timestamp` and `value`")
    };
    check("", &no_column("timestamp"));
    check("timestamp,bytes\n0,1\n", &no_column("value"));
    check("0,1\n60,2\n", &no_column("timestamp"));
    let rows = [
        (
            "soon,1",
            "line 3: \"soon\" is no time; write one such as 2026-03-08T14:00:00+01:00, \
             2026-03-08 14:00 (in UTC), or seconds since 1970",
        ),
        (
            "-1,1",
            "line 3: \"-1\" is before the time of the line above; sort the file by time",
        ),
    ];
    for (row, expected) in rows {
        check(&format!("timestamp,value\n0,1\n{row}\n"), expected);
    }
    for value in ["-1", "NaN", "inf", "much", "", "1e19"] {
        check(
            &format!("timestamp,value\n0,1\n60,{value}\n"),
            &format!("line 3: {value:?} is no number of bytes; write one from 0 to 1e18"),
        );
    }
    let too_short = "a series needs two times or more, to tell its interval by";
    check("timestamp,value\n", too_short);
    check("timestamp,value\n0,1\n", too_short);
    check("timestamp,value\n0,1\n0,1\n", too_short);
    let error = Series::read(&b"timestamp,value\n0,\xff\n"[..]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: this is not UTF-8 text; save the file as UTF-8"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = Series::read(&bytes[..]);
        let _ = Series::read(&[b"timestamp,value\n", &bytes[..]].concat()[..]);
    }

    #[test]
    fn any_rows_are_in_order_or_refused(rows in prop::collection::vec(("[0-9TZ:. +-]{1,25}", "[0-9.e+-]{1,8}"), 0..10)) {
        let lines: String = rows.iter().map(|(time, value)| format!("{time},{value}\n")).collect();
        if let Ok(series) = read(&format!("timestamp,value\n{lines}")) {
            let spans: Vec<Span> = series.spans().collect();
            prop_assert!(spans.windows(2).all(|pair| pair[0].start + pair[0].length <= pair[1].start));
            prop_assert!(spans.iter().all(|span| !span.length.is_zero()));
        }
    }
}
