//! Rules that look at something else than bytes of a period and rates with a threshold.

use super::*;

fn seen(bytes_per_sec: u64, threshold: u64) -> Seen {
    Seen {
        bytes_per_sec: bytes_per_sec as f64,
        expectation: Some(Expectation {
            expected: (threshold / 3) as f64,
            threshold: threshold as f64,
            learned: Duration::from_secs(86_400),
            basis: Basis::HourOfWeek,
        }),
    }
}

#[test]
fn a_surge_is_over_what_is_expected_in_its_direction() {
    let usage = DayUsage::on(DAY);
    let surge = Directed {
        total: Some(seen(3001, 3000)),
        sent: Some(seen(2400, 3000)),
        received: Some(seen(2399, 3000)),
    };
    let facts = Facts {
        surge,
        ..facts(&usage)
    };
    let rule = rule(Condition::Surge(surge::Settings::default()));
    for (direction, observed, level) in [
        (Direction::Total, 3001, Broken),
        (Direction::Sent, 2400, Within),
        (Direction::Received, 2399, Clear),
    ] {
        check(
            facts,
            &directed(direction, rule.clone()),
            Some((observed, level)),
        );
    }
    let finding = facts.finding(&rule);
    let Judgement::Judged(verdict) = finding.judgement else {
        panic!("{finding:?}")
    };
    assert_eq!((verdict.threshold, verdict.expected), (3000, Some(1000)));
    let detail = Detail::Surge {
        learned: 86_400,
        basis: Basis::HourOfWeek,
    };
    assert_eq!(finding.detail, detail);
}

#[test]
fn while_it_is_not_known_what_is_usual_no_surge_begins_or_ends() {
    let usage = DayUsage::on(DAY);
    let learning = Seen {
        expectation: None,
        ..seen(u64::MAX, 1)
    };
    let within = Some((u64::MAX, Within));
    for (seen, expected) in [(None, None), (Some(learning), within)] {
        let facts = Facts {
            surge: Directed::each(seen),
            ..facts(&usage)
        };
        let rule = rule(Condition::Surge(surge::Settings::default()));
        check(facts, &rule, expected);
        assert_eq!(facts.finding(&rule).detail, Detail::None);
    }
}

#[test]
fn a_device_is_new_for_an_hour_unless_it_was_there_before() {
    const HOUR: u64 = 3600;
    let usage = DayUsage::on(DAY);
    for (seen_for, watched_for, is_private, tells_private, level) in [
        (0, 60, false, false, Broken),
        (HOUR - 1, 60, false, false, Broken),
        (HOUR, 60, false, false, Clear),
        (0, 59, false, true, Clear),
        (0, 60, true, true, Broken),
        (0, 60, true, false, Clear),
    ] {
        let newcomer = Newcomer {
            seen_for: Duration::from_secs(seen_for),
            watched_for: Duration::from_secs(watched_for),
            is_private,
        };
        let facts = Facts {
            newcomer: Some(newcomer),
            ..facts(&usage)
        };
        let rule = rule(Condition::NewDevice {
            learn: Duration::from_secs(60),
            private: tells_private,
        });
        check(facts, &rule, Some((seen_for, level)));
        let detail = Detail::NewDevice { is_private };
        assert_eq!(facts.finding(&rule).detail, detail);
    }
}

#[test]
fn a_device_that_is_known_is_not_looked_at_as_a_new_one() {
    let usage = DayUsage::on(DAY);
    let rule = rule(Condition::NewDevice {
        learn: Duration::ZERO,
        private: true,
    });
    check(facts(&usage), &rule, None);
    assert_eq!(facts(&usage).finding(&rule).detail, Detail::None);
}

#[test]
fn a_silence_is_broken_as_soon_as_it_lasts_so_long() {
    let usage = DayUsage::on(DAY);
    for (seconds, level) in [(0, Clear), (1799, Clear), (1800, Broken), (9000, Broken)] {
        let facts = Facts {
            silent_for: Duration::from_secs(seconds),
            ..facts(&usage)
        };
        let rule = rule(Condition::Silent(Duration::from_secs(1800)));
        check(facts, &rule, Some((seconds, level)));
    }
}
