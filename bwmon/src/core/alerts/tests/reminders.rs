use super::*;

#[test]
fn what_lasts_is_told_again_each_time_it_lasted_so_long() {
    let mut bench = Bench::new(RuleKind::Rate);
    let told = bench.run(0..=200, |_| repeated(1001));
    assert_eq!(
        told,
        [
            (10, Firing),
            (70, Reminder),
            (130, Reminder),
            (190, Reminder)
        ]
    );
}

#[test]
fn without_a_repetition_there_is_no_reminder() {
    let mut bench = Bench::new(RuleKind::Rate);
    let broken = |_| finding(RuleKind::Rate, 0, Some(1001), THRESHOLD);
    assert_eq!(bench.run(0..=100_000, broken), [(10, Firing)]);
}

#[test]
fn what_may_be_over_soon_is_reminded_of_only_once_it_is_not() {
    let mut bench = Bench::new(RuleKind::Rate);
    let rate = |second| match second {
        60..=80 => repeated(7),
        _ => repeated(1001),
    };
    let told = bench.run(0..=150, rate);
    assert_eq!(told, [(10, Firing), (81, Reminder), (141, Reminder)]);
}

#[test]
fn a_reminder_tells_how_it_is_by_then() {
    let mut bench = Bench::new(RuleKind::Rate);
    let rate = |second| repeated(if second == 30 { 9000 } else { 1000 + second });
    let mut told = Vec::new();
    for second in 1..=75 {
        told.extend(bench.step(second, rate(second)));
    }
    let [fired, reminder] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((fired.state, reminder.state), (Firing, Reminder));
    assert_ne!(fired.event_id, reminder.event_id);
    assert_eq!(fired.alert.id, reminder.alert.id);
    let alert = &reminder.alert;
    assert_eq!((alert.observed, alert.peak_bytes_per_sec), (1071, 9000));
    assert_eq!(alert.lasted, Duration::from_secs(70));
    assert_eq!(alert.level, 1071, "that is what somebody was told");
    assert!(alert.description.contains("still"), "{}", alert.description);
}

#[test]
fn a_wall_clock_that_jumps_brings_no_reminder() {
    let mut bench = Bench::new(RuleKind::Rate);
    let mut told = 0;
    for second in 0..=60 {
        let wall = at(second * 100_000).wall;
        let now = Now { wall, ..at(second) };
        let finding = repeated(1001);
        told += bench
            .alerts
            .step(&now, &LAPTOP, [finding], &mut || "id".to_owned())
            .len();
    }
    assert_eq!(told, 1);
}
