use super::*;

const DIRECTIONS: [Direction; 3] = Direction::ALL;

fn directed(direction: Direction, alert: Alert) -> Alert {
    Alert { direction, ..alert }
}

fn surge(basis: Basis, observed: u64, expected: u64) -> Alert {
    Alert {
        direction: Direction::Sent,
        expected: Some(expected),
        detail: Detail::Surge {
            learned: 12 * 86_400,
            basis,
        },
        ..alert(RuleKind::Surge, observed, 3 * expected)
    }
}

fn quota(observed: u64, forecast: Option<u64>) -> Alert {
    Alert {
        detail: Detail::Quota {
            percent: 80,
            limit: 500_000_000_000,
            from: date(2026, 3, 1),
            until: date(2026, 4, 1),
            forecast,
        },
        ..alert(RuleKind::Quota, observed, 400_000_000_000)
    }
}

fn new_device(is_private: bool) -> Alert {
    Alert {
        detail: Detail::NewDevice { is_private },
        ..alert(RuleKind::NewDevice, 5, 3600)
    }
}

fn silent() -> Alert {
    alert(RuleKind::Silent, 7200, 1800)
}

/// As it is when it is over; it came to this end after as long as all others here.
fn ended(alert: Alert, ending: Ending) -> Alert {
    Alert {
        state: AlertState::Resolved,
        lasted: Duration::from_secs(312),
        ending: Some(ending),
        ..alert
    }
}

#[test]
fn a_rule_of_one_direction_says_which() {
    let volume = |direction| {
        let alert = alert(RuleKind::Volume, 512_000_000, 500_000_000);
        sentence(&directed(direction, alert), EventState::Firing)
    };
    let rate = |direction| {
        let alert = alert(RuleKind::Rate, 7_650_000, 6_250_000);
        sentence(&directed(direction, alert), EventState::Firing)
    };
    let starts = |text: String| text.split(", over").next().unwrap().to_owned();
    assert_eq!(
        DIRECTIONS.map(|each| starts(volume(each))),
        [
            "Laptop (192.123.4.5) has used 512 MB today",
            "Laptop (192.123.4.5) has sent 512 MB today",
            "Laptop (192.123.4.5) has received 512 MB today",
        ]
    );
    assert_eq!(
        DIRECTIONS.map(|each| starts(rate(each))),
        [
            "Laptop (192.123.4.5) has moved 61.2 Mbit/s for 10 s",
            "Laptop (192.123.4.5) has sent 61.2 Mbit/s for 10 s",
            "Laptop (192.123.4.5) has received 61.2 Mbit/s for 10 s",
        ]
    );
}

#[test]
fn a_surge_says_what_is_usual_and_how_that_is_known() {
    let rest = ", for 10 s. Sent today: 12 MB. Received today: 500 MB.";
    for (alert, what) in [
        (
            surge(Basis::HourOfDay, 6_000_000, 662_500),
            "48 Mbit/s, 9 times the 5.3 Mbit/s that is usual for it at this hour (learnt over 12 d)",
        ),
        (
            surge(Basis::HourOfWeek, 2_400_000, 1_000_000),
            "19.2 Mbit/s, 2.4 times the 8 Mbit/s that is usual for it at this hour of the week \
             (learnt over 12 d)",
        ),
        (
            surge(Basis::Recent, 2_000_000, 0),
            "16 Mbit/s, where nothing is usual for it in the last hours (learnt over 12 d)",
        ),
    ] {
        check(
            &alert,
            &format!("Laptop (192.123.4.5) is sending {what}{rest}"),
        );
    }
}

#[test]
fn a_quota_says_where_it_leads() {
    let rest = ". Sent today: 12 MB. Received today: 500 MB.";
    for (alert, what) in [
        (
            quota(400_000_000_000, Some(612_000_000_000)),
            "has used 400 GB since 1 March, 80 % of its quota of 500 GB; \
             at this pace it will be 612 GB by 31 March",
        ),
        (
            directed(Direction::Received, quota(575_000_000_000, None)),
            "has received 575 GB since 1 March, 115 % of its quota of 500 GB",
        ),
    ] {
        check(&alert, &format!("Laptop (192.123.4.5) {what}{rest}"));
    }
}

#[test]
fn a_new_device_is_told_with_its_mac() {
    const NEW: &str = "A device that was never seen before is on the network: ";
    check(
        &new_device(true),
        &format!(
            "{NEW}Laptop (192.123.4.5), MAC 02:1b:c3:00:4f:9e; \
             its MAC address is a private (random) one."
        ),
    );
    let nameless = Alert {
        device: device("02:1b:c3:00:4f:9e", &[]),
        ..new_device(false)
    };
    check(&nameless, &format!("{NEW}02:1b:c3:00:4f:9e."));
}

#[test]
fn a_silence_says_how_long_it_may_be() {
    check(
        &silent(),
        "Laptop (192.123.4.5) has sent nothing for 2 h; it should at least every 30 min. \
         Sent today: 12 MB. Received today: 500 MB.",
    );
}

