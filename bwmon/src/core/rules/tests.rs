use std::sync::LazyLock;

use bwmon_common::layout::{Counter, Row};
use jiff::{
    Timestamp,
    civil::{date, time},
};
use proptest::prelude::*;

use super::{
    Level::{Broken, Clear, Within},
    *,
};
use crate::core::{
    event::Basis,
    policy::Cooldown,
    schedule::{Days, Schedule, Window},
    surge,
    time::{Monotonic, Now},
};

mod quota;
mod special;

const DAY: Date = date(2026, 3, 8);

/// A cycle in which nothing was used.
static NOTHING: LazyLock<CycleUsage> = LazyLock::new(|| CycleUsage::from(date(2026, 3, 1)));

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
        sent: counter(bytes),
        ..Row::default()
    }
}

fn counter(bytes: u64) -> Counter {
    Counter { bytes, packets: 1 }
}

/// 1000 B in all directions and scopes: 700 sent, 300 received, of which 650 and 100 locally.
fn mixed() -> Row {
    Row {
        sent: counter(700),
        received: counter(300),
        sent_local: counter(650),
        received_local: counter(100),
    }
}

fn facts(usage: &DayUsage) -> Facts<'_> {
    Facts {
        local: DAY.at(12, 0, 0, 0),
        usage,
        used: &NOTHING,
        cycle: Cycle::DayOfMonth(1),
        rates: Rates::default(),
        local_rates: Rates::default(),
        surge: Directed::default(),
        silent_for: Duration::ZERO,
        newcomer: None,
        scope: Scope::All,
        is_muted: false,
    }
}

fn rule(condition: Condition) -> InForce {
    let kind = match condition {
        Condition::Volume(_) => RuleKind::Volume,
        Condition::Rate(_) => RuleKind::Rate,
        Condition::Surge(_) => RuleKind::Surge,
        Condition::ActiveTime(_) => RuleKind::ActiveTime,
        Condition::Quota { .. } => RuleKind::Quota,
        Condition::NewDevice { .. } => RuleKind::NewDevice,
        Condition::Silent(_) => RuleKind::Silent,
    };
    InForce {
        rule: Rule {
            kind,
            direction: Direction::Total,
            step: 0,
        },
        condition,
        clear_percent: 80,
        timing: Timing {
            for_: Duration::ZERO,
            clear_for: Duration::ZERO,
            repeat: None,
            cooldown: Cooldown::Period,
        },
        severity: Severity::Warning,
        scope: None,
        schedule: None,
    }
}

fn directed(direction: Direction, mut rule: InForce) -> InForce {
    rule.rule.direction = direction;
    rule
}

/// One of each, broken by much of everything.
fn each() -> [InForce; 7] {
    let seconds = Duration::from_secs;
    [
        Condition::Volume(500),
        Condition::Rate(1000),
        Condition::Surge(surge::Settings::default()),
        Condition::ActiveTime(seconds(120)),
        Condition::Quota {
            limit: 1000,
            percent: 80,
            next_percent: None,
        },
        Condition::NewDevice {
            learn: seconds(60),
            private: true,
        },
        Condition::Silent(seconds(1800)),
    ]
    .map(rule)
}

fn check(facts: Facts<'_>, rule: &InForce, expected: Option<(u64, Level)>) {
    let actual = match facts.finding(rule).judgement {
        Judgement::Judged(verdict) => Some((verdict.observed, verdict.level)),
        Judgement::Off | Judgement::OutOfHours => None,
    };
    assert_eq!(actual, expected, "{rule:?} of {facts:?}");
}

#[test]
fn volume_is_broken_over_its_threshold_and_clear_else() {
    for (bytes, level) in [(0, Clear), (499, Clear), (500, Clear), (501, Broken)] {
        let usage = used(sent(bytes), 1);
        check(
            facts(&usage),
            &rule(Condition::Volume(500)),
            Some((bytes, level)),
        );
    }
}

