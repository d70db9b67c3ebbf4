use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::core::{
    event::RuleKind,
    policy::{Directed, Limits, Setting},
};

/// Only the rule on rates: over one megabyte a second.
fn rate_policy() -> Policy {
    let mut defaults = Limits::simple(Setting::Off, Setting::Off, Setting::At(1_000_000));
    defaults.surge.value.watch = Directed::each(Setting::Off);
    defaults.new_device.value.watch = Setting::Off;
    Policy {
        defaults,
        ..Policy::default()
    }
}

/// A pcap file with a download of `bytes` each second of these, by 192.168.1.5.
fn download(bytes: u32, seconds: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 101_u32] {
        file.extend(word.to_le_bytes());
    }
    let mut packet = vec![0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0];
    packet.extend(Ipv4Addr::new(198, 51, 100, 1).octets());
    packet.extend(Ipv4Addr::new(192, 168, 1, 5).octets());
    for second in seconds {
        for word in [1_772_971_200 + second, 0, packet.len() as u32, bytes] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&packet);
    }
    file
}

fn play_file(file: &[u8], policy: Policy) -> Result<Report, CaptureError> {
    let setup = Setup {
        policy,
        zone: TimeZone::UTC,
        networks: vec!["192.168.1.0/24".parse().unwrap()],
        interval: Duration::from_secs(1),
    };
    play_capture(setup, file)
}

