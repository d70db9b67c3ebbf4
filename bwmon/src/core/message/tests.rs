use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, civil::date};
use proptest::prelude::*;

use super::*;
use crate::core::{
    alerts::{Acknowledged, Ending},
    event::{Basis, Detail, Direction, RuleKind, Severity},
    mac::MacAddr,
    rules::Today,
};

/// Of each rule, and of what somebody is told of it.
mod rules;
mod short;

fn alert(rule: RuleKind, observed: u64, threshold: u64) -> Alert {
    Alert {
        id: "a-1".to_owned(),
        rule,
        direction: Direction::Total,
        step: 0,
        severity: Severity::Warning,
        device: device("Laptop", &["192.123.4.5"]),
        state: AlertState::Firing,
        observed,
        threshold,
        expected: None,
        detail: Detail::None,
        period: date(2026, 3, 8),
        level: observed,
        today: Today {
            day: date(2026, 3, 8),
            sent: 12_000_000,
            received: 500_000_000,
        },
        peak_bytes_per_sec: 9_175_000,
        moved_bytes: 1_200_000_000,
        lasted: Duration::from_secs(10),
        started_at: Timestamp::from_second(1_772_974_981).unwrap(),
        ended_at: None,
        ending: None,
        acknowledged: None,
        muted: false,
        damped: None,
        description: "What was told.".to_owned(),
    }
}

fn device(name: &str, addresses: &[&str]) -> EventDevice {
    EventDevice {
        id: "02:1b:c3:00:4f:9e".to_owned(),
        name: name.to_owned(),
        kind: SubjectKind::Device,
        group: None,
        mac: Some(MacAddr([2, 0x1b, 0xc3, 0, 0x4f, 0x9e])),
        addresses: addresses
            .iter()
            .map(|address| address.parse().unwrap())
            .collect(),
    }
}

fn over(rule: RuleKind, observed: u64, threshold: u64, ending: Ending) -> Alert {
    Alert {
        state: AlertState::Resolved,
        lasted: Duration::from_secs(312),
        ended_at: Some(Timestamp::from_second(1_772_975_293).unwrap()),
        ending: Some(ending),
        ..alert(rule, observed, threshold)
    }
}

fn check(alert: &Alert, expected: &str) {
    let state = match alert.ending {
        None => EventState::Firing,
        Some(_) => EventState::Resolved,
    };
    assert_eq!(sentence(alert, state), expected);
}

#[test]
fn a_firing_alert_is_told_with_the_facts() {
    check(
        &alert(RuleKind::Volume, 512_000_000, 500_000_000),
        "Laptop (192.123.4.5) has used 512 MB today, over its threshold of 500 MB. \
         Sent: 12 MB. Received: 500 MB.",
    );
    check(
        &alert(RuleKind::Rate, 7_650_000, 6_250_000),
        "Laptop (192.123.4.5) has moved 61.2 Mbit/s for 10 s, over its threshold of 50 Mbit/s. \
         Sent today: 12 MB. Received today: 500 MB.",
    );
    check(
        &alert(RuleKind::ActiveTime, 18_060, 18_000),
        "Laptop (192.123.4.5) has been active for 5 h 1 min today, over its threshold of 5 h. \
         Sent: 12 MB. Received: 500 MB.",
    );
}

#[test]
fn a_resolved_alert_is_told_with_its_end_its_length_and_its_peak() {
    let rest = "; the alert lasted 5 min 12 s, in which it moved 1.2 GB at up to 73.4 Mbit/s.";
    let rate = |ending| over(RuleKind::Rate, 1000, 6_250_000, ending);
    let rows = [
        (
            rate(Ending::Cleared),
            "is no longer over its threshold of 50 Mbit/s",
        ),
        (
            rate(Ending::SwitchedOff),
            "is no longer watched for its threshold of 50 Mbit/s",
        ),
        (
            rate(Ending::OutOfHours),
            "is not watched for its threshold of 50 Mbit/s at this hour",
        ),
        (
            rate(Ending::Forgotten),
            "is gone, after it was over its threshold of 50 Mbit/s",
        ),
        (
            rate(Ending::Joined),
            "turned out to be a device that has this alert already",
        ),
        (
            over(RuleKind::Volume, 812_000_000, 500_000_000, Ending::DayOver),
            "used 812 MB on 2026-03-08, over its threshold of 500 MB",
        ),
        (
            over(RuleKind::ActiveTime, 21_720, 18_000, Ending::DayOver),
            "was active for 6 h 2 min on 2026-03-08, over its threshold of 5 h",
        ),
    ];
    for (alert, what) in rows {
        check(&alert, &format!("Laptop (192.123.4.5) {what}{rest}"));
    }
}

#[test]
fn a_value_just_over_its_threshold_has_the_digits_to_show_it() {
    for (observed, threshold, expected) in [
        (5_003_456_000, 5_000_000_000, ("5.003 GB", "5 GB")),
        (500_000_100, 500_000_000, ("500 MB", "500 MB")),
        (512_345_678, 500_000_000, ("512 MB", "500 MB")),
    ] {
        let (observed, threshold) = told_apart(Unit::Bytes, observed, threshold);
        assert_eq!((observed.as_str(), threshold.as_str()), expected);
    }
}

