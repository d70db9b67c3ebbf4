use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, civil::date};
use proptest::prelude::*;

use super::{
    Level::{Broken, Clear, Within},
    *,
};
use crate::core::time::{Monotonic, Now};

const DAY: Date = date(2026, 3, 8);

fn used(row: Row, minutes: i64) -> DayUsage {
    let mut usage = DayUsage::on(DAY);
    for minute in 0..minutes.max(1) {
        let wall = Timestamp::from_second(60 * minute).unwrap();
        let row = if minute == 0 { row } else { sent(64 * 1024) };
        usage.record(
            &Now {
                monotonic: Monotonic::default(),
                wall,
            },
            &row,
            Scope::All,
        );
    }
    usage
}

fn sent(bytes: u64) -> Row {
    Row {
        sent: Counter { bytes, packets: 1 },
        ..Row::default()
    }
}

fn facts(usage: &DayUsage) -> Facts<'_> {
    Facts {
        usage,
        sent_bytes_per_sec: 0.0,
        received_bytes_per_sec: 0.0,
        thresholds: Thresholds {
            bandwidth: Some(500),
            active_time: Some(Duration::from_secs(120)),
            bytes_per_sec: Some(1000),
        },
        scope: Scope::All,
        muted: false,
    }
}

fn check(facts: Facts<'_>, rule: RuleKind, expected: Option<(u64, Level)>) {
    let verdict = facts.finding(rule).verdict;
    let actual = verdict.map(|verdict| (verdict.observed, verdict.level));
    assert_eq!(actual, expected, "{rule:?} of {facts:?}");
}

#[test]
fn volume_is_broken_over_its_threshold_and_clear_else() {
    for (bytes, level) in [(0, Clear), (499, Clear), (500, Clear), (501, Broken)] {
        check(
            facts(&used(sent(bytes), 1)),
            RuleKind::Volume,
            Some((bytes, level)),
        );
    }
}

#[test]
fn active_time_is_broken_over_its_threshold_and_clear_else() {
    for (minutes, level) in [(1, Clear), (2, Clear), (3, Broken)] {
        let usage = used(sent(64 * 1024), minutes);
        let expected = Some((60 * minutes.unsigned_abs(), level));
        check(facts(&usage), RuleKind::ActiveTime, expected);
    }
}

#[test]
fn a_rate_is_broken_over_its_threshold_and_clear_below_80_percent() {
    let rows = [
        (0.0, 0.0, 0, Clear),
        (500.0, 299.9, 799, Clear),
        (800.0, 0.0, 800, Within),
        (0.0, 1000.9, 1000, Within),
        (500.5, 500.5, 1001, Broken),
        (f64::NAN, 2000.0, 0, Clear),
        (f64::INFINITY, 0.0, u64::MAX, Broken),
        (-5.0, 0.0, 0, Clear),
    ];
    let usage = DayUsage::on(DAY);
    for (sent_bytes_per_sec, received_bytes_per_sec, observed, level) in rows {
        let facts = Facts {
            sent_bytes_per_sec,
            received_bytes_per_sec,
            ..facts(&usage)
        };
        check(facts, RuleKind::Rate, Some((observed, level)));
    }
}

#[test]
fn a_threshold_of_zero_breaks_with_any_traffic_and_clears_without() {
    let thresholds = Thresholds {
        bytes_per_sec: Some(0),
        ..Thresholds::default()
    };
    let usage = DayUsage::on(DAY);
    for (rate, level) in [(0.9, Clear), (1.0, Broken)] {
        let facts = Facts {
            thresholds,
            sent_bytes_per_sec: rate,
            ..facts(&usage)
        };
        check(facts, RuleKind::Rate, Some((rate as u64, level)));
    }
}

#[test]
fn a_rule_that_is_off_or_muted_says_nothing() {
    let usage = used(sent(u64::MAX), 1);
    for rule in RuleKind::ALL {
        check(
            Facts {
                thresholds: Thresholds::default(),
                ..facts(&usage)
            },
            rule,
            None,
        );
        check(
            Facts {
                muted: true,
                ..facts(&usage)
            },
            rule,
            None,
        );
    }
}

#[test]
fn local_traffic_is_out_of_scope() {
    let counter = |bytes| Counter { bytes, packets: 1 };
    let row = Row {
        sent: counter(700),
        received: counter(300),
        sent_local: counter(650),
        received_local: counter(100),
    };
    let usage = used(row, 1);
    check(facts(&usage), RuleKind::Volume, Some((1000, Broken)));
    let facts = Facts {
        scope: Scope::Internet,
        ..facts(&usage)
    };
    check(facts, RuleKind::Volume, Some((250, Clear)));
    assert_eq!(
        facts.finding(RuleKind::Rate).today,
        Today {
            day: DAY,
            sent: 50,
            received: 200
        }
    );
}

proptest! {
    #[test]
    fn a_rate_is_broken_exactly_when_it_is_over(observed in any::<u64>(), threshold in any::<u64>()) {
        let level = rate(observed, threshold).level;
        prop_assert_eq!(level == Broken, observed > threshold);
        let fraction = observed as f64 / threshold as f64;
        prop_assert!(level != Clear || fraction < 0.8 + 1e-9 || observed == 0);
        prop_assert!(level != Within || fraction > 0.8 - 1e-9);
    }
}
