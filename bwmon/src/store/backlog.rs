//! Checkpoints that are not durable yet.
//!
//! While the disk is full, a checkpoint joins them each minute, so they are merged as they come:
//! what waits is bounded by what there is to tell, not by the time it waits.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    mem,
};

use super::records::Checkpoint;

/// To be written in this order, in one transaction.
///
/// Several only because of devices that were renamed in between: what a rename means depends on
/// what was written before it, and on what comes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog(Vec<Checkpoint>);

impl Backlog {
    /// Adds one that is newer than all the others.
    pub(super) fn push(&mut self, newer: Checkpoint) {
        match self.0.last_mut() {
            Some(last) if last.renamed.is_empty() && newer.renamed.is_empty() => {
                absorb(last, newer);
            }
            Some(last) => {
                last.tables.clear();
                self.0.push(newer);
            }
            None => self.0.push(newer),
        }
    }

    /// Puts back what was taken out earlier, before what came since.
    pub(super) fn put_back(&mut self, earlier: Self) {
        for newer in mem::replace(self, earlier).0 {
            self.push(newer);
        }
    }

    /// Takes all of them; `None` if there are none.
    pub(super) fn take(&mut self) -> Option<Self> {
        (!self.0.is_empty()).then(|| mem::take(self))
    }

    /// The oldest first.
    pub(super) fn steps(&self) -> &[Checkpoint] {
        &self.0
    }
}

/// Makes `older` what both are when written one after the other.
fn absorb(older: &mut Checkpoint, newer: Checkpoint) {
    // Neither renames anything.
    let Checkpoint {
        at,
        renamed: _,
        devices,
        usage,
        alerts,
        lifecycle,
        tables,
        addresses,
    } = newer;
    older.at = at;
    replace(&mut older.devices, devices, |device| device.id.clone());
    replace(&mut older.usage, usage, |usage| {
        (usage.device.clone(), usage.day)
    });
    replace(&mut older.alerts, alerts, |alert| alert.id.clone());
    replace(&mut older.addresses, addresses, |address| address.address);
    older.lifecycle = lifecycle.or(older.lifecycle.take());
    older.tables = tables;
}

fn replace<T, K: Eq + Hash>(older: &mut Vec<T>, newer: Vec<T>, key: impl Fn(&T) -> K) {
    let places = older.iter().enumerate();
    let mut places: HashMap<K, usize> =
        places.map(|(place, record)| (key(record), place)).collect();
    for record in newer {
        match places.entry(key(&record)) {
            Entry::Occupied(place) => older[*place.get()] = record,
            Entry::Vacant(place) => {
                place.insert(older.len());
                older.push(record);
            }
        }
    }
}