#[test]
fn an_address_is_not_told_twice() {
    for (name, addresses, expected) in [
        ("Laptop", &["192.123.4.5"][..], "Laptop (192.123.4.5)"),
        ("192.123.4.5", &["192.123.4.5"], "192.123.4.5"),
        ("192.123.4.5", &["fe80::1", "192.123.4.5"], "192.123.4.5"),
        ("2001:DB8:0::1", &["2001:db8::1"], "2001:DB8:0::1"),
        (
            "Laptop",
            &["fe80::1", "192.123.4.5"],
            "Laptop (192.123.4.5)",
        ),
        ("Laptop", &["fe80::1", "fe80::2"], "Laptop (fe80::1)"),
        ("10.0.0.9", &["192.123.4.5"], "10.0.0.9 (192.123.4.5)"),
        ("Laptop", &[], "Laptop"),
    ] {
        assert_eq!(who(&device(name, addresses)), expected);
    }
}

#[test]
fn a_name_can_not_change_the_text_around_it() {
    for (name, expected) in [
        ("Büro-Läptop 笔记本 👩‍💻", "Büro-Läptop 笔记本 👩‍💻"),
        ("a\x1b[31mb\n\r\t\0c\u{9b}d", "a[31mbcd"),
        ("abc\u{202e}fdp\u{2066}.exe\u{200f}", "abcfdp.exe"),
        ("a\u{2028}b\u{200b}c\u{feff}d\u{e0041}", "abcd"),
        ("  spaces  ", "spaces"),
        ("\u{202e}\n", ""),
    ] {
        assert_eq!(printable(name), expected);
    }
    assert_eq!(printable(&"ü".repeat(64)), "ü".repeat(64));
    assert_eq!(printable(&"ü".repeat(65)), "ü".repeat(63) + "…");
}

#[test]
fn an_event_has_the_fields_receivers_read() {
    let alert = over(RuleKind::Volume, 512_000_000, 500_000_000, Ending::DayOver);
    let at = Timestamp::from_second(1_772_975_293).unwrap();
    let transition = Transition {
        state: EventState::Resolved,
        event_id: "e-1".to_owned(),
        at,
        alert: Arc::new(alert),
    };
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let json = serde_json::to_string_pretty(&event(&transition, "router", &zone)).unwrap();
    insta::assert_snapshot!(json, @r#"
    {
      "timestamp": "2026-03-08T14:08:13+01:00",
      "eventDescription": "What was told.",
      "source": "Bandwidth",
      "id": "e-1",
      "alert": "a-1",
      "state": "resolved",
      "rule": "volume",
      "severity": "warning",
      "device": {
        "id": "02:1b:c3:00:4f:9e",
        "name": "Laptop",
        "kind": "device",
        "group": null,
        "mac": "02:1b:c3:00:4f:9e",
        "addresses": [
          "192.123.4.5"
        ]
      },
      "direction": "total",
      "observed": 512000000,
      "threshold": 500000000,
      "expected": null,
      "unit": "bytes",
      "detail": {
        "kind": "none"
      },
      "peak_rate": 9175000,
      "sent": 12000000,
      "received": 500000000,
      "started_at": "2026-03-08T14:03:01+01:00",
      "ended_at": "2026-03-08T14:08:13+01:00",
      "host": "router"
    }
    "#);
}

#[test]
fn the_list_tells_what_was_told_or_of_a_pending_alert_what_would_be() {
    let firing = alert(RuleKind::Rate, 7_000_000, 6_250_000);
    let pending = Alert {
        state: AlertState::Pending,
        description: String::new(),
        ..firing.clone()
    };
    assert_eq!(view(&firing, &TimeZone::UTC).description, "What was told.");
    let view = view(&pending, &TimeZone::UTC);
    assert_eq!(view.description, sentence(&pending, EventState::Firing));
    assert_eq!(
        (view.observed, view.threshold, view.unit),
        (7_000_000, 6_250_000, Unit::BytesPerSecond)
    );
    assert_eq!((view.peak_rate, view.ended_at), (9_175_000, None));
    assert_eq!(view.started_at, "2026-03-08T13:03:01+00:00");
}

#[test]
fn the_list_shows_who_takes_care_and_what_is_muted() {
    let plain = view(&alert(RuleKind::Rate, 1, 1), &TimeZone::UTC);
    assert_eq!(
        (plain.acknowledged_at, plain.acknowledged_by, plain.muted),
        (None, None, false)
    );
    let alert = Alert {
        acknowledged: Some(Acknowledged {
            at: Timestamp::from_second(1_772_975_293).unwrap(),
            by: Some("Ann".to_owned()),
        }),
        muted: true,
        ..alert(RuleKind::Rate, 1, 1)
    };
    let view = view(&alert, &TimeZone::UTC);
    assert_eq!(
        view.acknowledged_at.as_deref(),
        Some("2026-03-08T13:08:13+00:00")
    );
    assert_eq!(view.acknowledged_by.as_deref(), Some("Ann"));
    assert!(view.muted);
}

proptest! {
    #[test]
    fn a_printable_name_is_short_and_stays_as_it_is(name in "\\PC*|(?s).{0,200}") {
        let shown = printable(&name);
        prop_assert!(shown.chars().count() <= NAME_CHARS);
        let visible = shown.chars().all(|char| !char.is_control() && char != '\u{202e}');
        prop_assert!(visible);
        prop_assert_eq!(printable(&shown), shown);
    }
}
