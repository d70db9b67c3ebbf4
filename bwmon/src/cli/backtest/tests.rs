use super::{super::output::Paint, *};
use crate::{
    core::event::Severity,
    replay::report::{Read, Report},
};

const LOOK: Look = Look {
    width: 80,
    paint: Paint::Plain,
};

fn alert(rule: RuleKind, name: &str, ended_at: Option<&str>) -> FoundAlert {
    FoundAlert {
        rule,
        device: name.to_lowercase(),
        name: name.to_owned(),
        started_at: "2026-03-08T14:03:11+01:00".to_owned(),
        ended_at: ended_at.map(str::to_owned),
        duration_seconds: 312,
        observed: 7_650_000,
        threshold: 6_250_000,
        expected: None,
        unit: rule.unit(),
        direction: Direction::Total,
        severity: Severity::Warning,
        peak_rate: 7_650_000,
        basis: None,
        is_unknown: false,
    }
}

fn played(alerts: Vec<FoundAlert>, days: u64) -> Played {
    let from: jiff::Timestamp = "2026-03-08T12:00:00Z".parse().unwrap();
    let length = Duration::from_secs(days * 24 * 3600 + 60);
    let warnings = vec!["3 frames (180 B) have no IP header that can be read".to_owned()];
    Played {
        report: Report {
            alerts,
            read: Read {
                records: 31,
                bytes: 4_500_000_000,
                period: Some((from, from + length)),
                played: length,
                devices: 2,
            },
            warnings,
        },
        records: "frames",
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        notes: vec!["local networks: 10.0.0.0/8, by --local".to_owned()],
    }
}

#[test]
fn each_alert_is_a_line_and_each_rule_and_device_another() {
    let mut sent = alert(RuleKind::Volume, "TV\x1b", None);
    sent.direction = Direction::Sent;
    let ended = Some("2026-03-08T14:08:23+01:00");
    let alerts = vec![
        alert(RuleKind::Rate, "Laptop", ended),
        alert(RuleKind::Rate, "Laptop", ended),
        sent,
    ];
    insta::assert_snapshot!(render(&played(alerts, 14), LOOK), @r#"
    STARTED                      LASTED  RULE         DEVICE     OBSERVED  THRESHOLD
    2026-03-08 14:03:11      5 min 12 s  rate         Laptop  61.2 Mbit/s  50 Mbit/s
    2026-03-08 14:03:11      5 min 12 s  rate         Laptop  61.2 Mbit/s  50 Mbit/s
    2026-03-08 14:03:11  ! > 5 min 12 s  volume sent  TV�         7.65 MB    6.25 MB

    RULE         DEVICE  ALERTS  PER WEEK
    volume sent  TV�          1       0.5
    rate         Laptop       2       1.0

    read      31 frames, 4.5 GB, 2 devices
    period    2026-03-08 13:00:00 to 2026-03-22 13:01:00, 14 d
    note      local networks: 10.0.0.0/8, by --local
    warning   3 frames (180 B) have no IP header that can be read
    "#);
}

#[test]
fn nothing_is_said_so_and_a_short_time_has_no_week() {
    insta::assert_snapshot!(render(&played(Vec::new(), 0), LOOK), @r#"
    nothing would have fired

    read      31 frames, 4.5 GB, 2 devices
    period    2026-03-08 13:00:00 to 2026-03-08 13:01:00, 1 min
    note      local networks: 10.0.0.0/8, by --local
    warning   3 frames (180 B) have no IP header that can be read
    "#);
    let text = render(
        &played(vec![alert(RuleKind::Rate, "Laptop", None)], 0),
        LOOK,
    );
    assert!(text.contains("rate  Laptop       1         -\n"), "{text}");
}

#[test]
fn who_names_the_networks_first_is_heard() {
    let net = |text: &str| -> IpNet { text.parse().unwrap() };
    let list = LocalNetworks::List(vec![net("10.0.0.0/8")]);
    for (configured, named, expected, whence) in [
        (
            &list,
            vec![net("fd00::/8")],
            vec![net("fd00::/8")],
            "by --local",
        ),
        (
            &list,
            vec![],
            vec![net("10.0.0.0/8")],
            "by the configuration",
        ),
        (
            &LocalNetworks::Auto,
            vec![],
            PRIVATE.map(net).to_vec(),
            "as nobody says which; see --local",
        ),
    ] {
        assert_eq!(networks(configured, &named), (expected, whence));
    }
}
