use bwmon_common::layout::Counter;
use jiff::{Timestamp, civil::date};

use super::*;

pub(super) const KIB: u64 = 1024;

pub(super) fn at(minute: i64) -> Now {
    seconds(60 * minute)
}

pub(super) fn seconds(second: i64) -> Now {
    let wall = Timestamp::from_second(second).unwrap();
    Now {
        monotonic: Monotonic(Duration::from_secs(second.unsigned_abs())),
        wall,
    }
}

pub(super) fn sent(bytes: u64) -> Row {
    Row {
        sent: Counter { bytes, packets: 1 },
        ..Row::default()
    }
}

pub(super) fn today() -> DayUsage {
    DayUsage::on(date(2026, 3, 8))
}

/// Active minutes after these `(minute, KiB sent)`, in this order.
fn check(samples: &[(i64, u64)], active_minutes: u64) {
    let mut usage = today();
    for &(minute, kib) in samples {
        usage.record(&at(minute), &sent(kib * KIB), Scope::Internet);
    }
    assert_eq!(
        usage.active(),
        Duration::from_secs(60 * active_minutes),
        "{samples:?}"
    );
    assert_eq!(
        usage.sent,
        samples.iter().map(|(_, kib)| kib * KIB).sum::<u64>()
    );
}

#[test]
fn a_minute_is_active_from_64_kib_on() {
    check(&[(10, 63)], 0);
    check(&[(10, 64)], 1);
    check(&[(10, 32), (10, 32)], 1);
    check(&[(10, 64), (10, 64), (10, 500)], 1);
    check(&[(10, 32), (11, 32)], 0);
    check(&[(10, 64), (11, 64)], 2);
}

#[test]
fn gaps_of_up_to_two_minutes_are_bridged() {
    check(&[(10, 64), (12, 64)], 3);
    check(&[(10, 64), (13, 64)], 4);
    check(&[(10, 64), (14, 64)], 2);
    check(&[(10, 64), (11, 1), (12, 1), (13, 64)], 4);
    // Nothing is bridged towards a minute that is not active yet.
    check(&[(10, 64), (12, 63)], 1);
}

#[test]
fn a_clock_that_steps_back_counts_no_minute_twice_and_loses_no_byte() {
    check(&[(10, 64), (11, 64), (10, 64), (11, 64), (12, 64)], 3);
    check(&[(10, 64), (20, 64), (10, 64)], 2);
    check(&[(10, 32), (9, 32)], 1);
}

#[test]
fn only_traffic_in_scope_makes_active() {
    let local = Counter {
        bytes: 64 * KIB,
        packets: 50,
    };
    let row = Row {
        sent: local,
        sent_local: local,
        ..Row::default()
    };
    for (scope, minutes, in_scope) in [(Scope::Internet, 0, 0), (Scope::All, 1, 64 * KIB)] {
        let mut usage = today();
        usage.record(&at(10), &row, scope);
        assert_eq!(
            usage.active(),
            Duration::from_secs(60 * minutes),
            "{scope:?}"
        );
        assert_eq!((usage.sent, usage.sent_local), (64 * KIB, 64 * KIB));
        assert_eq!(
            (usage.sent_in(scope), usage.received_in(scope)),
            (in_scope, 0)
        );
    }
}

#[test]
fn a_later_day_starts_from_zero_and_returns_the_finished_one() {
    let mut usage = today();
    usage.record(&at(1438), &sent(64 * KIB), Scope::Internet);
    let before = usage;
    assert_eq!(usage.roll(date(2026, 3, 8)), None);
    assert_eq!(usage.roll(date(2026, 3, 9)), Some(before));
    assert_eq!(
        (usage.day, usage.sent, usage.active()),
        (date(2026, 3, 9), 0, Duration::ZERO)
    );
}

#[test]
fn a_gap_is_not_bridged_over_midnight() {
    let mut usage = today();
    usage.record(&at(1438), &sent(64 * KIB), Scope::Internet);
    usage.roll(date(2026, 3, 9));
    usage.record(&at(1440), &sent(64 * KIB), Scope::Internet);
    assert_eq!(usage.active(), Duration::from_secs(60));
    usage.record(&at(1442), &sent(64 * KIB), Scope::Internet);
    assert_eq!(usage.active(), Duration::from_secs(180));
}

#[test]
fn a_step_back_over_midnight_counts_no_minute_for_both_days() {
    let mut usage = today();
    usage.record(&at(1439), &sent(64 * KIB), Scope::Internet);
    usage.roll(date(2026, 3, 9));
    usage.record(&at(1439), &sent(64 * KIB), Scope::Internet);
    assert_eq!((usage.sent, usage.active()), (64 * KIB, Duration::ZERO));
}

#[test]
fn an_earlier_day_keeps_what_was_used_and_goes_on_counting() {
    let mut usage = today();
    usage.record(&at(100_000), &sent(64 * KIB), Scope::Internet);
    assert_eq!(usage.roll(date(2026, 1, 1)), None);
    usage.record(&at(10), &sent(64 * KIB), Scope::Internet);
    assert_eq!((usage.day, usage.sent), (date(2026, 1, 1), 128 * KIB));
    assert_eq!(usage.active(), Duration::from_secs(120));
}

#[test]
fn merging_adds_bytes_and_takes_the_longer_active_time() {
    let (mut one, mut other) = (today(), today());
    for minute in 10..13 {
        one.record(&at(minute), &sent(64 * KIB), Scope::Internet);
    }
    one.record(&at(20), &sent(40 * KIB), Scope::Internet);
    other.record(&at(20), &sent(24 * KIB), Scope::Internet);
    let (forth, back) = (merged(one, &other), merged(other, &one));
    assert_eq!(forth, back);
    assert_eq!(forth.sent, 256 * KIB);
    // Together they reached 64 KiB in minute 20, which neither had counted.
    assert_eq!(forth.active(), Duration::from_secs(240));
}

#[test]
fn merging_keeps_the_later_day() {
    let (mut old, mut new) = (today(), DayUsage::on(date(2026, 3, 9)));
    old.record(&at(10), &sent(5), Scope::Internet);
    new.record(&at(2000), &sent(7), Scope::Internet);
    assert_eq!(merged(old, &new), new);
    assert_eq!(merged(new, &old), new);
}

fn merged(mut one: DayUsage, other: &DayUsage) -> DayUsage {
    one.merge(other);
    one
}

#[test]
fn the_day_follows_the_clock_back_only_after_an_hour() {
    // (monotonic second, wall second) and the local day of the month, in Berlin (UTC+1).
    let midnight = date(2026, 3, 9)
        .in_tz("Europe/Berlin")
        .unwrap()
        .timestamp()
        .as_second();
    let rows = [
        (0, midnight - 2, 8),
        (2, midnight, 9),
        (3, midnight - 1, 9),
        (4, midnight, 9),
        (5, midnight + 40 * 86_400, 18),
        (6, midnight + 5, 18),
        (3605, midnight + 3604, 18),
        (3606, midnight + 3605, 9),
        (3607, midnight - 1, 9),
    ];
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut day = LocalDay::new(date(2026, 3, 8));
    for (monotonic, wall, expected) in rows {
        let monotonic = Monotonic(Duration::from_secs(monotonic));
        let now = Now {
            monotonic,
            wall: Timestamp::from_second(wall).unwrap(),
        };
        assert_eq!(day.follow(&now, &zone).day(), expected, "{now:?}");
    }
}