#[test]
fn groups_and_interfaces_are_called_so() {
    for (kind, name, who) in [
        (SubjectKind::Group, "kids", "Group kids"),
        (SubjectKind::Interface, "br-lan", "Interface br-lan"),
    ] {
        let subject = EventDevice {
            kind,
            mac: None,
            ..device(name, &[])
        };
        let alert = Alert {
            device: subject,
            ..alert(RuleKind::Volume, 512_000_000, 500_000_000)
        };
        check(
            &alert,
            &format!(
                "{who} has used 512 MB today, over its threshold of 500 MB. \
                 Sent: 12 MB. Received: 500 MB."
            ),
        );
    }
}

#[test]
fn a_reminder_says_how_it_is_and_how_long_it_lasts() {
    let course = "; the alert lasts for 4 h, in which it moved 1.2 GB at up to 73.4 Mbit/s.";
    let sent = "; the alert lasts for 4 h, in which it sent 1.2 GB at up to 73.4 Mbit/s.";
    for (alert, what, course) in [
        (
            alert(RuleKind::Volume, 812_000_000, 500_000_000),
            "has used 812 MB today, still over its threshold of 500 MB",
            course,
        ),
        (
            alert(RuleKind::Rate, 5_500_000, 6_250_000),
            "is still moving 44 Mbit/s; its threshold is 50 Mbit/s",
            course,
        ),
        (
            surge(Basis::Recent, 6_000_000, 662_500),
            "is still sending 48 Mbit/s, 9 times the 5.3 Mbit/s that is usual for it in the last \
             hours (learnt over 12 d)",
            sent,
        ),
        (
            alert(RuleKind::ActiveTime, 21_720, 18_000),
            "has been active for 6 h 2 min today, still over its threshold of 5 h",
            course,
        ),
        (
            quota(412_000_000_000, None),
            "still has used 412 GB since 1 March, 82 % of its quota of 500 GB",
            course,
        ),
        (new_device(false), "is still new on the network", course),
        (
            silent(),
            "has still sent nothing, for 2 h now; it should at least every 30 min",
            "; the alert lasts for 4 h.",
        ),
    ] {
        let alert = Alert {
            lasted: Duration::from_secs(4 * 3600),
            ..alert
        };
        assert_eq!(
            sentence(&alert, EventState::Reminder),
            format!("Laptop (192.123.4.5) {what}{course}")
        );
    }
}

#[test]
fn each_rule_has_its_ends() {
    use Ending::{Cleared, DayOver, Forgotten, Joined, OutOfHours, SwitchedOff};
    let joined = "turned out to be a device that has this alert already";
    let endings = [Cleared, DayOver, SwitchedOff, OutOfHours, Forgotten, Joined];
    let rows = [
        (
            surge(Basis::Recent, 7, 662_500),
            [
                "is no longer sending far more than the 5.3 Mbit/s that is usual for it",
                "is no longer sending far more than the 5.3 Mbit/s that is usual for it",
                "is no longer watched for sending far more than the 5.3 Mbit/s that is usual for it",
                "is not watched for sending far more than the 5.3 Mbit/s that is usual for it \
                 at this hour",
                "is gone, after sending far more than the 5.3 Mbit/s that is usual for it",
                joined,
            ],
        ),
        (
            quota(520_000_000_000, None),
            [
                "is no longer over 80 % of its quota of 500 GB",
                "used 520 GB from 1 March to 31 March, over 80 % of its quota of 500 GB",
                "is no longer watched for its quota of 500 GB",
                "is not watched for its quota of 500 GB at this hour",
                "is gone, after it was over 80 % of its quota of 500 GB",
                joined,
            ],
        ),
        (
            new_device(true),
            [
                "is not new on the network any more",
                "is not new on the network any more",
                "is no longer watched as a new device",
                "is not watched as a new device at this hour",
                "is gone, after it was new on the network",
                joined,
            ],
        ),
        (
            silent(),
            [
                "sends again, after it had sent nothing for more than 30 min",
                "sends again, after it had sent nothing for more than 30 min",
                "is no longer watched for 30 min of silence",
                "is not watched for 30 min of silence at this hour",
                "is gone, after it had sent nothing for more than 30 min",
                joined,
            ],
        ),
    ];
    for (alert, expected) in rows {
        let course = match alert.rule {
            RuleKind::Silent => "",
            RuleKind::Surge => ", in which it sent 1.2 GB at up to 73.4 Mbit/s",
            _ => ", in which it moved 1.2 GB at up to 73.4 Mbit/s",
        };
        for (ending, what) in endings.into_iter().zip(expected) {
            let expected =
                format!("Laptop (192.123.4.5) {what}; the alert lasted 5 min 12 s{course}.");
            check(&ended(alert.clone(), ending), &expected);
        }
    }
}

#[test]
fn what_comes_and_goes_is_told_with_its_silence() {
    let alert = Alert {
        damped: Some(Duration::from_secs(2400)),
        ..over(RuleKind::Rate, 1000, 6_250_000, Ending::Cleared)
    };
    check(
        &alert,
        "Laptop (192.123.4.5) is no longer over its threshold of 50 Mbit/s; the alert lasted \
         5 min 12 s, in which it moved 1.2 GB at up to 73.4 Mbit/s. It comes and goes: told again \
         at the earliest in 40 min, unless it is twice as bad.",
    );
}
