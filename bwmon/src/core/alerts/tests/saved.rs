use super::*;

/// Alerts of many devices that were told and ended on the same day, the last ones still firing.
fn many() -> Alerts {
    let mut alerts = Alerts::default();
    let mut ids = 0;
    for number in 0..HISTORY as u64 + 10 {
        let id = format!("device {number}");
        let device = DeviceRef { id: &id, ..LAPTOP };
        for threshold in [1000, 2000] {
            let findings = [
                finding(RuleKind::Volume, 0, Some(1001), threshold),
                finding(RuleKind::Rate, 0, Some(1001), THRESHOLD),
            ];
            alerts.step(&at(number), &device, findings, &mut || next_id(&mut ids));
        }
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
    bench.step(1000, broken.clone());
    bench.step(1009, broken.clone());
    let records = bench.alerts.records(&at(1009));
    // The machine has booted since: its monotonic clock is behind, its wall clock ahead.
    let wall = at(90_000).wall;
    let now = |second| Now { wall, ..at(second) };
    let mut alerts = Alerts::restore(records, &now(3));
    let mut id = || "event".to_owned();
    let mut step = |second| alerts.step(&now(second), &LAPTOP, [broken.clone()], &mut id);
    assert_eq!(step(3), []);
    let told = step(4).remove(0);
    assert_eq!(
        (told.state, told.alert.lasted),
        (Firing, Duration::from_secs(10))
    );
}

#[test]
fn a_row_of_a_pending_alert_that_came_to_nothing_hides_none_that_fires() {
    let mut bench = Bench::new(RuleKind::Rate);
    let broken = finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
    bench.step(0, broken.clone());
    let mut records = bench.alerts.records(&at(0));
    bench.step(1, finding(RuleKind::Rate, 0, Some(0), THRESHOLD));
    bench.step(2, broken.clone());
    bench.step(12, broken);
    records.extend(bench.alerts.records(&at(12)));
    for _ in 0..2 {
        records.reverse();
        let restored = Alerts::restore(records.clone(), &at(12));
        assert!(restored.open().eq(bench.alerts.open()));
    }
}

/// As a database of the first version has them: without directions, steps and periods.
const FIRING_THEN: &str = r#"{"alert":{"id":"a1","rule":"volume","device":{"id":"laptop",
"name":"Laptop","mac":null,"addresses":["192.123.4.5"]},"state":"firing","observed":1001,
"threshold":1000,"level":1001,"today":{"day":"2026-03-08","sent":1001,"received":0},
"peak_bytes_per_sec":7,"moved_bytes":5,"lasted":{"secs":60,"nanos":0},
"started_at":"2026-03-08T00:00:00Z","ended_at":null,"ending":null,"description":"As told."},
"progress":{"open":{"clear":null}}}"#;

const RESOLVED_THEN: &str = r#"{"alert":{"id":"a2","rule":"rate","device":{"id":"laptop",
"name":"Laptop","mac":null,"addresses":[]},"state":"resolved","observed":7,"threshold":1000,
"level":1200,"today":{"day":"2026-03-08","sent":1001,"received":0},"peak_bytes_per_sec":1300,
"moved_bytes":5,"lasted":{"secs":60,"nanos":0},"started_at":"2026-03-08T00:00:00Z",
"ended_at":"2026-03-08T00:01:00Z","ending":"cleared","description":"As told."},
"progress":{"closed":{"sequence":4,"cooldown":{"device":"laptop","left":{"time":{"secs":200,
"nanos":0}}}}}}"#;

#[test]
fn alerts_of_the_first_version_go_on() {
    let records = [FIRING_THEN, RESOLVED_THEN].map(|text| serde_json::from_str(text).unwrap());
    let mut alerts = Alerts::restore(records, &at(0));
    let mut id = || "id".to_owned();
    let mut step = |second, day, rate| {
        let volume = finding(RuleKind::Volume, day, Some(1001), THRESHOLD);
        let rate = finding(RuleKind::Rate, day, Some(rate), THRESHOLD);
        let told = alerts.step(&at(second), &LAPTOP, [volume, rate], &mut id);
        let told = told
            .into_iter()
            .map(|told| (told.alert.rule, told.alert.ending));
        told.collect::<Vec<_>>()
    };
    assert_eq!(step(0, 0, 1200), [], "both are told");
    assert_eq!(step(199, 0, 1200), [], "hushed");
    assert_eq!(step(200, 0, 1200), [], "pending");
    assert_eq!(step(210, 0, 1200), [(RuleKind::Rate, None)]);
    assert_eq!(
        step(300, 1, 1200),
        [(RuleKind::Volume, Some(Ending::DayOver))]
    );
}

#[test]
fn a_restored_alert_is_followed_by_its_own_cooldown() {
    let timing = Timing {
        cooldown: Cooldown::For(Duration::from_secs(1000)),
        ..ONCE
    };
    let silent = |observed| Finding {
        timing,
        ..finding(RuleKind::Silent, 0, Some(observed), THRESHOLD)
    };
    let mut bench = Bench::new(RuleKind::Silent);
    bench.step(0, silent(1001));
    bench.alerts = Alerts::restore(bench.alerts.records(&at(1)), &at(1));
    bench
        .alerts
        .join(&at(2), "phone", &LAPTOP, |_| Today::default(), &mut || {
            "id".to_owned()
        });
    // Removed from the configuration: nothing but the record says what follows.
    let told = bench
        .alerts
        .step(&at(3), &LAPTOP, [], &mut || "id".to_owned());
    assert_eq!(told[0].alert.ending, Some(Ending::SwitchedOff));
    let told = bench.run(4..=1010, |_| silent(1500));
    assert_eq!(told, [(1003, Firing)]);
}
