//! Finds the slot of an address that has none by arithmetic: cache, then hash, then a free one.

use aya_ebpf::{EbpfContext, bindings::BPF_NOEXIST};
use aya_log_ebpf::debug;
use bwmon_common::{
    layout::{Address, CACHE_ROWS, CacheRow, SLOT_OVERFLOW},
    networks::Networks,
};

use crate::maps::{ACTIVE, ADDRESSES, CACHE, FREE, HASH_BASE, NETWORKS, SLOTS};

/// The configuration in force.
#[inline(always)]
pub(crate) fn networks() -> Option<&'static Networks> {
    let active = ACTIVE.get(0)?;
    NETWORKS.get(*active & 1)
}

/// The slot of an address; [`SLOT_OVERFLOW`] when none is left for it.
#[inline(always)]
pub(crate) fn of<C: EbpfContext>(context: &C, cpu: u32, address: Address, generation: u32) -> u32 {
    let Some(row) = CACHE.get_ptr_mut(cpu * CACHE_ROWS + address.cache_row()) else {
        return SLOT_OVERFLOW;
    };
    // SAFETY: the map's own memory, of a row that only this CPU uses.
    let row = unsafe { &mut *row };
    if row.address == address && row.generation == generation {
        return row.slot;
    }
    // SAFETY: the value is copied before anything could delete it.
    let slot = match unsafe { SLOTS.get(address) } {
        Some(slot) => *slot,
        None => take(context, address),
    };
    if slot != SLOT_OVERFLOW {
        *row = CacheRow {
            address,
            slot,
            generation,
        };
    }
    slot
}

/// Takes a free slot for a new address.
#[inline(never)]
fn take<C: EbpfContext>(context: &C, address: Address) -> u32 {
    let Ok(Some(slot)) = FREE.pop() else {
        return SLOT_OVERFLOW;
    };
    if let Some(owner) = ADDRESSES.get_ptr_mut(slot.wrapping_sub(HASH_BASE.load())) {
        // SAFETY: the map's own memory; the slot is ours alone until it is in the hash.
        unsafe { *owner = address };
    }
    if SLOTS.insert(address, slot, u64::from(BPF_NOEXIST)).is_ok() {
        debug!(context, "slot {} taken", slot);
        return slot;
    }
    // Another CPU was first, or the hash has no element to spare; the slot goes back either way.
    if FREE.push(slot, 0).is_err() {
        debug!(context, "slot {} is lost", slot);
    }
    // SAFETY: the value is copied before anything could delete it.
    match unsafe { SLOTS.get(address) } {
        Some(slot) => *slot,
        None => SLOT_OVERFLOW,
    }
}
