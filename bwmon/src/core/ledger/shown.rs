//! How readers see the ledger.

use super::*;

impl Ledger {
    /// Every address, in order.
    pub fn address_views(&mut self) -> Arc<[Arc<AddressView>]> {
        let Self {
            addresses,
            identity,
            zone,
            views,
            ..
        } = self;
        views.addresses.list(|| {
            addresses
                .iter_mut()
                .map(|(address, entry)| entry.view(*address, identity.mac(*address), zone))
                .collect()
        })
    }

    /// Every device with traffic, and every registered one.
    pub fn device_views(&mut self) -> Arc<[Arc<DeviceView>]> {
        let Self {
            devices,
            alerts,
            zone,
            views,
            ..
        } = self;
        views.devices.list(|| {
            devices
                .values_mut()
                .map(|device| {
                    let id = device.id.clone();
                    device.view(alerts.open_of(&id).map(|alert| alert.id.clone()), zone)
                })
                .collect()
        })
    }

    /// Groups and interfaces that have rules as a whole.
    pub fn total_views(&self) -> Vec<TotalView> {
        self.totals.views()
    }

    /// Open alerts and the latest closed ones, newest first.
    pub fn alert_views(&mut self) -> Arc<[Arc<AlertView>]> {
        let Self {
            alerts,
            zone,
            views,
            ..
        } = self;
        let Views {
            alerts: shown,
            closed_alerts,
            ..
        } = views;
        let before = shown.last().cloned().unwrap_or_default();
        shown.list(|| {
            let closed = closed_alerts.get_or_insert_with(|| {
                alerts
                    .closed()
                    .map(|alert| Arc::new(message::view(alert, zone)))
                    .collect()
            });
            let before: HashMap<&str, _> = before.iter().map(|view| (&*view.id, view)).collect();
            let mut open: Vec<_> = alerts.open().collect();
            open.sort_by_key(|alert| std::cmp::Reverse(alert.started_at));
            open.into_iter()
                .map(|alert| {
                    let new = message::view(alert, zone);
                    match before.get(&*new.id) {
                        Some(same) if ***same == new => Arc::clone(same),
                        _ => Arc::new(new),
                    }
                })
                .chain(closed.iter().cloned())
                .collect()
        })
    }
}

impl AddressEntry {
    fn view(&mut self, address: IpAddr, mac: Option<MacAddr>, zone: &TimeZone) -> Arc<AddressView> {
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = self.total;
        self.view.now(|| AddressView {
            address,
            mac,
            device: self.device.clone().unwrap_or_else(|| address.to_string()),
            sent_bytes: sent.bytes,
            sent_packets: sent.packets,
            received_bytes: received.bytes,
            received_packets: received.packets,
            sent_local_bytes: sent_local.bytes,
            sent_local_packets: sent_local.packets,
            received_local_bytes: received_local.bytes,
            received_local_packets: received_local.packets,
            sent_rate: self.rates.sent as u64,
            received_rate: self.rates.received as u64,
            first_seen: rfc3339(self.first_seen, zone),
            last_seen: rfc3339(self.last_seen, zone),
        })
    }
}
