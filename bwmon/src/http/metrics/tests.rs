//! What is written of a household.

use super::*;
use crate::http::fixture;

fn household(most: usize) -> Vec<String> {
    let snapshot = fixture::household();
    let text = write(&snapshot, "0.1.0", most, Format::Prometheus);
    text.lines().map(str::to_owned).collect()
}

fn about(lines: &[String], metric: &str) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.starts_with(metric));
    lines.cloned().collect()
}

#[test]
fn every_metric_of_the_contract_is_there() {
    let lines = household(1000);
    for metric in [
        "bwmon_device_sent_bytes_total",
        "bwmon_device_received_bytes_total",
        "bwmon_device_active",
        "bwmon_interface_coverage_ratio",
        "bwmon_alerts_firing",
        "bwmon_events_total",
        "bwmon_outbox_events",
        "bwmon_poll_duration_seconds_bucket",
        "bwmon_poll_duration_seconds_sum",
        "bwmon_poll_duration_seconds_count",
        "bwmon_addresses",
        "bwmon_overflow_bytes_total",
        "bwmon_build_info",
        "bwmon_store_up",
    ] {
        assert!(!about(&lines, metric).is_empty(), "{metric}");
    }
}

#[test]
fn internet_and_local_are_told_apart_and_add_up() {
    let mut snapshot = fixture::household();
    let mut laptop = fixture::device("192.168.1.5", &["192.168.1.5"]);
    laptop.name = "The \"TV\"".to_owned();
    laptop.since_start = MovedView {
        sent: 100,
        received: 2_000,
        sent_local: 30,
        received_local: 0,
    };
    snapshot.devices = [laptop].map(Arc::new).into();
    let text = write(&snapshot, "0.1.0", 10, Format::OpenMetrics);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(
        about(&lines, "bwmon_device_"),
        [
            r#"bwmon_device_sent_bytes_total{device="192.168.1.5",name="The \"TV\"",scope="internet"} 70"#,
            r#"bwmon_device_sent_bytes_total{device="192.168.1.5",name="The \"TV\"",scope="local"} 30"#,
            r#"bwmon_device_received_bytes_total{device="192.168.1.5",name="The \"TV\"",scope="internet"} 2000"#,
            r#"bwmon_device_received_bytes_total{device="192.168.1.5",name="The \"TV\"",scope="local"} 0"#,
            r#"bwmon_device_active{device="192.168.1.5",name="The \"TV\""} 0"#,
        ]
    );
}

#[test]
fn devices_beyond_a_number_are_summed_up() {
    let mut snapshot = fixture::household();
    let devices = (0..100).map(|number| {
        let id = format!("10.0.0.{number}");
        let mut device = fixture::device(&id, &[&id]);
        device.registered = number == 99;
        device.since_start.sent = 1;
        Arc::new(device)
    });
    snapshot.devices = devices.collect();
    let text = write(&snapshot, "0.1.0", 3, Format::Prometheus);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let sent = about(&lines, "bwmon_device_sent_bytes_total");
    assert_eq!(sent.len(), 2 * (3 + 1));
    assert!(
        sent[0].contains("10.0.0.99"),
        "registered ones come first: {}",
        sent[0]
    );
    assert_eq!(
        sent[6],
        r#"bwmon_device_sent_bytes_total{device="other",name="other",scope="internet"} 97"#
    );
    assert_eq!(about(&lines, "bwmon_device_active").len(), 3);
}

#[test]
fn open_metrics_is_for_those_who_ask() {
    for (accept, expected) in [
        ("", Format::Prometheus),
        ("text/plain", Format::Prometheus),
        ("*/*", Format::Prometheus),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
            Format::OpenMetrics,
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        assert_eq!(wanted(&headers), expected, "{accept}");
    }
}
