//! What of the ledger is to be written down.

use super::*;
use crate::core::history::{Minute, Moved};

/// What changed since the last time it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Ids of devices that turned out to be others: old, new.
    pub renamed: Vec<(String, String)>,
    /// Devices.
    pub devices: Vec<SavedDevice>,
    /// What devices used on a day.
    pub usage: Vec<(String, DayUsage)>,
    /// Days under which what devices used is not kept any more: it is in `usage` under another.
    pub undated: Vec<(String, Date)>,
    /// Addresses.
    pub addresses: Vec<SavedAddress>,
    /// What else is remembered.
    pub memory: Vec<Memory>,
    /// What moved, to be added to what is kept of the same minute.
    pub history: Vec<SavedHistory>,
}

/// What a subject moved in a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedHistory {
    /// The id of a device, or what [`interface_id`](crate::core::history::interface_id) makes of an interface's name, or
    /// [`OTHERS`](crate::core::history::OTHERS).
    pub subject: Arc<str>,
    /// What it is called now; `None` where that is not known any more, or is nothing but the id.
    pub name: Option<String>,
    /// The group that the owner put it in.
    pub group: Option<String>,
    /// When.
    pub minute: Minute,
    /// What.
    pub moved: Moved,
}

impl Ledger {
    /// What changed since the last call.
    pub fn take_changes(&mut self, occasion: Occasion) -> Changes {
        if occasion == Occasion::Anew {
            self.unsave();
        }
        let mut changes = Changes {
            memory: self.take_memory(occasion),
            history: self.take_history(),
            renamed: std::mem::take(&mut self.renamed),
            usage: std::mem::take(&mut self.finished),
            undated: std::mem::take(&mut self.undated),
            ..Changes::default()
        };
        for device in self.devices.values_mut() {
            if !std::mem::take(&mut device.is_unsaved) {
                continue;
            }
            let (Some(first_seen), Some(last_seen)) = (device.first_seen, device.last_seen) else {
                continue;
            };
            let usage = device.activity.usage;
            // A day on which nothing was used takes the place of none that is written.
            if usage.sent + usage.received > 0 {
                changes.usage.push((device.id.clone(), usage));
            }
            changes.devices.push(SavedDevice {
                id: device.id.clone(),
                mac: device.mac,
                addresses: device.addresses.clone(),
                first_seen,
                last_seen,
            });
        }
        for (address, entry) in &mut self.addresses {
            if std::mem::take(&mut entry.is_unsaved) {
                changes.addresses.push(SavedAddress {
                    address: *address,
                    mac: self.identity.mac(*address),
                    device: entry.device.clone().unwrap_or_else(|| address.to_string()),
                    total: entry.total,
                    first_seen: entry.first_seen,
                    last_seen: entry.last_seen,
                });
            }
        }
        changes
    }

    fn unsave(&mut self) {
        for device in self.devices.values_mut() {
            device.is_unsaved = true;
        }
        for total in self.totals.iter_mut() {
            total.is_unsaved = true;
        }
        for entry in self.addresses.values_mut() {
            entry.is_unsaved = true;
        }
    }

    fn take_history(&mut self) -> Vec<SavedHistory> {
        let devices = &self.devices;
        let moved = self.history.take().into_iter();
        moved
            .map(|(minute, subject, moved)| {
                let device = devices.get(&*subject);
                SavedHistory {
                    name: device.map(Device::name).filter(|name| *name != *subject),
                    group: device.and_then(Device::group).map(str::to_owned),
                    subject,
                    minute,
                    moved,
                }
            })
            .collect()
    }
}
