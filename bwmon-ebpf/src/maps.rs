//! The maps and globals. Sizes are those of a small table; user space sets the real ones at load.

use aya_ebpf::{
    Global,
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, HashMap, Queue},
};
use bwmon_common::{
    layout::{Address, CacheRow, FIRST_ADDRESS_SLOT, Row},
    networks::Networks,
};

/// `cpu * SLOTS_PER_CPU + slot` → what that CPU counted there. Written by that CPU; read by user
/// space through an mmap.
#[map]
pub(crate) static COUNTERS: Array<Row> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// `slot - HASH_BASE` → the address that has the slot. Written here when a slot is taken, read by
/// user space through an mmap.
#[map]
pub(crate) static ADDRESSES: Array<Address> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// Address → its slot. Inserted here and by user space, deleted by user space only.
#[map]
pub(crate) static SLOTS: HashMap<Address, u32> = HashMap::with_max_entries(1, 0);

/// Slots that belong to nobody. Filled by user space, popped here.
#[map]
pub(crate) static FREE: Queue<u32> = Queue::with_max_entries(1, 0);

/// `cpu * CACHE_ROWS + mix(address)` → its slot, as of a generation. Used by that CPU only.
#[map]
pub(crate) static CACHE: Array<CacheRow> = Array::with_max_entries(1, 0);

/// Two configurations, of which `ACTIVE` says which is in force. Written by user space.
#[map]
pub(crate) static NETWORKS: Array<Networks> = Array::with_max_entries(2, 0);

/// One row: the index into `NETWORKS`. Written by user space.
#[map]
pub(crate) static ACTIVE: Array<u32> = Array::with_max_entries(1, 0);

/// Slots for each CPU in `COUNTERS`.
#[unsafe(no_mangle)]
pub(crate) static SLOTS_PER_CPU: Global<u32> = Global::new(FIRST_ADDRESS_SLOT);

/// The first slot that is found through `SLOTS`.
#[unsafe(no_mangle)]
pub(crate) static HASH_BASE: Global<u32> = Global::new(FIRST_ADDRESS_SLOT);

/// 1 when frames start with an Ethernet header, 0 when with the IP header.
#[unsafe(no_mangle)]
pub(crate) static ETHERNET: Global<u32> = Global::new(1);
