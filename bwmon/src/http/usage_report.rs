//! `GET /usage_report`: today's usage in the form that owners' scripts already read.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{App, array::json_array};
use crate::core::view::DeviceView;

/// One device that sent or received today.
#[derive(Debug, Serialize)]
struct Entry {
    /// The local day, `YYYY-MM-DD`.
    date: String,
    /// Its first IPv4 address, else its first.
    ip: Option<IpAddr>,
    device_name: String,
    /// GB of 10^9 bytes, local traffic included, like the next two.
    sent: f64,
    received: f64,
    usage: f64,
    /// Seconds.
    active_time: u64,
    /// Bytes a day.
    threshold: Option<u64>,
    /// Seconds a day.
    max_active_time: Option<u64>,
}

pub(super) async fn usage_report(State(app): State<Arc<App>>) -> Response {
    let snapshot = app.snapshot();
    if !snapshot.devices.iter().any(|device| was_active(device)) {
        // As documented; not a problem document.
        let body = Json(serde_json::json!({ "error": "No log data found for today." }));
        return (StatusCode::NOT_FOUND, body).into_response();
    }
    json_array((0..snapshot.devices.len()).filter_map(move |index| {
        let device = &snapshot.devices[index];
        was_active(device).then(|| entry(&snapshot.status.day, device))
    }))
}

fn was_active(device: &DeviceView) -> bool {
    device.today.sent > 0 || device.today.received > 0
}

fn entry(day: &str, device: &DeviceView) -> Entry {
    let today = &device.today;
    Entry {
        date: day.to_owned(),
        ip: device
            .addresses
            .iter()
            .find(|address| address.is_ipv4())
            .or(device.addresses.first())
            .copied(),
        device_name: device.name.clone(),
        sent: gigabytes(today.sent),
        received: gigabytes(today.received),
        usage: gigabytes(today.sent.saturating_add(today.received)),
        active_time: today.active_seconds,
        threshold: device.thresholds.bandwidth_threshold,
        max_active_time: device.thresholds.max_active_time,
    }
}

fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fixture;

    #[test]
    fn an_entry_prefers_ipv4_and_counts_in_gigabytes() {
        let mut laptop = fixture::device("laptop", &["fd00::5", "192.168.1.5", "192.168.1.6"]);
        laptop.today.sent = 12_000_000;
        laptop.today.received = 4_500_000_000;
        laptop.today.sent_local = 2_000_000;
        laptop.today.active_seconds = 18_060;
        laptop.thresholds.bandwidth_threshold = Some(5_000_000_000);
        let entry = serde_json::to_string_pretty(&entry("2026-03-08", &laptop)).unwrap();
        insta::assert_snapshot!(entry, @r#"
        {
          "date": "2026-03-08",
          "ip": "192.168.1.5",
          "device_name": "fd00::5",
          "sent": 0.012,
          "received": 4.5,
          "usage": 4.512,
          "active_time": 18060,
          "threshold": 5000000000,
          "max_active_time": null
        }
        "#);
    }

    #[test]
    fn a_device_with_only_ipv6_shows_its_first_address() {
        let tablet = fixture::device("tablet", &["fd00::7", "fd00::8"]);
        assert_eq!(
            entry("2026-03-08", &tablet).ip,
            Some("fd00::7".parse().unwrap())
        );
    }
}
