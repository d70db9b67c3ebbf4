//! `GET /usage_report`: today's usage in the form that owners' scripts already read.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    App,
    conditional::unless_had,
    csv::{Record, Row},
    format::{Format, negotiated},
    problem::Problem,
};
use crate::core::{schema::IpAddress, view::DeviceView};

/// What a device used today.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageReportEntry)]
pub(super) struct Entry {
    /// The local day, `YYYY-MM-DD`.
    #[schema(format = Date)]
    date: String,
    /// Its first IPv4 address, else its first.
    #[schema(value_type = Option<IpAddress>)]
    ip: Option<IpAddr>,
    /// What the owner calls it, or its address.
    device_name: String,
    /// Uploaded: GB of 10^9 bytes, local traffic included, like the next two.
    sent: f64,
    /// Downloaded, GB.
    received: f64,
    /// Both together, GB.
    usage: f64,
    /// Seconds.
    active_time: u64,
    /// Bytes a day.
    threshold: Option<u64>,
    /// Seconds a day.
    max_active_time: Option<u64>,
}

/// There is nothing to report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoUsage {
    /// Always the same.
    #[schema(example = "No log data found for today.")]
    error: &'static str,
}

/// How the report is written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// What the list is written in; else it is as the `Accept` header says.
    #[param(inline)]
    format: Option<Format>,
}

/// What each device used today that sent or received something, in the form that scripts of the
/// Python version read.
#[utoipa::path(
    get, path = "/usage_report", tag = "devices", params(ReportQuery),
    responses(
        (status = 200, description = "The devices with traffic.", content(
            (Vec<Entry> = "application/json"), (String = "text/csv"),
        )),
        (status = 304),
        (status = 404, body = NoUsage, description = "Nothing was sent or received today."),
    ),
)]
pub(super) async fn usage_report(
    State(app): State<Arc<App>>,
    query: Result<Query<ReportQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(ReportQuery { format }) = query?;
    let format = Format::wanted(format, &headers);
    let snapshot = app.snapshot();
    let day = &snapshot.status.day;
    if !snapshot.devices.iter().any(|device| was_active(device)) {
        // As documented; not a problem document.
        let error = "No log data found for today.";
        let body = Json(NoUsage { error });
        return Ok(negotiated((StatusCode::NOT_FOUND, body).into_response()));
    }
    let version = format!("{day}.{}", snapshot.versions.devices);
    let answer = unless_had(&headers, &app.tag(version, format), || {
        let (day, devices) = (day.clone(), Arc::clone(&snapshot.devices));
        format.list((0..devices.len()).filter_map(move |index| {
            let device = &devices[index];
            was_active(device).then(|| entry(&day, device))
        }))
    });
    Ok(negotiated(answer))
}

impl AsRef<Self> for Entry {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Record for Entry {
    const COLUMNS: &'static [&'static str] = &[
        "date",
        "ip",
        "device_name",
        "sent",
        "received",
        "usage",
        "active_time",
        "threshold",
        "max_active_time",
    ];

    fn write(&self, row: &mut Row) {
        row.own(&self.date)
            .own_or_empty(self.ip)
            .text(&self.device_name)
            .own(self.sent)
            .own(self.received)
            .own(self.usage)
            .own(self.active_time)
            .own_or_empty(self.threshold)
            .own_or_empty(self.max_active_time);
    }
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
