//! Lists as tables: which columns they have. A column that is added goes to the end.

use super::csv::{Record, Row};
use crate::core::view::{AddressView, DeviceView};

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
    ];

    fn write(&self, row: &mut Row) {
        let (today, thresholds) = (&self.today, &self.thresholds);
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
            .own(self.muted);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::http::fixture;

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
    }
}
