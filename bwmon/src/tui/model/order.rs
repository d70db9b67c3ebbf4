//! Which devices are shown, and in which order.

use std::cmp::{Ordering, Reverse};

use super::{
    super::layout::Column,
    data::{Data, Device},
};

/// By what devices are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) struct Sort {
    pub(in crate::tui) column: Column,
    /// The other way round than is usual for the column.
    pub(in crate::tui) is_reversed: bool,
}

impl Default for Sort {
    /// The busiest first.
    fn default() -> Self {
        Self {
            column: Column::Minute,
            is_reversed: false,
        }
    }
}

impl Sort {
    /// Whether small values come first.
    pub(in crate::tui) fn is_ascending(self) -> bool {
        let is_text = matches!(self.column, Column::Name | Column::Address | Column::Vendor);
        is_text != self.is_reversed
    }
}

/// The places of those that the filter leaves, in order. Equals are in the order of what they used
/// today, then of their ids, so that no two lines change places for nothing.
pub(super) fn arranged(data: &Data, filter: &str, sort: Sort) -> Vec<usize> {
    let filter = filter.to_lowercase();
    let devices = data.devices.iter().enumerate();
    let mut order: Vec<usize> = devices
        .filter(|(_, device)| matches(device, &filter))
        .map(|(index, _)| index)
        .collect();
    let order_by = Order {
        devices: &data.devices,
        is_ascending: sort.is_ascending(),
    };
    match sort.column {
        Column::Mark => order_by.key(&mut order, |device| device.mark),
        Column::Name => order_by.key(&mut order, |device| device.view.name.to_lowercase()),
        Column::Address => order_by.key(&mut order, |device| {
            let first = device.view.addresses.first().copied();
            (first.is_none(), first)
        }),
        Column::Vendor => order_by.key(&mut order, |device| {
            let vendor = device.view.vendor.as_deref();
            (vendor.is_none(), vendor.map(str::to_lowercase))
        }),
        Column::Received => order_by.key(&mut order, |device| device.view.received_rate),
        Column::Sent => order_by.key(&mut order, |device| device.view.sent_rate),
        Column::Minute => order_by.key(&mut order, Device::rate),
        Column::Today => order_by.key(&mut order, Device::today),
        Column::Limit => order_by.key(&mut order, |device| share_of_limit(data, device)),
    }
    order
}

struct Order<'a> {
    devices: &'a [Device],
    is_ascending: bool,
}

impl Order<'_> {
    fn key<K: Ord>(&self, order: &mut [usize], key: impl Fn(&Device) -> K) {
        let keys = |index: &usize| {
            let device = &self.devices[*index];
            let key = Directed {
                key: key(device),
                is_ascending: self.is_ascending,
            };
            (key, Reverse(device.today()), *index)
        };
        order.sort_by_cached_key(keys);
    }
}

#[derive(PartialEq, Eq)]
struct Directed<K> {
    key: K,
    is_ascending: bool,
}

impl<K: Ord> Ord for Directed<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.key.cmp(&other.key);
        if self.is_ascending {
            order
        } else {
            order.reverse()
        }
    }
}

impl<K: Ord> PartialOrd for Directed<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In millionths; who has no limit is below everybody who has one.
fn share_of_limit(data: &Data, device: &Device) -> Option<u128> {
    let limit = device.view.thresholds.bandwidth_threshold?;
    let used = u128::from(data.counted_today(&device.view));
    Some(used * 1_000_000 / u128::from(limit.max(1)))
}

/// Whether something that a device is known by has the filter in it.
fn matches(device: &Device, filter: &str) -> bool {
    let view = &device.view;
    let has = |text: &str| text.to_lowercase().contains(filter);
    filter.is_empty()
        || has(&view.name)
        || has(&view.id)
        || view.group.as_deref().is_some_and(has)
        || view.vendor.as_deref().is_some_and(has)
        || view.mac.is_some_and(|mac| has(&mac.to_string()))
        || view
            .addresses
            .iter()
            .any(|address| has(&address.to_string()))
}
