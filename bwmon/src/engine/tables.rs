//! The tables of one watched interface: whose slots are whose, and what they counted.

use std::{collections::HashMap, net::IpAddr, path::Path};

use bwmon_common::layout::{FIRST_ADDRESS_SLOT, Row};
use jiff::Timestamp;

use super::watch::{LocalNetworks, SavedTable, Settings, WatchError};
use crate::{
    core::{
        meter::{Baseline, plus},
        slots::{self, Slots},
    },
    kernel::{Counting, Interface, LinkCounters, LoadError, Pins, Shape, TableError},
};

/// What exists from the first time that the interface was seen.
pub(super) struct Tables {
    pub(super) counting: Counting,
    pub(super) slots: Slots,
    pub(super) baseline: Baseline,
    pub(super) networks: LocalNetworks,
    pub(super) identity: String,
    /// Who has which slot of the hash.
    pub(super) owners: HashMap<u32, IpAddr>,
    retiring: Vec<Retiring>,
    reading: Vec<Row>,
    /// All that was counted since the tables were taken up.
    pub(super) total: Row,
    pub(super) reserved: [Row; FIRST_ADDRESS_SLOT as usize],
    /// Of that, what was not yet taken for what the interface carried.
    pub(super) unowned: Row,
    pub(super) since: AttachPoint,
    /// They were pinned by a run of which nothing is known.
    pub(super) is_stranger: bool,
}

/// Where the counters stood when the programs were attached.
#[derive(Clone, Copy, Default)]
pub(super) struct AttachPoint {
    pub(super) counted: Row,
    pub(super) interface: LinkCounters,
    pub(super) reserved: [Row; FIRST_ADDRESS_SLOT as usize],
}

/// A slot on its way back to the free ones.
struct Retiring {
    slot: u32,
    /// Readings that must pass until no packet can count there any more.
    readings_left: u8,
    /// When they had passed.
    settled: Option<Timestamp>,
}

/// Readings between taking an address out of the hash and giving its slot to another.
const QUARANTINE: u8 = 2;
/// Slots that are taken back at a time.
const RECLAIM_AT_ONCE: usize = 256;

impl Tables {
    pub(super) fn load(
        name: &str,
        interface: &Interface,
        networks: &LocalNetworks,
        settings: &Settings,
        saved: &mut Vec<SavedTable>,
    ) -> Result<Self, WatchError> {
        let hash_base = slots::hash_base(&networks.networks, &networks.hashed);
        let shape = Shape {
            cpus: settings.cpus,
            slots: hash_base + settings.max_addresses,
            hash_base,
        };
        let pins = settings
            .pin
            .as_deref()
            .map(|base| pins(base, name))
            .transpose()?;
        let counting = Counting::load(shape, interface.link_layer, pins)?;
        let shape = counting.table().shape();
        let identity = format!("{}/{}", settings.boot_id, counting.table().identity());
        let mut tables = Self {
            slots: Slots::new(shape.hash_base),
            baseline: Baseline::new(shape.slots as usize, []),
            networks: LocalNetworks::default(),
            identity,
            owners: HashMap::new(),
            retiring: Vec::new(),
            reading: Vec::new(),
            total: Row::default(),
            reserved: Default::default(),
            unowned: Row::default(),
            since: AttachPoint::default(),
            is_stranger: false,
            counting,
        };
        if tables.counting.is_resumed() {
            if shape.hashed() != settings.max_addresses {
                log::warn!(
                    "{name}: the pinned tables stay as they are, with max_addresses = {}; stop bwmon and \
                     remove their directory to change that",
                    shape.hashed()
                );
            }
            tables.resume(name, saved)?;
        }
        tables.configure(networks)?;
        Ok(tables)
    }

