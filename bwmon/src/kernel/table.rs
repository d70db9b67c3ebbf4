//! The counter table and what belongs to it: read through mmap, changed through the maps.
//!
//! User space never writes a counter. They only grow, and a slot that changes hands goes on from
//! where it was: whoever reads takes differences.

use std::{
    net::{IpAddr, Ipv6Addr},
    os::fd::{AsFd, AsRawFd},
};

use aya::{
    Ebpf, Pod,
    maps::{Array, HashMap, Map, MapData, MapError, Queue},
};
use bwmon_common::{
    layout::{Address, Row},
    names,
    networks::Networks,
};
use memmap2::{MmapOptions, MmapRaw};

use super::object::LoadError;

/// The size of a table: slots for each CPU, the first `hash_base` of them found by arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Possible CPUs.
    pub cpus: u32,
    /// Slots for each CPU.
    pub slots: u32,
    /// The first slot found through the hash.
    pub hash_base: u32,
}

impl Shape {
    /// Slots found through the hash.
    pub fn hashed(&self) -> u32 {
        self.slots - self.hash_base
    }
}

/// A map can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} map {map}: {source}")]
pub struct TableError {
    action: &'static str,
    map: &'static str,
    source: MapError,
}

/// The maps of one interface.
pub struct Table {
    shape: Shape,
    counters: Mapped<Row>,
    addresses: Mapped<Address>,
    slots: HashMap<MapData, Address, u32>,
    free: Queue<MapData, u32>,
    networks: Array<MapData, Networks>,
    active: Array<MapData, u32>,
    /// The id of the counter map.
    identity: u32,
}

impl Table {
    /// Takes the maps out of the object and fills the free queue if they are new.
    pub(super) fn new(ebpf: &mut Ebpf, shape: Shape, is_new: bool) -> Result<Self, LoadError> {
        let identity = identity(ebpf)?;
        let mut table = Self {
            shape,
            counters: Mapped::new(ebpf, names::MAP_COUNTERS, shape.slots * shape.cpus)?,
            addresses: Mapped::new(ebpf, names::MAP_ADDRESSES, shape.hashed())?,
            slots: convert(ebpf, names::MAP_SLOTS)?,
            free: convert(ebpf, names::MAP_FREE)?,
            networks: convert(ebpf, names::MAP_NETWORKS)?,
            active: convert(ebpf, names::MAP_ACTIVE)?,
            identity,
        };
        if is_new {
            for slot in shape.hash_base..shape.slots {
                table.free.push(slot, 0).map_err(|source| LoadError::Map {
                    map: names::MAP_FREE,
                    source,
                })?;
            }
        }
        Ok(table)
    }

    /// Its size.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Differs for every table that was ever made since the machine started.
    pub fn identity(&self) -> u32 {
        self.identity
    }

    /// Sums each slot over the CPUs into `rows`, without a system call.
    ///
    /// Bytes and packets of a row may be a packet apart. On a 32-bit CPU a counter read while it is
    /// written can be wrong by 2^32 once, which [`crate::core::meter`] sees and waits out.
    pub fn read(&self, rows: &mut Vec<Row>) {
        rows.clear();
        rows.extend((0..self.shape.slots).map(|slot| self.counters.get(slot)));
        for cpu in 1..self.shape.cpus {
            let first = cpu * self.shape.slots;
            for (sum, slot) in rows.iter_mut().zip(0..) {
                let row = self.counters.get(first + slot);
                *sum = crate::core::meter::plus(*sum, row);
            }
        }
    }

    /// Who has a slot that is found through the hash. One system call, to be sure that the address
    /// read through the mmap is whole and the slot really its.
    pub fn owner(&self, slot: u32) -> Option<IpAddr> {
        let address = self.addresses.get(slot.checked_sub(self.shape.hash_base)?);
        (self.slots.get(&address, 0).ok()? == slot).then(|| to_ip(address))
    }

    /// Gives an address a slot before its first packet. `None`: none is free, or it has one.
    pub fn assign(&mut self, ip: IpAddr) -> Result<Option<u32>, TableError> {
        let address = from_ip(ip);
        if self.slots.get(&address, 0).is_ok() {
            return Ok(None);
        }
        let Ok(slot) = self.free.pop(0) else {
            return Ok(None);
        };
        let inserted = self
            .addresses_set(slot, address)
            .and_then(|()| self.slots.insert(address, slot, NO_EXIST));
        match inserted {
            Ok(()) => Ok(Some(slot)),
            // A packet was faster, or the hash is full: the slot goes back.
            Err(_) => self.release(slot).map(|()| None),
        }
    }