#[test]
fn active_time_is_broken_over_its_threshold_and_clear_else() {
    for (minutes, level) in [(1, Clear), (2, Clear), (3, Broken)] {
        let usage = used(sent(64 * 1024), minutes);
        let expected = Some((60 * minutes.unsigned_abs(), level));
        let limit = Condition::ActiveTime(Duration::from_secs(120));
        check(facts(&usage), &rule(limit), expected);
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
    for (sent, received, observed, level) in rows {
        let facts = Facts {
            rates: Rates { sent, received },
            ..facts(&usage)
        };
        check(facts, &rule(Condition::Rate(1000)), Some((observed, level)));
    }
}

#[test]
fn the_owner_says_below_what_part_of_its_threshold_a_rate_is_clear() {
    let usage = DayUsage::on(DAY);
    for (clear_percent, rate, level) in [
        (0, 1.0, Within),
        (0, 0.0, Clear),
        (50, 499.0, Clear),
        (50, 500.0, Within),
        (100, 999.0, Clear),
        (100, 1000.0, Within),
        (100, 1001.0, Broken),
    ] {
        let rule = InForce {
            clear_percent,
            ..rule(Condition::Rate(1000))
        };
        let rates = Rates {
            sent: rate,
            received: 0.0,
        };
        let facts = Facts {
            rates,
            ..facts(&usage)
        };
        check(facts, &rule, Some((rate as u64, level)));
    }
}

#[test]
fn a_threshold_of_zero_breaks_with_any_traffic_and_clears_without() {
    let usage = DayUsage::on(DAY);
    for (sent, level) in [(0.9, Clear), (1.0, Broken)] {
        let rates = Rates {
            sent,
            received: 0.0,
        };
        let facts = Facts {
            rates,
            ..facts(&usage)
        };
        check(facts, &rule(Condition::Rate(0)), Some((sent as u64, level)));
    }
}

#[test]
fn a_subject_that_is_muted_breaks_no_rule() {
    let usage = used(sent(u64::MAX), 1);
    for rule in each() {
        let facts = Facts {
            is_muted: true,
            silent_for: Duration::MAX,
            ..facts(&usage)
        };
        let finding = facts.finding(&rule);
        assert_eq!(finding.judgement, Judgement::Off);
    }
}

#[test]
fn out_of_its_hours_no_rule_is_broken() {
    let usage = used(sent(u64::MAX), 1);
    let nights = Schedule(vec![Window {
        days: Days::ALL,
        from: time(22, 0, 0, 0),
        to: time(6, 0, 0, 0),
    }]);
    for (hour, is_in_hours) in [(21, false), (22, true), (5, true), (6, false)] {
        for rule in each() {
            let rule = InForce {
                schedule: Some(nights.clone()),
                ..rule
            };
            let facts = Facts {
                local: DAY.at(hour, 30, 0, 0),
                ..facts(&usage)
            };
            let judgement = facts.finding(&rule).judgement;
            assert_eq!(
                judgement != Judgement::OutOfHours,
                is_in_hours,
                "{hour} {judgement:?}"
            );
        }
    }
}

#[test]
fn bytes_are_those_of_the_direction_and_the_scope() {
    use Direction::{Received, Sent, Total};
    let usage = used(mixed(), 1);
    let used = CycleUsage {
        sent: 700,
        received: 300,
        sent_local: 650,
        received_local: 100,
        ..*NOTHING
    };
    let rates = |sent, received| Rates { sent, received };
    for (scope, direction, bytes) in [
        (Scope::All, Total, 1000),
        (Scope::All, Sent, 700),
        (Scope::All, Received, 300),
        (Scope::Local, Total, 750),
        (Scope::Local, Sent, 650),
        (Scope::Local, Received, 100),
        (Scope::Internet, Total, 250),
        (Scope::Internet, Sent, 50),
        (Scope::Internet, Received, 200),
    ] {
        for (own, subjects) in [(None, scope), (Some(scope), Scope::All)] {
            let facts = Facts {
                used: &used,
                rates: rates(700.0, 300.0),
                local_rates: rates(650.0, 100.0),
                scope: subjects,
                ..facts(&usage)
            };
            for condition in [
                Condition::Volume(5000),
                Condition::Rate(5000),
                Condition::Quota {
                    limit: 5000,
                    percent: 100,
                    next_percent: None,
                },
            ] {
                let rule = InForce {
                    scope: own,
                    ..directed(direction, rule(condition))
                };
                check(facts, &rule, Some((bytes, Clear)));
                assert_eq!(facts.finding(&rule).bytes_per_sec, bytes);
            }
        }
    }
}

#[test]
fn what_is_used_today_is_in_scope_and_in_both_directions() {
    let usage = used(mixed(), 1);
    let facts = Facts {
        scope: Scope::Internet,
        ..facts(&usage)
    };
    let finding = facts.finding(&directed(Direction::Sent, rule(Condition::Rate(1))));
    let today = Today {
        day: DAY,
        sent: 50,
        received: 200,
    };
    assert_eq!((finding.today, finding.period), (today, DAY));
}

#[test]
fn a_local_part_that_is_ahead_is_no_traffic() {
    let usage = DayUsage::on(DAY);
    let rates = |sent| Rates {
        sent,
        received: 0.0,
    };
    let facts = Facts {
        rates: rates(10.0),
        local_rates: rates(12.0),
        scope: Scope::Internet,
        ..facts(&usage)
    };
    check(facts, &rule(Condition::Rate(1000)), Some((0, Clear)));
}

proptest! {
    #[test]
    fn a_rate_is_broken_exactly_when_it_is_over(
        observed in any::<u64>(), threshold in any::<u64>(), percent in 0..=100_u8
    ) {
        let level = passing(observed, threshold, percent).level;
        prop_assert_eq!(level == Broken, observed > threshold);
        let fraction = observed as f64 / threshold as f64;
        let clear = f64::from(percent) / 100.0;
        prop_assert!(level != Clear || fraction < clear + 1e-9 || observed == 0);
        prop_assert!(level != Within || fraction > clear - 1e-9);
    }
}
