//! `GET /metrics`: what is counted, and how bwmon does, for Prometheus and its relatives.
//!
//! How many devices have metrics of their own is bounded: whoever invents addresses fills no
//! database of metrics.

mod text;

use std::{cmp::Reverse, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use self::text::{Exposition, Format, Kind};
use super::App;
use crate::core::{
    event::RuleKind,
    view::{DeviceView, MovedView, Snapshot, StoreState},
};

/// The label of devices that have no metrics of their own.
const OTHER: &str = "other";

const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics in the text format of Prometheus, or OpenMetrics where that is asked for.
#[utoipa::path(
    get, path = "/metrics", tag = "service",
    responses((
        status = 200,
        content((String = "text/plain"), (String = "application/openmetrics-text")),
        description = "Every metric; the names stay.",
    )),
)]
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let format = wanted(&headers);
    let most = *app.facts.max_metrics.borrow();
    let text = write(&app.snapshot(), &app.facts.version, most, format);
    let kind = match format {
        Format::Prometheus => PROMETHEUS,
        Format::OpenMetrics => OPEN_METRICS,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (headers, text).into_response()
}

/// Who can read OpenMetrics says so.
fn wanted(headers: &HeaderMap) -> Format {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    let names_it = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default();
        value
            .split(',')
            .any(|kind| kind.trim().starts_with("application/openmetrics-text"))
    };
    match accepted.any(names_it) {
        true => Format::OpenMetrics,
        false => Format::Prometheus,
    }
}

fn write(snapshot: &Snapshot, version: &str, most: usize, format: Format) -> String {
    let mut out = Exposition::new(format);
    let name = "bwmon_build_info";
    out.metric(name, Kind::Info, "The version that runs.");
    out.sample(name, &[("version", version)], 1);
    write_devices(&mut out, &snapshot.devices, most);
    write_interfaces(&mut out, snapshot);
    write_alerts(&mut out, snapshot);
    write_loop(&mut out, snapshot);
    write_store(&mut out, snapshot);
    out.finish()
}

fn write_devices(out: &mut Exposition, devices: &[Arc<DeviceView>], most: usize) {
    let (shown, rest) = choose(devices, most);
    let rest: Option<MovedView> = (!rest.is_empty()).then(|| {
        let all = rest.iter().map(|device| device.since_start);
        all.fold(MovedView::default(), MovedView::plus)
    });
    let own = shown
        .iter()
        .map(|device| (device.id.as_str(), device.name.as_str(), device.since_start));
    let rest = rest.map(|moved| (OTHER, OTHER, moved));
    let moved: Vec<(&str, &str, MovedView)> = own.chain(rest).collect();
    let metric = "bwmon_device_sent_bytes_total";
    let help = "Bytes that a device sent since bwmon started.";
    out.metric(metric, Kind::Counter, help);
    for (id, name, moved) in &moved {
        write_scopes(out, metric, [id, name], moved.sent, moved.sent_local);
    }
    let metric = "bwmon_device_received_bytes_total";
    let help = "Bytes that a device received since bwmon started.";
    out.metric(metric, Kind::Counter, help);
    for (id, name, moved) in &moved {
        write_scopes(
            out,
            metric,
            [id, name],
            moved.received,
            moved.received_local,
        );
    }
    let metric = "bwmon_device_active";
    out.metric(metric, Kind::Gauge, "Whether a device moves something now.");
    for device in &shown {
        let is_active = device.sent_rate > 0 || device.received_rate > 0;
        let labels = [("device", device.id.as_str()), ("name", &device.name)];
        out.sample(metric, &labels, u8::from(is_active));
    }
}

fn write_scopes(out: &mut Exposition, metric: &str, [id, name]: [&str; 2], total: u64, local: u64) {
    for (scope, bytes) in [("internet", total.saturating_sub(local)), ("local", local)] {
        let labels = [("device", id), ("name", name), ("scope", scope)];
        out.sample(metric, &labels, bytes);
    }
}