    /// Takes an address out of the hash. Its slot still counts what is under way, and what the
    /// caches send there until [`Self::configure`] raises the generation.
    pub fn forget(&mut self, ip: IpAddr) -> Result<(), TableError> {
        match self.slots.remove(&from_ip(ip)) {
            Ok(()) | Err(MapError::KeyNotFound) => Ok(()),
            Err(source) => Err(TableError {
                action: "delete from",
                map: names::MAP_SLOTS,
                source,
            }),
        }
    }

    /// Returns a slot to the free ones, once no packet can count there any more.
    pub fn release(&mut self, slot: u32) -> Result<(), TableError> {
        self.free.push(slot, 0).map_err(|source| TableError {
            action: "push to",
            map: names::MAP_FREE,
            source,
        })
    }

    /// The configuration in force.
    pub fn networks(&self) -> Result<Networks, TableError> {
        let active = self.active_index()?;
        self.networks.get(&active, 0).map_err(|source| TableError {
            action: "read",
            map: names::MAP_NETWORKS,
            source,
        })
    }

    /// Puts a configuration in force: writes the idle row, then flips the index. The generation is
    /// raised, which empties every cache. No packet sees half of it, as long as two changes are more
    /// than one packet's time apart.
    pub fn configure(&mut self, networks: &Networks) -> Result<(), TableError> {
        let active = self.active_index()?;
        let generation = self.networks()?.generation.wrapping_add(1).max(1);
        let idle = 1 - active;
        self.networks
            .set(
                idle,
                Networks {
                    generation,
                    ..*networks
                },
                0,
            )
            .map_err(|source| TableError {
                action: "write",
                map: names::MAP_NETWORKS,
                source,
            })?;
        self.active.set(0, idle, 0).map_err(|source| TableError {
            action: "write",
            map: names::MAP_ACTIVE,
            source,
        })
    }

    fn active_index(&self) -> Result<u32, TableError> {
        self.active
            .get(&0, 0)
            .map(|index| index & 1)
            .map_err(|source| TableError {
                action: "read",
                map: names::MAP_ACTIVE,
                source,
            })
    }

    fn addresses_set(&mut self, slot: u32, address: Address) -> Result<(), MapError> {
        self.addresses.set(slot - self.shape.hash_base, address)
    }
}

/// `BPF_NOEXIST`
const NO_EXIST: u64 = 1;

/// An array map, mapped read-only.
struct Mapped<T: Pod> {
    memory: MmapRaw,
    map: Array<MapData, T>,
    len: u32,
}

impl<T: Pod> Mapped<T> {
    fn new(ebpf: &mut Ebpf, name: &'static str, len: u32) -> Result<Self, LoadError> {
        let Map::Array(data) = take(ebpf, name)? else {
            return Err(LoadError::Missing(name));
        };
        let memory = MmapOptions::new()
            .len(len as usize * size_of::<T>())
            .map_raw_read_only(data.fd().as_fd().as_raw_fd())
            .map_err(|source| LoadError::Mmap { map: name, source })?;
        let map = Map::Array(data)
            .try_into()
            .map_err(|source| LoadError::Map { map: name, source })?;
        Ok(Self { memory, map, len })
    }

    /// Reads an element that the kernel half may be writing.
    fn get(&self, index: u32) -> T {
        debug_assert!(index < self.len, "an index beyond the map");
        let index = index.min(self.len - 1) as usize;
        let element = self.memory.as_ptr().cast::<T>().wrapping_add(index);
        // SAFETY: in bounds of the mapping; any bytes are a `T: Pod`; volatile, since the kernel
        // writes it.
        unsafe { element.read_volatile() }
    }

    fn set(&mut self, index: u32, value: T) -> Result<(), MapError> {
        self.map.set(index, value, 0)
    }
}

/// The id of the counter map: the kernel never gives one twice.
fn identity(ebpf: &Ebpf) -> Result<u32, LoadError> {
    let name = names::MAP_COUNTERS;
    match ebpf.map(name) {
        Some(Map::Array(data)) => data
            .info()
            .map(|info| info.id())
            .map_err(|source| LoadError::Map { map: name, source }),
        _ => Err(LoadError::Missing(name)),
    }
}

fn convert<M: TryFrom<Map, Error = MapError>>(
    ebpf: &mut Ebpf,
    name: &'static str,
) -> Result<M, LoadError> {
    take(ebpf, name)?
        .try_into()
        .map_err(|source| LoadError::Map { map: name, source })
}

fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, LoadError> {
    ebpf.take_map(name).ok_or(LoadError::Missing(name))
}

/// As the kernel half has it: IPv4 is mapped into IPv6.
fn from_ip(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(ip) => Address::from_octets(ip.to_ipv6_mapped().octets()),
        IpAddr::V6(ip) => Address::from_octets(ip.octets()),
    }
}

fn to_ip(address: Address) -> IpAddr {
    Ipv6Addr::from(address.octets()).to_canonical()
}