    /// Goes on from where an earlier run was, which is in its last checkpoint.
    fn resume(&mut self, name: &str, saved: &mut Vec<SavedTable>) -> Result<(), WatchError> {
        let in_force = self.counting.table().networks()?;
        self.slots = Slots::resume(self.counting.table().shape().hash_base, &in_force);
        let known = saved
            .iter()
            .position(|table| table.interface == name && table.identity == self.identity)
            // Only once: later it would be of the past.
            .map(|place| saved.swap_remove(place).rows);
        let rows = known.unwrap_or_else(|| {
            self.is_stranger = true;
            let mut reading = Vec::new();
            self.counting.table().read(&mut reading);
            (0..).zip(reading).collect()
        });
        let table = self.counting.table();
        let Shape {
            slots, hash_base, ..
        } = table.shape();
        self.baseline = Baseline::new(slots as usize, rows);
        self.owners = (hash_base..slots)
            .filter_map(|slot| Some((slot, table.owner(slot)?)))
            .collect();
        Ok(())
    }

    pub(super) fn configure(&mut self, networks: &LocalNetworks) -> Result<(), TableError> {
        let LocalNetworks {
            networks: local,
            hashed,
            count_all,
        } = networks;
        let wanted = self.slots.assign(local, hashed, *count_all);
        self.counting.table_mut().configure(&wanted)?;
        self.networks = networks.clone();
        Ok(())
    }

    pub(super) fn fold(&mut self, counted: &mut Vec<(IpAddr, Row)>) {
        let Self {
            counting,
            slots,
            baseline,
            owners,
            reading,
            total,
            reserved,
            unowned,
            ..
        } = self;
        let table = counting.table();
        table.read(reading);
        let mut unresolved = Vec::new();
        baseline.advance(reading, |slot, row| {
            let address = match slot {
                ..FIRST_ADDRESS_SLOT => {
                    let sum = &mut reserved[slot as usize];
                    *sum = plus(*sum, row);
                    *unowned = plus(*unowned, row);
                    *total = plus(*total, row);
                    return;
                }
                _ => slots
                    .address(slot)
                    .or_else(|| owners.get(&slot).copied())
                    .or_else(|| {
                        table.owner(slot).inspect(|owner| {
                            owners.insert(slot, *owner);
                        })
                    }),
            };
            match address {
                Some(address) => {
                    *total = plus(*total, row);
                    counted.push((address, row));
                }
                // Its owner is just being written: the next reading has it.
                None => unresolved.push((slot, row)),
            }
        });
        for (slot, row) in unresolved {
            baseline.undo(slot, row);
        }
        for retiring in &mut self.retiring {
            retiring.readings_left = retiring.readings_left.saturating_sub(1);
        }
        self.counting.flush_log();
    }

    pub(super) fn reclaim(
        &mut self,
        now: Timestamp,
        durable: Timestamp,
        is_idle: impl Fn(IpAddr) -> bool,
    ) -> Result<(), TableError> {
        let is_over = |retiring: &mut Retiring| {
            retiring.readings_left == 0 && *retiring.settled.get_or_insert(now) <= durable
        };
        for retiring in self.retiring.extract_if(.., is_over) {
            self.owners.remove(&retiring.slot);
            self.counting.table_mut().release(retiring.slot)?;
        }
        let capacity = self.counting.table().shape().hashed() as usize;
        // In quarters: what is used, and what to leave used.
        if self.owners.len() * 4 < capacity * 3 || !self.retiring.is_empty() {
            return Ok(());
        }
        let idle: Vec<(u32, IpAddr)> = self
            .owners
            .iter()
            .map(|(slot, address)| (*slot, *address))
            .filter(|(_, address)| is_idle(*address))
            .take(RECLAIM_AT_ONCE)
            .collect();
        if idle.is_empty() {
            return Ok(());
        }
        for (slot, address) in idle {
            self.counting.table_mut().forget(address)?;
            self.retiring.push(Retiring {
                slot,
                readings_left: QUARANTINE,
                settled: None,
            });
        }
        // A new generation, so that no cache remembers them.
        let networks = self.networks.clone();
        self.configure(&networks)
    }
}

fn pins(base: &Path, name: &str) -> Result<Pins, LoadError> {
    Pins::new(base, name).map_err(|source| LoadError::PinIo {
        directory: Pins::path(base, name),
        source,
    })
}
