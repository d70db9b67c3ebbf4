//! Which rule, which period: what tells one alert of a device from another.

use super::*;

fn directed(direction: Direction, step: u8, kind: RuleKind, observed: u64) -> Finding {
    let finding = finding(kind, 0, Some(observed), THRESHOLD);
    Finding {
        rule: Rule {
            direction,
            step,
            ..finding.rule
        },
        ..finding
    }
}

#[test]
fn each_direction_and_each_step_is_a_rule_of_its_own() {
    let mut alerts = Alerts::default();
    let mut ids = 0;
    let findings = || {
        let volumes = Direction::ALL.map(|each| directed(each, 0, RuleKind::Volume, 1001));
        let steps = [0, 1, 2].map(|step| directed(Direction::Total, step, RuleKind::Quota, 1001));
        volumes.into_iter().chain(steps)
    };
    let told = alerts.step(&at(0), &LAPTOP, findings(), &mut || next_id(&mut ids));
    assert_eq!(told.len(), 6);
    let told = alerts.step(&at(1), &LAPTOP, findings(), &mut || next_id(&mut ids));
    assert_eq!(told, []);
    assert_eq!(alerts.open_of("laptop").count(), 6);
    assert_eq!(alerts.firing(RuleKind::Quota), 3);
}

#[test]
fn a_rule_that_is_not_in_force_any_more_ends_its_alert() {
    let mut alerts = Alerts::default();
    let mut id = || "id".to_owned();
    let both =
        [RuleKind::Volume, RuleKind::Quota].map(|kind| directed(Direction::Total, 0, kind, 1001));
    assert_eq!(alerts.step(&at(0), &LAPTOP, both.clone(), &mut id).len(), 2);
    let [volume, _] = both;
    let told = alerts.step(&at(1), &LAPTOP, [volume], &mut id);
    let [told] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (told.state, told.alert.rule, told.alert.ending),
        (Resolved, RuleKind::Quota, Some(Ending::SwitchedOff))
    );
}

#[test]
fn a_quota_that_counts_another_direction_now_is_another_rule() {
    let mut bench = Bench::new(RuleKind::Quota);
    bench.step(0, directed(Direction::Total, 0, RuleKind::Quota, 1001));
    let told = bench.step(1, directed(Direction::Sent, 0, RuleKind::Quota, 9000));
    let alert = told.unwrap().alert;
    assert_eq!(alert.ending, Some(Ending::SwitchedOff));
    assert_eq!((alert.direction, alert.observed), (Direction::Total, 1001));
}

#[test]
fn bytes_of_an_alert_are_those_of_its_direction() {
    let mut bench = Bench::new(RuleKind::Rate);
    for (second, received) in [(0, 100), (10, 700)] {
        let mut finding = directed(Direction::Received, 0, RuleKind::Rate, 5000);
        (finding.today.sent, finding.today.received) = (5000 * second, received);
        bench.step(second, finding);
    }
    assert_eq!(bench.alerts.open().next().unwrap().moved_bytes, 600);
}

#[test]
fn outside_its_hours_a_rule_ends_its_alert() {
    let mut bench = Bench::new(RuleKind::Rate);
    let broken = || finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
    bench.run(0..=20, |_| broken());
    let judgement = Judgement::OutOfHours;
    let out = Finding {
        judgement,
        ..broken()
    };
    let told = bench.step(21, out).unwrap();
    assert_eq!(told.alert.ending, Some(Ending::OutOfHours));
    assert_eq!(told.alert.observed, 1001);
}

#[test]
fn a_period_that_goes_back_neither_ends_an_alert_nor_begins_one() {
    let mut bench = Bench::new(RuleKind::Volume);
    assert_eq!(bench.on(9, Some(1001), 1000), Some(Firing));
    assert_eq!(bench.on(5, Some(1001), 1000), None);
    assert_eq!(
        bench.on(5, Some(900), 1000),
        Some(Resolved),
        "the clock is right now"
    );
    assert_eq!(bench.on(3, Some(1001), 1000), None, "still of that day");
    assert_eq!(bench.on(4, Some(1001), 1000), Some(Firing));
}

#[test]
fn a_quota_is_silent_for_its_whole_cycle_whatever_opens_meanwhile() {
    let quota = |observed| Finding {
        period: date(2026, 3, 1),
        detail: Detail::Quota {
            percent: 80,
            limit: 1250,
            from: date(2026, 3, 1),
            until: date(2026, 4, 1),
            forecast: None,
        },
        ..finding(RuleKind::Quota, 0, Some(observed), THRESHOLD)
    };
    let mut bench = Bench::new(RuleKind::Quota);
    bench.step(0, quota(1001));
    assert!(bench.step(1, quota(0)).is_some());
    // So many devices that what can be dropped is looked for.
    for number in 0..1000_u64 {
        let id = format!("device {number}");
        let device = DeviceRef { id: &id, ..LAPTOP };
        for rate in [1001, 0] {
            let finding = finding(RuleKind::Volume, 5, Some(rate), THRESHOLD);
            let mut id = || "id".to_owned();
            bench.alerts.step(&at(2), &device, [finding], &mut id);
        }
    }
    assert_eq!(bench.step(3, quota(1001)), None);
    let next = Finding {
        period: date(2026, 4, 1),
        ..quota(1001)
    };
    assert!(bench.step(4, next).is_some());
}