/// Those that have metrics of their own: registered ones first, then those with a MAC, then whoever
/// was there first, so that newcomers push nobody out.
fn choose(devices: &[Arc<DeviceView>], most: usize) -> (Vec<&DeviceView>, Vec<&DeviceView>) {
    let mut all: Vec<&DeviceView> = devices.iter().map(|device| &**device).collect();
    if all.len() > most {
        all.sort_by_key(|device| {
            let is_seen = device.first_seen.is_some();
            (
                Reverse(device.registered),
                Reverse(device.mac.is_some()),
                !is_seen,
                &device.first_seen,
            )
        });
    }
    let rest = all.split_off(most.min(all.len()));
    (all, rest)
}

fn write_interfaces(out: &mut Exposition, snapshot: &Snapshot) {
    let interfaces = &snapshot.interfaces;
    let metric = "bwmon_interface_coverage_ratio";
    let help = "Packets counted by packets of the interface, since attach.";
    out.metric(metric, Kind::Gauge, help);
    for interface in interfaces {
        out.sample(
            metric,
            &[("interface", &interface.name)],
            interface.coverage,
        );
    }
    for (metric, help, value) in [
        (
            "bwmon_overflow_bytes_total",
            "Bytes of addresses that found no free slot.",
            (|interface| interface.overflow_bytes) as fn(&crate::core::view::InterfaceView) -> u64,
        ),
        (
            "bwmon_outside_bytes_total",
            "Bytes of addresses in no local network.",
            |interface| interface.outside_bytes,
        ),
        (
            "bwmon_non_ip_bytes_total",
            "Bytes of frames without a readable IP header.",
            |interface| interface.non_ip_bytes,
        ),
    ] {
        out.metric(metric, Kind::Counter, help);
        for interface in interfaces {
            out.sample(metric, &[("interface", &interface.name)], value(interface));
        }
    }
}

fn write_alerts(out: &mut Exposition, snapshot: &Snapshot) {
    let metric = "bwmon_alerts_firing";
    out.metric(metric, Kind::Gauge, "Alerts that fire.");
    for rule in RuleKind::ALL {
        let firing = snapshot.firing().filter(|alert| alert.rule == rule);
        out.sample(metric, &[("rule", rule.as_str())], firing.count());
    }
    let metric = "bwmon_events_total";
    let help = "Events since bwmon started: delivered, given up, or shed for want of room; and failed tries.";
    out.metric(metric, Kind::Counter, help);
    for channel in &snapshot.channels {
        for (result, count) in [
            ("delivered", channel.delivered),
            ("failed", channel.failed),
            ("given_up", channel.given_up),
            ("shed", channel.shed),
        ] {
            let labels = [("channel", channel.name.as_str()), ("result", result)];
            out.sample(metric, &labels, count);
        }
    }
    let metric = "bwmon_outbox_events";
    out.metric(metric, Kind::Gauge, "Events that wait for a channel.");
    let waiting: usize = snapshot
        .channels
        .iter()
        .map(|channel| channel.waiting)
        .sum();
    out.sample(metric, &[], waiting);
}

fn write_loop(out: &mut Exposition, snapshot: &Snapshot) {
    let metric = "bwmon_addresses";
    out.metric(metric, Kind::Gauge, "Addresses that are remembered.");
    out.sample(metric, &[], snapshot.addresses.len());
    let metric = "bwmon_poll_duration_seconds";
    let help = "How long a sample took, from the table to the snapshot.";
    out.metric(metric, Kind::Histogram, help);
    let durations = &snapshot.status.poll.durations;
    let bucket = format!("{metric}_bucket");
    for (limit, count) in durations.buckets() {
        out.sample(&bucket, &[("le", &limit)], count);
    }
    out.sample(&format!("{metric}_sum"), &[], durations.sum_seconds());
    out.sample(&format!("{metric}_count"), &[], durations.count());
}

fn write_store(out: &mut Exposition, snapshot: &Snapshot) {
    let store = &snapshot.status.store;
    let metric = "bwmon_store_up";
    let help = "Whether the database can be written; if not, everything waits in memory.";
    out.metric(metric, Kind::Gauge, help);
    out.sample(metric, &[], u8::from(store.state == StoreState::Ok));
    let metric = "bwmon_store_waiting_records";
    let help = "Records in memory that are not in the database yet.";
    out.metric(metric, Kind::Gauge, help);
    out.sample(metric, &[], store.waiting_records);
    let metric = "bwmon_store_size_bytes";
    out.metric(
        metric,
        Kind::Gauge,
        "The database and its log, as of the last write.",
    );
    out.sample(metric, &[], store.database_bytes);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
