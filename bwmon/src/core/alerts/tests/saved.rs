use super::*;

/// Alerts of many devices that were told and ended on the same day, the last ones still firing.
fn many() -> Alerts {
    let mut alerts = Alerts::default();
    let mut ids = 0;
    for number in 0..HISTORY as u64 + 10 {
        let id = format!("device {number}");
        let device = DeviceRef { id: &id, ..LAPTOP };
        for threshold in [1000, 2000] {
            let finding = finding(RuleKind::Volume, 0, Some(1001), threshold);
            alerts.step(&at(number), &device, &finding, &mut || next_id(&mut ids));
        }
        let finding = finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
        alerts.step(&at(number), &device, &finding, &mut || next_id(&mut ids));
    }
    alerts
}

#[test]
fn what_is_restored_is_what_was_saved() {
    let (alerts, now) = (many(), at(300));
    let restored = Alerts::restore(alerts.records(&now), &now);
    assert_eq!(alerts.records(&now).len(), 2 * (HISTORY + 10));
    assert_eq!(restored.records(&now), alerts.records(&now));
    assert_eq!(restored.closed().count(), HISTORY);
    assert!(restored.closed().eq(alerts.closed()));
}

#[test]
fn checkpoints_hold_what_changes_by_itself() {
    let (mut alerts, now) = (many(), at(300));
    assert_eq!(alerts.live_records(&now).count(), 2 * (HISTORY + 10));
    for number in 0..HISTORY + 10 {
        alerts.forget(&now, &format!("device {number}"), &mut || "id".to_owned());
    }
    assert_eq!(alerts.live_records(&now).count(), 0);
    assert_eq!(alerts.records(&now).len(), HISTORY);
}

#[test]
fn time_without_bwmon_counts_for_nothing() {
    let mut bench = Bench::new(RuleKind::Rate);
    let broken = finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
    bench.step(1000, broken);
    bench.step(1009, broken);
    let records = bench.alerts.records(&at(1009));
    // The machine has booted since: its monotonic clock is behind, its wall clock ahead.
    let wall = at(90_000).wall;
    let now = |second| Now { wall, ..at(second) };
    let mut alerts = Alerts::restore(records, &now(3));
    let mut id = || "event".to_owned();
    assert_eq!(alerts.step(&now(3), &LAPTOP, &broken, &mut id), None);
    let told = alerts.step(&now(4), &LAPTOP, &broken, &mut id).unwrap();
    assert_eq!(
        (told.state, told.alert.lasted),
        (Firing, Duration::from_secs(10))
    );
}

#[test]
fn a_row_of_a_pending_alert_that_came_to_nothing_hides_none_that_fires() {
    let mut bench = Bench::new(RuleKind::Rate);
    let broken = finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
    bench.step(0, broken);
    let mut records = bench.alerts.records(&at(0));
    bench.step(1, finding(RuleKind::Rate, 0, Some(0), THRESHOLD));
    bench.step(2, broken);
    bench.step(12, broken);
    records.extend(bench.alerts.records(&at(12)));
    for _ in 0..2 {
        records.reverse();
        let restored = Alerts::restore(records.clone(), &at(12));
        assert!(restored.open().eq(bench.alerts.open()));
    }
}
