use super::*;

#[test]
fn a_forgotten_device_resolves_what_fires_and_leaves_nothing() {
    let mut bench = Bench::new(RuleKind::Volume);
    let broken = [RuleKind::Volume, RuleKind::Rate];
    let broken = broken.map(|rule| finding(rule, 0, Some(1001), THRESHOLD));
    let told = bench
        .alerts
        .step(&at(0), &LAPTOP, broken, &mut || next_id(&mut 0));
    assert_eq!(told.len(), 1);
    assert_eq!(bench.alerts.open_of("laptop").count(), 2);
    let told = bench
        .alerts
        .forget(&at(7), "laptop", &mut || next_id(&mut 9));
    let [Transition { alert, .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(
        (alert.rule, alert.ending),
        (RuleKind::Volume, Some(Ending::Forgotten))
    );
    assert_eq!(alert.lasted, Duration::from_secs(7));
    assert!(bench.alerts.tracks.is_empty());
    assert_eq!(
        bench
            .alerts
            .forget(&at(1), "laptop", &mut || next_id(&mut 9)),
        []
    );
}

/// Stages of the rate alerts of two devices before, and of the one they turn out to be.
#[test]
fn devices_that_are_one_have_one_alert() {
    const RATES: [(Stage, &[u64]); 4] = [
        (Stage::Idle, &[0, 0, 0]),
        (Stage::Pending, &[0, 0, 1001]),
        (Stage::Firing, &[1001, 1001, 1001]),
        (Stage::Clearing, &[1001, 1001, 0]),
    ];
    for (index, (stage, rates)) in RATES.into_iter().enumerate() {
        for (other_index, (other_stage, other_rates)) in RATES.into_iter().enumerate() {
            let mut bench = Bench::new(RuleKind::Rate);
            let ids = &mut bench.ids;
            for tick in 0..3 {
                let now = at(10 * tick as u64);
                for (id, rates) in [("address", other_rates), ("laptop", rates)] {
                    let finding = finding(RuleKind::Rate, 0, Some(rates[tick]), THRESHOLD);
                    bench
                        .alerts
                        .step(&now, &device(id), [finding], &mut || next_id(ids));
                }
            }
            let today = Today {
                day: date(2026, 3, 8),
                sent: 5555,
                received: 0,
            };
            let told = bench
                .alerts
                .join(&at(20), "address", &LAPTOP, |_| today, &mut || next_id(ids));
            let open: Vec<_> = bench.alerts.open().cloned().collect();
            let stages = bench
                .alerts
                .tracks
                .get("laptop")
                .map(|tracks| tracks[3].stage());
            let case = format!("{other_stage:?} joins {stage:?}");

            let both_told = index >= 2 && other_index >= 2;
            let endings: Vec<_> = told.iter().map(|told| told.alert.ending).collect();
            assert_eq!(
                endings,
                vec![Some(Ending::Joined); usize::from(both_told)],
                "{case}"
            );
            let kept = if index < 2 && other_index > index {
                other_stage
            } else {
                stage
            };
            assert_eq!(stages.unwrap_or(Stage::Idle), kept, "{case}");
            assert_eq!(open.len(), usize::from(kept != Stage::Idle), "{case}");
            assert!(
                open.iter().all(|alert| alert.device.id == "laptop"),
                "{case}"
            );
            assert!(open.iter().all(|alert| alert.today == today), "{case}");
            let remembered: Vec<_> = bench.alerts.tracks.keys().collect();
            assert_eq!(remembered, vec!["laptop"; open.len()], "{case}");
        }
    }
}

#[test]
fn joining_takes_the_cooldown_along() {
    let mut bench = Bench::new(RuleKind::Volume);
    bench.on(0, Some(1001), 1000);
    bench.on(0, Some(1001), 2000);
    let (to, today) = (
        device("mac"),
        finding(RuleKind::Volume, 0, Some(1001), 1000).today,
    );
    let mut id = || "id".to_owned();
    assert_eq!(
        bench
            .alerts
            .join(&at(50), "laptop", &to, |_| today, &mut id),
        []
    );
    let again = finding(RuleKind::Volume, 0, Some(1001), 1000);
    assert_eq!(
        bench.alerts.step(&at(60), &to, [again.clone()], &mut id),
        []
    );
    let told = bench.alerts.step(&at(61), &LAPTOP, [again], &mut id);
    assert_eq!(told.len(), 1);
}

#[test]
fn of_two_cooldowns_the_stricter_one_stays() {
    for (laptop, mac) in [(1000, 3000), (3000, 1000)] {
        let mut alerts = Alerts::default();
        let mut step = |id, threshold| {
            let finding = finding(RuleKind::Volume, 0, Some(5000), threshold);
            alerts.step(&at(0), &device(id), [finding], &mut || "id".to_owned())
        };
        for (id, threshold) in [("laptop", laptop), ("mac", mac)] {
            assert_eq!(step(id, threshold).len(), 1);
            assert_eq!(step(id, 9000).len(), 1);
        }
        let today = finding(RuleKind::Volume, 0, Some(9999), 0).today;
        let mut id = || "id".to_owned();
        alerts.join(&at(1), "laptop", &device("mac"), |_| today, &mut id);
        let again = |threshold| finding(RuleKind::Volume, 0, Some(9999), threshold);
        let mut step = |threshold| {
            let told = alerts.step(&at(2), &device("mac"), [again(threshold)], &mut id);
            told.len()
        };
        assert_eq!((step(2000), step(4000)), (0, 1));
    }
}

#[test]
fn of_two_cooldowns_until_the_same_time_that_of_the_higher_level_stays() {
    for levels in [[1001, 3000], [3000, 1001]] {
        let mut alerts = Alerts::default();
        let mut id = || "id".to_owned();
        for second in 0..=41 {
            for (device_id, level) in ["laptop", "mac"].into_iter().zip(levels) {
                let rate = if second > 10 { 0 } else { level };
                let finding = finding(RuleKind::Rate, 0, Some(rate), THRESHOLD);
                alerts.step(&at(second), &device(device_id), [finding], &mut id);
            }
        }
        assert_eq!(alerts.closed().count(), 2);
        let today = finding(RuleKind::Rate, 0, Some(0), THRESHOLD).today;
        alerts.join(&at(41), "laptop", &device("mac"), |_| today, &mut id);
        for second in 42..60 {
            let finding = finding(RuleKind::Rate, 0, Some(5999), THRESHOLD);
            assert_eq!(
                alerts.step(&at(second), &device("mac"), [finding], &mut id),
                []
            );
        }
    }
}

#[test]
fn joining_at_midnight_does_not_take_the_alert_of_a_day_into_the_next() {
    let mut bench = Bench::new(RuleKind::Volume);
    bench.on(0, Some(1001), 1000);
    let tomorrow = finding(RuleKind::Volume, 1, Some(2000), 1000);
    let mut id = || "id".to_owned();
    bench.alerts.join(
        &at(86_400),
        "laptop",
        &device("mac"),
        |_| tomorrow.today,
        &mut id,
    );
    let told = bench
        .alerts
        .step(&at(86_400), &device("mac"), [tomorrow], &mut id)
        .remove(0);
    assert_eq!(told.alert.ending, Some(Ending::DayOver));
    assert_eq!(
        (told.alert.today.day.day(), told.alert.today.sent),
        (8, 1001)
    );
}

#[test]
fn joining_a_device_to_itself_changes_nothing() {
    let mut bench = Bench::new(RuleKind::Volume);
    bench.on(0, Some(1001), 1000);
    let today = finding(RuleKind::Volume, 0, Some(1001), 1000).today;
    let told = bench
        .alerts
        .join(&at(1), "laptop", &LAPTOP, |_| today, &mut || {
            "id".to_owned()
        });
    assert_eq!((told.len(), bench.alerts.firing(RuleKind::Volume)), (0, 1));
}

#[test]
fn cooldowns_of_devices_that_went_away_are_dropped() {
    let mut alerts = Alerts::default();
    for number in 0..1000_u64 {
        let (id, day) = (format!("device {number}"), (number / 100) as i8);
        for (observed, threshold) in [(1001, 1000), (1001, 2000)] {
            let finding = finding(RuleKind::Volume, day, Some(observed), threshold);
            let device = DeviceRef { id: &id, ..LAPTOP };
            alerts.step(&at(number), &device, [finding], &mut || "id".to_owned());
        }
    }
    assert!(alerts.tracks.len() <= 300, "{}", alerts.tracks.len());
}
