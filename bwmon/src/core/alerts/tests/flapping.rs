use super::*;

/// Over for 11 seconds from this one on, which is when it fires; then clear until it resolves.
fn burst(bench: &mut Bench, second: u64) -> Option<Transition> {
    let rate = |rate| finding(RuleKind::Rate, 0, Some(rate), THRESHOLD);
    assert_eq!(bench.step(second, rate(1001)), None);
    if bench.step(second + 10, rate(1001))?.state == Firing {
        assert_eq!(bench.step(second + 11, rate(0)), None);
        return bench.step(second + 41, rate(0));
    }
    None
}

/// The silence after each burst, when it begins so many seconds after the silence before.
fn check(waits: &[u64], expected: &[Option<u64>]) {
    let mut bench = Bench::new(RuleKind::Rate);
    let (mut second, mut damped) = (0, Vec::new());
    for wait in waits {
        second += wait;
        let told = burst(&mut bench, second).expect("it fires");
        damped.push(told.alert.damped.map(|time| time.as_secs()));
        let silence = damped.last().copied().flatten().unwrap_or(300);
        assert_eq!(
            burst(&mut bench, second + 41 + silence - 11),
            None,
            "{silence} s of silence"
        );
        bench.step(
            second + 41 + silence - 1,
            finding(RuleKind::Rate, 0, Some(0), THRESHOLD),
        );
        second += 41 + silence;
    }
    assert_eq!(damped, expected, "{waits:?}");
}

#[test]
fn what_comes_and_goes_is_told_less_and_less_often() {
    let doubled = [None, Some(600), Some(1200), Some(2400), Some(4800)];
    check(&[0, 5, 5, 5, 5], &doubled);
}

#[test]
fn no_silence_is_longer_than_a_day() {
    let silence = |times: u32| Some(300 << times).filter(|_| times > 0);
    let mut expected: Vec<_> = (0..=8).map(silence).collect();
    expected.extend([Some(86_400), Some(86_400)]);
    check(&[5; 11], &expected);
}

#[test]
fn after_a_calm_time_the_silence_is_as_configured() {
    // It counts when it fires; four times 300 s is the end of what is remembered.
    check(&[0, 1189], &[None, Some(600)]);
    check(&[0, 1200], &[None, None]);
    check(&[0, 5, 2389, 4800], &[None, Some(600), Some(1200), None]);
}

#[test]
fn what_is_damped_says_so() {
    let mut bench = Bench::new(RuleKind::Rate);
    let first = burst(&mut bench, 0).unwrap().alert;
    let second = burst(&mut bench, 400).unwrap().alert;
    assert!(!first.description.contains("comes and goes"));
    let told = "It comes and goes: told again at the earliest in 10 min";
    assert!(second.description.contains(told), "{}", second.description);
}

#[test]
fn damping_survives_a_restart() {
    let mut bench = Bench::new(RuleKind::Rate);
    burst(&mut bench, 0).unwrap();
    // Silent until 341; restarted when that is over, and once more while it fires.
    let records = bench.alerts.records(&at(400));
    bench.alerts = Alerts::restore(records, &at(400));
    let rate = |rate| finding(RuleKind::Rate, 0, Some(rate), THRESHOLD);
    bench.step(400, rate(1001));
    assert!(bench.step(410, rate(1001)).is_some());
    bench.alerts = Alerts::restore(bench.alerts.records(&at(411)), &at(411));
    bench.step(411, rate(0));
    let told = bench.step(441, rate(0)).unwrap();
    assert_eq!(told.alert.damped, Some(Duration::from_secs(600)));
}

#[test]
fn what_has_no_silence_is_not_damped() {
    let timing = Timing {
        cooldown: Cooldown::For(Duration::ZERO),
        ..ONCE
    };
    let mut bench = Bench::new(RuleKind::NewDevice);
    for second in 0..10 {
        let observed = if second % 2 == 0 { 1001 } else { 0 };
        let finding = finding(RuleKind::NewDevice, 0, Some(observed), THRESHOLD);
        let told = bench.step(second, Finding { timing, ..finding }).unwrap();
        assert_eq!(told.alert.damped, None);
    }
    bench.step(10, finding(RuleKind::NewDevice, 0, Some(0), THRESHOLD));
    assert!(bench.alerts.tracks.is_empty());
}
