//! Lists as tables: which columns they have. A column that is added goes to the end.

use super::csv::{Record, Row};
use crate::{
    core::{
        policy::Scope,
        view::{AddressView, DeviceView},
    },
    past::{self, Amounts, Point},
};

impl Record for AddressView {
    const COLUMNS: &'static [&'static str] = &[
        "address",
        "mac",
        "device",
        "sent_bytes",
        "sent_packets",
        "received_bytes",
        "received_packets",
        "sent_local_bytes",
        "sent_local_packets",
        "received_local_bytes",
        "received_local_packets",
        "sent_rate",
        "received_rate",
        "first_seen",
        "last_seen",
    ];

    fn write(&self, row: &mut Row) {
        row.own(self.address)
            .own_or_empty(self.mac)
            .own(&self.device)
            .own(self.sent_bytes)
            .own(self.sent_packets)
            .own(self.received_bytes)
            .own(self.received_packets)
            .own(self.sent_local_bytes)
            .own(self.sent_local_packets)
            .own(self.received_local_bytes)
            .own(self.received_local_packets)
            .own(self.sent_rate)
            .own(self.received_rate)
            .own(&self.first_seen)
            .own(&self.last_seen);
    }
}

impl Record for DeviceView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "mac",
        "vendor",
        "addresses",
        "registered",
        "group",
        "sent_rate",
        "received_rate",
        "today_sent",
        "today_received",
        "today_sent_local",
        "today_received_local",
        "today_active_seconds",
        "cycle_from",
        "cycle_until",
        "cycle_sent",
        "cycle_received",
        "cycle_sent_local",
        "cycle_received_local",
        "cycle_quota",
        "thresholds_bandwidth_threshold",
        "thresholds_max_active_time",
        "thresholds_rate_threshold",
        "thresholds_quota",
        "thresholds_silent_after",
        "thresholds_surge",
        "alerts",
        "first_seen",
        "last_seen",
        "name_source",
        "private_mac",
        "muted",
        "cycle_direction",
        "cycle_scope",
        "since_start_sent",
        "since_start_received",
        "since_start_sent_local",
        "since_start_received_local",
        "sent_local_rate",
        "received_local_rate",
    ];

    fn write(&self, row: &mut Row) {
        let (today, since_start) = (&self.today, &self.since_start);
        let thresholds = &self.thresholds;
        let cycle = self.cycle.as_ref();
        row.text(&self.id)
            .text(&self.name)
            .own_or_empty(self.mac)
            .text_or_empty(self.vendor.as_deref())
            .own_list(&self.addresses)
            .own(self.registered)
            .text_or_empty(self.group.as_deref())
            .own(self.sent_rate)
            .own(self.received_rate)
            .own(today.sent)
            .own(today.received)
            .own(today.sent_local)
            .own(today.received_local)
            .own(today.active_seconds)
            .own_or_empty(cycle.map(|cycle| &cycle.from))
            .own_or_empty(cycle.map(|cycle| &cycle.until))
            .own_or_empty(cycle.map(|cycle| cycle.sent))
            .own_or_empty(cycle.map(|cycle| cycle.received))
            .own_or_empty(cycle.map(|cycle| cycle.sent_local))
            .own_or_empty(cycle.map(|cycle| cycle.received_local))
            .own_or_empty(cycle.and_then(|cycle| cycle.quota))
            .own_or_empty(thresholds.bandwidth_threshold)
            .own_or_empty(thresholds.max_active_time)
            .own_or_empty(thresholds.rate_threshold)
            .own_or_empty(thresholds.quota)
            .own_or_empty(thresholds.silent_after)
            .own(thresholds.surge)
            .own_list(&self.alerts)
            .own_or_empty(self.first_seen.as_ref())
            .own_or_empty(self.last_seen.as_ref())
            .own(self.name_source.as_str())
            .own(self.private_mac)
            .own(self.muted)
            .own_or_empty(cycle.map(|cycle| cycle.direction.as_str()))
            .own_or_empty(cycle.and_then(|cycle| cycle.scope).map(Scope::as_str))
            .own(since_start.sent)
            .own(since_start.received)
            .own(since_start.sent_local)
            .own(since_start.received_local)
            .own(self.sent_local_rate)
            .own(self.received_local_rate);
    }
}

