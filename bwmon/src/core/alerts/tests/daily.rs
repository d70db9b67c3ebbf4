use super::*;

#[test]
fn a_volume_fires_once_a_day_and_resolves_with_its_last_value() {
    for rule in [RuleKind::Volume, RuleKind::ActiveTime] {
        let mut bench = Bench::new(rule);
        assert_eq!(bench.on(0, Some(1000), 1000), None);
        assert_eq!(bench.on(0, Some(1001), 1000), Some(Firing));
        assert_eq!(bench.on(0, Some(5000), 1000), None);
        assert_eq!(bench.on(1, Some(3), 1000), Some(Resolved));
        let closed = bench.alerts.closed().next().unwrap();
        assert_eq!(
            (closed.observed, closed.today.sent, closed.moved_bytes),
            (5000, 5000, 3999)
        );
        assert_eq!(
            (closed.today.day.day(), closed.ending),
            (8, Some(Ending::DayOver))
        );
        assert_eq!(bench.on(1, Some(1001), 1000), Some(Firing));
    }
}

#[test]
fn a_new_day_resolves_even_if_it_begins_over_the_threshold() {
    let mut bench = Bench::new(RuleKind::Volume);
    assert_eq!(bench.on(0, Some(1001), 1000), Some(Firing));
    assert_eq!(bench.on(1, Some(1001), 1000), Some(Resolved));
    assert_eq!(bench.on(1, Some(1001), 1000), Some(Firing));
    assert_eq!(bench.on(2, None, 1000), Some(Resolved));
}

#[test]
fn on_the_same_day_only_a_raised_threshold_fires_again() {
    let mut bench = Bench::new(RuleKind::Volume);
    assert_eq!(bench.on(0, Some(1001), 1000), Some(Firing));
    assert_eq!(bench.on(0, Some(1100), 2000), Some(Resolved));
    assert_eq!(bench.on(0, Some(1100), 1000), None);
    assert_eq!(bench.on(0, Some(2001), 2000), Some(Firing));
    assert_eq!(
        bench.alerts.live_records(&at(0)).count(),
        1,
        "no cooldown while it fires"
    );
    assert_eq!(bench.on(0, None, 2000), Some(Resolved));
    assert_eq!(bench.on(0, Some(9000), 2000), None);
    assert_eq!(bench.on(0, Some(9000), 500), None);
    assert_eq!(bench.on(1, Some(501), 500), Some(Firing));
}

#[test]
fn bytes_of_an_alert_go_on_over_midnight() {
    let mut bench = Bench::new(RuleKind::Rate);
    // The bench takes the rate for the bytes used on the day.
    for (second, day, rate) in [(0, 0, 5000), (10, 0, 5500), (20, 1, 1100), (30, 1, 1300)] {
        bench.step(second, finding(RuleKind::Rate, day, Some(rate), THRESHOLD));
    }
    assert_eq!(
        bench.alerts.open().next().unwrap().moved_bytes,
        500 + 1100 + 200
    );
}

#[test]
fn only_the_latest_two_hundred_are_kept() {
    let mut bench = Bench::new(RuleKind::Volume);
    for second in 0..=HISTORY as u64 {
        for threshold in [second, u64::MAX] {
            let finding = finding(RuleKind::Volume, 0, Some(second + 1), threshold);
            assert!(bench.step(second, finding).is_some(), "{second}");
        }
    }
    let observed: Vec<u64> = bench.alerts.closed().map(|alert| alert.observed).collect();
    assert_eq!(
        (observed.len(), observed[0], observed[HISTORY - 1]),
        (HISTORY, 201, 2)
    );
}
