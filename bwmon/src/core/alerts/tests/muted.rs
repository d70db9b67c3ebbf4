use super::*;

fn mute(id: &str) -> Mute {
    Mute {
        id: id.to_owned(),
        subject: None,
        rule: None,
        until: None,
        reason: None,
        created_at: at(0).wall,
    }
}

#[test]
fn a_mute_is_about_a_subject_a_rule_both_or_everything() {
    for (subject, rule, is_muted) in [
        (None, None, true),
        (Some("laptop"), None, true),
        (Some("phone"), None, false),
        (None, Some(RuleKind::Rate), true),
        (None, Some(RuleKind::Volume), false),
        (Some("laptop"), Some(RuleKind::Rate), true),
        (Some("laptop"), Some(RuleKind::Volume), false),
        (Some("phone"), Some(RuleKind::Rate), false),
    ] {
        let mut bench = Bench::new(RuleKind::Rate);
        let mute = Mute {
            subject: subject.map(str::to_owned),
            rule,
            ..mute("m")
        };
        bench.alerts.mute(&at(0), mute.clone()).unwrap();
        let told = bench.run(0..=20, |_| repeated(1001));
        assert_eq!(told.is_empty(), is_muted, "{mute:?}");
        assert_eq!(bench.alerts.tracks.is_empty(), is_muted, "{mute:?}");
    }
}

#[test]
fn what_fires_is_not_reminded_of_while_it_is_muted_but_its_end_is_told() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.run(0..=20, |_| repeated(1001));
    bench.alerts.mute(&at(20), mute("m")).unwrap();
    assert_eq!(bench.run(21..=200, |_| repeated(1001)), []);
    assert!(bench.alerts.open().next().unwrap().muted);
    assert_eq!(bench.run(201..=250, |_| repeated(0)), [(231, Resolved)]);
    assert_eq!(bench.run(1000..=1100, |_| repeated(1001)), []);
    assert_eq!(bench.alerts.open().count(), 0);
}

#[test]
fn what_is_pending_comes_to_nothing_when_it_is_muted() {
    let mut bench = Bench::new(RuleKind::Rate);
    bench.run(0..=9, |_| repeated(1001));
    bench.alerts.mute(&at(9), mute("m")).unwrap();
    assert_eq!(bench.run(10..=10, |_| repeated(1001)), []);
    assert_eq!(bench.alerts.open().count(), 0);
    bench.alerts.unmute("m").unwrap();
    assert_eq!(bench.run(11..=21, |_| repeated(1001)), [(21, Firing)]);
}

#[test]
fn a_mute_ends_by_itself_at_its_time_of_the_wall_clock() {
    let mut bench = Bench::new(RuleKind::Rate);
    let until = |second| Mute {
        until: Some(at(second).wall),
        ..mute(&second.to_string())
    };
    for second in [200, 100] {
        bench.alerts.mute(&at(0), until(second)).unwrap();
    }
    bench.run(0..=100, |_| repeated(1001));
    assert_eq!(bench.alerts.mutes().count(), 1);
    let told = bench.run(101..=220, |_| repeated(1001));
    assert_eq!(told, [(210, Firing)]);
    assert_eq!(bench.alerts.mutes().count(), 0);
}

#[test]
fn mutes_survive_a_restart_and_end_without_bwmon() {
    let mut bench = Bench::new(RuleKind::Rate);
    let ends = Mute {
        until: Some(at(100).wall),
        reason: Some("guests".to_owned()),
        ..mute("ends")
    };
    bench.alerts.mute(&at(0), ends.clone()).unwrap();
    let saved = serde_json::to_string(&bench.alerts.mutes().collect::<Vec<_>>()).unwrap();
    for (second, is_muted) in [(50, true), (5000, false)] {
        let saved: Vec<Mute> = serde_json::from_str(&saved).unwrap();
        bench.alerts = Alerts::default();
        bench.alerts.restore_mutes(saved);
        assert!(bench.alerts.mutes().eq([&ends]));
        let told = bench.run(second..=second + 10, |_| repeated(1001));
        assert_eq!(told.is_empty(), is_muted);
    }
}

#[test]
fn a_mute_follows_a_device_to_its_other_id() {
    let mut bench = Bench::new(RuleKind::Rate);
    let subject = Some("address".to_owned());
    let about = Mute {
        subject,
        ..mute("m")
    };
    bench.alerts.mute(&at(0), about).unwrap();
    let mut id = || "id".to_owned();
    bench
        .alerts
        .join(&at(0), "address", &LAPTOP, |_| Today::default(), &mut id);
    assert_eq!(bench.run(0..=20, |_| repeated(1001)), []);
    let ended = bench.alerts.unmute("m").unwrap();
    assert_eq!(ended.subject.as_deref(), Some("laptop"));
}

#[test]
fn what_can_not_be_muted_is_said() {
    let mut alerts = Alerts::default();
    let now = at(10);
    let past = Mute {
        until: Some(now.wall),
        ..mute("m")
    };
    assert_eq!(alerts.mute(&now, past), Err(MuteError::Past(now.wall)));
    let long = Mute {
        subject: Some("x".repeat(10_000)),
        ..mute("m")
    };
    assert_eq!(alerts.mute(&now, long), Err(MuteError::LongId(10_000)));
    let unknown = Err(MuteError::Unknown("m".to_owned()));
    assert_eq!(alerts.unmute("m"), unknown);
    for number in 0..MUTES {
        alerts.mute(&now, mute(&number.to_string())).unwrap();
    }
    assert_eq!(alerts.mute(&now, mute("m")), Err(MuteError::Full));
    let again = Mute {
        reason: Some("a\u{1b}b".to_owned()),
        ..mute("7")
    };
    alerts.mute(&now, again).unwrap();
    assert_eq!(alerts.mutes().count(), MUTES);
    assert_eq!(alerts.mutes().last().unwrap().reason.as_deref(), Some("ab"));
}