#[test]
fn a_download_fires_when_and_as_long_as_it_would_have() {
    // Half a minute too fast, then silence, then a last word.
    let file = download(2_000_000, (0..30).chain([300]));
    let report = play_file(&file, rate_policy()).unwrap();
    let json = serde_json::to_string_pretty(&report.alerts).unwrap();
    insta::assert_snapshot!(json, @r#"
    [
      {
        "rule": "rate",
        "device": "192.168.1.5",
        "name": "192.168.1.5",
        "started_at": "2026-03-08T12:00:04+00:00",
        "ended_at": "2026-03-08T12:01:05+00:00",
        "duration_seconds": 61,
        "observed": 1995042,
        "threshold": 1000000,
        "expected": null,
        "unit": "bytes_per_second",
        "direction": "total",
        "severity": "warning",
        "peak_rate": 1995042
      }
    ]
    "#);
    assert_eq!(report.read.records, 31);
    assert_eq!(report.read.devices, 1);
    assert_eq!(report.read.played, Duration::from_secs(301));
}

#[test]
fn what_still_fires_at_the_end_has_no_end() {
    let report = play_file(&download(2_000_000, 0..60), rate_policy()).unwrap();
    assert_eq!(report.alerts.len(), 1);
    let alert = &report.alerts[0];
    assert_eq!(alert.ended_at, None);
    assert!((50..60).contains(&alert.duration_seconds), "{alert:?}");
    assert!(
        (1_990_000..=2_000_000).contains(&alert.observed),
        "{alert:?}"
    );
    let tally = &report.tallies()[0];
    assert_eq!(
        (tally.rule, tally.alerts, tally.per_week),
        (RuleKind::Rate, 1, None)
    );
}

#[test]
fn a_capture_without_frames_or_times_says_so() {
    let empty = download(0, []);
    let report = play_file(&empty, rate_policy()).unwrap();
    assert_eq!(report.warnings, ["the capture has no frames"]);
    let mut undated = download(100, [0]);
    // A million microseconds.
    undated[28..32].copy_from_slice(&1_000_000_u32.to_le_bytes());
    let error = play_file(&undated, rate_policy()).unwrap_err();
    assert!(matches!(error, CaptureError::NoTime), "{error}");
}

fn series(rows: &[(i64, f64)]) -> Series {
    let lines: String = rows
        .iter()
        .map(|(at, bytes)| format!("{at},{bytes}\n"))
        .collect();
    Series::read(format!("timestamp,value\n{lines}").as_bytes()).unwrap()
}

#[test]
fn a_series_fires_as_one_device_of_its_name() {
    let rows: Vec<_> = (0..20)
        .map(|row| (row * 300, if (5..8).contains(&row) { 6e8 } else { 3e6 }))
        .collect();
    let report = play_series(&rate_policy(), "office", &series(&rows));
    assert_eq!(report.alerts.len(), 1);
    let alert = &report.alerts[0];
    assert_eq!((&*alert.device, &*alert.name), ("office", "office"));
    assert_eq!(alert.started_at, "1970-01-01T00:25:10+00:00");
    assert_eq!(alert.ended_at.as_deref(), Some("1970-01-01T00:40:40+00:00"));
    assert_eq!(alert.observed, 2_000_000);
    assert_eq!(report.read.played, Duration::from_secs(20 * 300));
    assert_eq!(report.read.bytes, 1_851_000_000);
}

#[test]
fn a_missing_row_is_no_time() {
    let rows = [(0, 1.0), (300, 1.0), (600, 1.0), (9000, 1.0)];
    let report = play_series(&rate_policy(), "office", &series(&rows));
    assert_eq!(report.read.played, Duration::from_secs(4 * 300));
    assert_eq!(
        report.warnings,
        ["places where rows are missing, time not known: 1"]
    );
}

#[test]
fn a_surge_in_a_series_has_no_floor_unless_somebody_sets_one() {
    let floor = |policy: &Policy| {
        let rules = in_force(policy);
        rules.list().iter().find_map(|rule| match rule.condition {
            crate::core::policy::Condition::Surge(settings) => Some(settings.floor),
            _ => None,
        })
    };
    let mut policy = Policy::default();
    assert_eq!(floor(&policy), Some(0));
    policy.defaults.surge.value.floor = Some(7);
    assert_eq!(floor(&policy), Some(7));
    policy.unknown.surge.value.floor = Some(9);
    assert_eq!(floor(&policy), Some(9));
}

fn in_force(policy: &Policy) -> crate::core::policy::Rules {
    series_policy(policy).rules(None, &[])
}

#[test]
fn rules_that_learn_for_longer_are_named() {
    let report = play_series(
        &Policy::default(),
        "office",
        &series(&[(0, 1.0), (60, 1.0)]),
    );
    let surge = "surge could not fire: it learns for 2 d first, and this is 2 min long";
    assert_eq!(report.warnings, [surge]);
    let new_device = "new_device could not fire: it learns for 1 d first, and this is 2 s long";
    let report = play_file(&download(100, 0..2), Policy::default()).unwrap();
    assert!(
        report.warnings.iter().any(|warning| warning == new_device),
        "{report:?}"
    );
}

proptest! {
    #[test]
    fn steps_tile_a_row_and_share_out_all_its_bytes(millis in 1_u64..2_000_000, bytes in any::<u64>()) {
        let span = Span {
            start: Timestamp::UNIX_EPOCH,
            length: Duration::from_millis(millis),
            bytes: 0.0,
        };
        let steps: Vec<_> = steps(&span, bytes).collect();
        prop_assert_eq!(steps.iter().map(|step| step.1).sum::<Duration>(), span.length);
        prop_assert_eq!(steps.iter().map(|step| u128::from(step.2)).sum::<u128>(), u128::from(bytes));
        prop_assert!(steps.iter().all(|step| step.1 <= SERIES_STEP));
        prop_assert_eq!(steps.last().unwrap().0.as_millisecond() as u64, millis);
    }

    #[test]
    fn fractions_add_up(values in prop::collection::vec(0.0_f64..10.0, 1..100)) {
        let mut whole = Whole::default();
        let sum: u64 = values.iter().map(|value| whole.add(*value)).sum();
        let exact: f64 = values.iter().sum();
        prop_assert!((exact - sum as f64).abs() < 1.0 + 1e-6);
        prop_assert_eq!(whole.bytes, sum);
    }
}
