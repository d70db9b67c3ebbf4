use super::*;

/// What is told of a rate that is as given in each second of these ranges.
fn check(
    rates: &[(RangeInclusive<u64>, Option<u64>)],
    expected: &[(u64, EventState)],
) -> Vec<Transition> {
    let mut bench = Bench::new(RuleKind::Rate);
    let mut told = Vec::new();
    for (seconds, rate) in rates {
        for second in seconds.clone() {
            let transition = bench.step(second, finding(RuleKind::Rate, 0, *rate, THRESHOLD));
            told.extend(transition.map(|transition| (second, transition)));
        }
    }
    let states: Vec<_> = told
        .iter()
        .map(|(second, told)| (*second, told.state))
        .collect();
    assert_eq!(states, expected, "{rates:?}");
    told.into_iter().map(|(_, transition)| transition).collect()
}

#[test]
fn a_rate_fires_after_ten_seconds_over_and_resolves_after_thirty_below_80_percent() {
    check(&[(0..=60, Some(1000))], &[]);
    check(&[(0..=9, Some(1001)), (10..=20, Some(1000))], &[]);
    check(&[(0..=60, Some(1001))], &[(10, Firing)]);
    check(
        &[
            (0..=8, Some(1001)),
            (9..=9, Some(999)),
            (10..=19, Some(1001)),
        ],
        &[],
    );
    check(
        &[(0..=20, Some(1001)), (21..=50, Some(799))],
        &[(10, Firing)],
    );
    check(
        &[(0..=20, Some(1001)), (21..=51, Some(799))],
        &[(10, Firing), (51, Resolved)],
    );
    check(
        &[(0..=20, Some(1001)), (21..=99, Some(800))],
        &[(10, Firing)],
    );
    for again in [1001, 800] {
        let rates = [
            (0..=20, Some(1001)),
            (21..=45, Some(0)),
            (46..=46, Some(again)),
            (47..=76, Some(0)),
        ];
        check(&rates, &[(10, Firing)]);
    }
}

#[test]
fn a_rule_that_is_switched_off_resolves_at_once_and_drops_what_is_pending() {
    let told = check(
        &[(0..=20, Some(1001)), (21..=60, None)],
        &[(10, Firing), (21, Resolved)],
    );
    assert_eq!(told[1].alert.ending, Some(Ending::SwitchedOff));
    check(
        &[(0..=5, Some(1001)), (6..=6, None), (7..=16, Some(1001))],
        &[],
    );
}

#[test]
fn a_cooldown_lets_only_the_twofold_level_through_for_five_minutes() {
    let first = [(10, Firing), (51, Resolved)];
    let until_resolved = [(0..=20, Some(1200)), (21..=51, Some(0))];
    for (rate, from, told) in [
        (Some(2399), 52..=360, None),
        (Some(2399), 52..=361, Some(361)),
        (Some(2400), 52..=361, Some(62)),
        (Some(2400), 345..=356, Some(355)),
    ] {
        let rates = [until_resolved.as_slice(), &[(from, rate)]].concat();
        let second = told.map(|second| (second, Firing));
        check(&rates, &first.into_iter().chain(second).collect::<Vec<_>>());
    }
}

#[test]
fn a_pending_alert_that_comes_to_nothing_does_not_end_the_cooldown() {
    let until_resolved = [(0..=20, Some(1200)), (21..=51, Some(0))];
    let again = [
        (52..=56, Some(2400)),
        (57..=57, Some(0)),
        (58..=150, Some(1200)),
    ];
    check(
        &[until_resolved.as_slice(), &again].concat(),
        &[(10, Firing), (51, Resolved)],
    );
}

#[test]
fn a_resolved_alert_tells_its_peak_and_its_length() {
    let rates = [
        (0..=20, Some(1001)),
        (21..=21, Some(9000)),
        (22..=52, Some(7)),
    ];
    let told = check(&rates, &[(10, Firing), (52, Resolved)]);
    let (fired, resolved) = (&told[0].alert, &told[1].alert);
    assert_eq!(
        (fired.observed, fired.level, fired.peak_bytes_per_sec),
        (1001, 1001, 1001)
    );
    assert_eq!(
        (fired.lasted, fired.started_at),
        (Duration::from_secs(10), at(0).wall)
    );
    assert_eq!(
        (
            resolved.observed,
            resolved.level,
            resolved.peak_bytes_per_sec
        ),
        (7, 1001, 9000)
    );
    assert_eq!(
        (resolved.lasted, resolved.ended_at),
        (Duration::from_secs(52), Some(at(52).wall))
    );
    assert_eq!(
        (&resolved.id, resolved.ending),
        (&fired.id, Some(Ending::Cleared))
    );
    assert_ne!(told[0].event_id, told[1].event_id);
    assert!(
        resolved.description.contains("is no longer over"),
        "{}",
        resolved.description
    );
}

#[test]
fn nothing_is_remembered_of_devices_that_behave() {
    let mut bench = Bench::new(RuleKind::Rate);
    for (second, rate) in [(0, 0), (1, 1001), (2, 999)] {
        bench.step(second, finding(RuleKind::Rate, 0, Some(rate), THRESHOLD));
        assert_eq!(bench.alerts.tracks.len(), usize::from(rate > THRESHOLD));
    }
}
