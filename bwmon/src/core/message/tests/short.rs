use super::*;

fn told(state: EventState, alert: Alert) -> Event {
    let transition = Transition {
        state,
        event_id: "e-1".to_owned(),
        at: alert.started_at,
        alert: Arc::new(alert),
    };
    event(&transition, "router", &TimeZone::UTC)
}

fn surge() -> Alert {
    Alert {
        direction: Direction::Sent,
        expected: Some(662_500),
        detail: Detail::Surge {
            learned: 12 * 86_400,
            basis: Basis::HourOfDay,
        },
        ..alert(RuleKind::Surge, 6_000_000, 2_000_000)
    }
}

fn quota() -> Alert {
    Alert {
        detail: Detail::Quota {
            percent: 80,
            limit: 500_000_000_000,
            from: date(2026, 3, 1),
            until: date(2026, 4, 1),
            forecast: Some(612_000_000_000),
        },
        ..alert(RuleKind::Quota, 400_000_000_000, 400_000_000_000)
    }
}

#[test]
fn a_title_is_who_and_what() {
    for (alert, expected) in [
        (
            alert(RuleKind::Volume, 512_000_000, 500_000_000),
            "Laptop: 512 MB today, over 500 MB",
        ),
        (
            Alert {
                direction: Direction::Received,
                ..alert(RuleKind::Rate, 7_650_000, 6_250_000)
            },
            "Laptop: 61.2 Mbit/s received, over 50 Mbit/s",
        ),
        (
            surge(),
            "Laptop: 48 Mbit/s sent, 9 times the usual 5.3 Mbit/s",
        ),
        (
            Alert {
                expected: Some(0),
                ..surge()
            },
            "Laptop: 48 Mbit/s sent, usually nothing",
        ),
        (
            alert(RuleKind::ActiveTime, 18_060, 18_000),
            "Laptop: active for 5 h 1 min today, over 5 h",
        ),
        (quota(), "Laptop: 80 % of its quota of 500 GB used"),
        (
            alert(RuleKind::NewDevice, 5, 3600),
            "Laptop: new on the network",
        ),
        (
            alert(RuleKind::Silent, 7200, 1800),
            "Laptop: silent for 2 h",
        ),
    ] {
        assert_eq!(title(&told(EventState::Firing, alert)), expected);
    }
}

#[test]
fn a_title_says_which_change_it_is() {
    let rate = alert(RuleKind::Rate, 7_650_000, 6_250_000);
    assert_eq!(
        title(&told(EventState::Reminder, rate)),
        "Laptop: still 61.2 Mbit/s, over 50 Mbit/s"
    );
    let ended = over(RuleKind::Rate, 7, 6_250_000, Ending::Cleared);
    assert_eq!(
        title(&told(EventState::Resolved, ended)),
        "Laptop: rate alert is over"
    );
}

/// Whatever is in the event, as far as it is text of others.
fn hostile() -> Event {
    let mut event = told(EventState::Firing, surge());
    event.device.name = "L\u{1b}[31map\u{202e}\n".repeat(100);
    event.device.group = Some("a\nb".to_owned());
    event.host = "ro\u{7}uter".to_owned();
    event.observed = u64::MAX;
    event.expected = Some(1);
    event
}

#[test]
fn what_channels_show_is_short_and_safe() {
    let event = hostile();
    let title = title(&event);
    assert!(title.chars().count() <= TITLE_CHARS, "{title}");
    let values = details(&event).into_iter().map(|(_, value)| value);
    for text in values.chain([title]) {
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\n', '\u{7}']),
            "{text:?}"
        );
        assert!(!text.is_empty());
    }
}

fn shown(event: &Event) -> String {
    let lines = details(event).into_iter();
    let lines = lines.map(|(label, value)| format!("{label}: {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn details_are_the_facts_one_by_one() {
    insta::assert_snapshot!(shown(&told(EventState::Firing, surge())), @r"
    Subject: Laptop
    Addresses: 192.123.4.5
    MAC: 02:1b:c3:00:4f:9e
    Rule: surge, sent
    Observed: 48 Mbit/s
    Threshold: 16 Mbit/s
    Expected: 5.3 Mbit/s (as at this hour of the day)
    Since: 2026-03-08T13:03:01+00:00
    Peak: 73.4 Mbit/s
    Sent today: 12 MB
    Received today: 500 MB
    Told by: router
    ");
    let mut quota = quota();
    quota.device.kind = SubjectKind::Group;
    quota.device.name = "kids".to_owned();
    quota.device.mac = None;
    quota.device.addresses.clear();
    insta::assert_snapshot!(shown(&told(EventState::Reminder, quota)), @r"
    Subject: Group kids
    Rule: quota
    Observed: 400 GB
    Threshold: 400 GB
    Quota: 500 GB
    Cycle: 2026-03-01 to before 2026-04-01
    Forecast: 612 GB
    Since: 2026-03-08T13:03:01+00:00
    Peak: 73.4 Mbit/s
    Sent today: 12 MB
    Received today: 500 MB
    Told by: router
    ");
    let mut new = over(RuleKind::NewDevice, 3600, 3600, Ending::Cleared);
    new.detail = Detail::NewDevice { is_private: true };
    new.device.group = Some("guests".to_owned());
    new.device.addresses = (1..=6).map(|last| [10, 0, 0, last].into()).collect();
    insta::assert_snapshot!(shown(&told(EventState::Resolved, new)), @r"
    Subject: Laptop
    Addresses: 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 2 more
    MAC: 02:1b:c3:00:4f:9e (private)
    Group: guests
    Rule: new device
    Since: 2026-03-08T13:03:01+00:00
    Until: 2026-03-08T13:08:13+00:00
    Peak: 73.4 Mbit/s
    Sent today: 12 MB
    Received today: 500 MB
    Told by: router
    ");
}