impl Record for Point {
    const COLUMNS: &'static [&'static str] = &[
        "at",
        "seconds",
        "sent",
        "received",
        "sent_local",
        "received_local",
        "sent_packets",
        "received_packets",
        "sent_local_packets",
        "received_local_packets",
        "peak_sent_rate",
        "peak_received_rate",
    ];

    fn write(&self, row: &mut Row) {
        row.own(&self.at).own(self.seconds);
        amounts(&self.amounts, row);
    }
}

impl Record for past::Row {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "name",
        "group",
        "sent",
        "received",
        "sent_local",
        "received_local",
        "sent_packets",
        "received_packets",
        "sent_local_packets",
        "received_local_packets",
        "peak_sent_rate",
        "peak_received_rate",
        "p95_sent_rate",
        "p95_received_rate",
        "total",
        "share",
        "cycle_from",
        "cycle_until",
        "cycle_used",
        "cycle_quota",
        "cycle_forecast_bytes",
        "cycle_forecast_low",
        "cycle_forecast_high",
        "cycle_forecast_method",
        "cycle_forecast_days",
    ];

    fn write(&self, row: &mut Row) {
        let cycle = self.cycle.as_ref();
        let forecast = cycle.and_then(|cycle| cycle.forecast.as_ref());
        row.text(&self.id)
            .text(&self.name)
            .text_or_empty(self.group.as_deref());
        amounts(&self.amounts, row);
        row.own_or_empty(self.p95_sent_rate)
            .own_or_empty(self.p95_received_rate)
            .own(self.total)
            .own(self.share)
            .own_or_empty(cycle.map(|cycle| &cycle.from))
            .own_or_empty(cycle.map(|cycle| &cycle.until))
            .own_or_empty(cycle.map(|cycle| cycle.used))
            .own_or_empty(cycle.and_then(|cycle| cycle.quota))
            .own_or_empty(forecast.map(|forecast| forecast.bytes))
            .own_or_empty(forecast.and_then(|forecast| forecast.low))
            .own_or_empty(forecast.and_then(|forecast| forecast.high))
            .own_or_empty(forecast.map(|forecast| forecast.method.as_str()))
            .own_or_empty(forecast.map(|forecast| forecast.days));
    }
}

fn amounts(amounts: &Amounts, row: &mut Row) {
    row.own(amounts.sent)
        .own(amounts.received)
        .own(amounts.sent_local)
        .own(amounts.received_local)
        .own(amounts.sent_packets)
        .own(amounts.received_packets)
        .own(amounts.sent_local_packets)
        .own(amounts.received_local_packets)
        .own_or_empty(amounts.peak_sent_rate)
        .own_or_empty(amounts.peak_received_rate);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{
        http::fixture,
        past::{CycleRow, ForecastView, Method},
    };

    /// The members of JSON, those of members with the names of both.
    fn members(prefix: &str, value: &Value, names: &mut Vec<String>) {
        let Value::Object(object) = value else {
            return names.push(prefix.to_owned());
        };
        for (name, value) in object {
            match prefix {
                "" => members(name, value, names),
                prefix => members(&format!("{prefix}_{name}"), value, names),
            }
        }
    }

    fn check<T: Record + serde::Serialize>(record: &T) {
        let mut names = Vec::new();
        members("", &serde_json::to_value(record).unwrap(), &mut names);
        names.sort();
        let mut columns = T::COLUMNS.to_vec();
        columns.sort_unstable();
        assert_eq!(columns, names);
        let mut row = Row::default();
        record.write(&mut row);
        assert_eq!(row.len(), T::COLUMNS.len());
    }

    #[test]
    fn a_table_has_a_column_for_each_member_and_a_cell_for_each_column() {
        check(&fixture::address("192.168.1.5"));
        let mut device = fixture::device("02:00:00:00:00:05", &["192.168.1.5"]);
        device.cycle = Some(Default::default());
        check(&device);
        device.cycle = None;
        let mut row = Row::default();
        device.write(&mut row);
        assert_eq!(row.len(), DeviceView::COLUMNS.len());
        check(&Point {
            at: "2026-03-08T14:00:00+01:00".to_owned(),
            seconds: 60.0,
            amounts: Amounts::default(),
        });
        let forecast = ForecastView {
            bytes: 3,
            low: Some(2),
            high: Some(4),
            method: Method::Weekday,
            days: 20,
        };
        let cycle = CycleRow {
            from: "2026-03-01".to_owned(),
            until: "2026-04-01".to_owned(),
            used: 1,
            quota: Some(5),
            forecast: Some(forecast),
        };
        check(&past::Row {
            cycle: Some(cycle),
            ..past::Row::default()
        });
    }
}
