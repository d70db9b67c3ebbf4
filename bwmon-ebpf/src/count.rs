//! Adds a packet to the counter table.

use aya_ebpf::{EbpfContext, helpers::bpf_get_smp_processor_id};
use bwmon_common::{
    layout::{Address, Counter, SLOT_NON_IP},
    networks::Place,
    parse::{Addresses, Frame, Header, is_group_v4, is_group_v6},
};

use crate::{
    maps::{COUNTERS, ETHERNET, SLOTS_PER_CPU},
    slot,
};

/// Which way a packet goes, seen from the device.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    /// In on our interface: the source is the device.
    Sent,
    /// Out on our interface: the destination is the device.
    Received,
}

/// What a packet was on the wire.
#[derive(Clone, Copy)]
pub(crate) struct WireSize {
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
}

/// All that is to be known of a packet to count it.
pub(crate) struct Packet<F> {
    pub(crate) frame: F,
    pub(crate) header: Header,
    pub(crate) size: WireSize,
}

/// The outermost IP header, by what frames on this interface start with.
#[inline(always)]
pub(crate) fn header(frame: &impl Frame) -> Header {
    match ETHERNET.load() {
        0 => Header::at_start(frame),
        _ => Header::after_ethernet(frame),
    }
}

/// Adds the packet to this CPU's row of the slot it belongs to.
#[inline(always)]
pub(crate) fn add(context: &impl EbpfContext, packet: Packet<impl Frame>, direction: Direction) {
    // SAFETY: a helper without arguments.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let (slot, is_local) = match packet.header.addresses(&packet.frame) {
        None => (SLOT_NON_IP, false),
        Some(addresses) => place(context, cpu, addresses, direction),
    };
    let Some(row) = COUNTERS.get_ptr_mut(cpu * SLOTS_PER_CPU.load() + slot) else {
        // Only if a slot were beyond the table, which user space never hands out.
        return;
    };
    // SAFETY: the map's own memory, of a row that only this CPU writes; a hook runs with bottom
    // halves off, so nothing on this CPU comes between.
    let row = unsafe { &mut *row };
    let (all, local) = match direction {
        Direction::Sent => (&mut row.sent, &mut row.sent_local),
        Direction::Received => (&mut row.received, &mut row.received_local),
    };
    grow(all, packet.size);
    if is_local {
        grow(local, packet.size);
    }
}

/// The slot of the packet's device, and whether the packet stays in the local networks.
#[inline(always)]
fn place(
    context: &impl EbpfContext,
    cpu: u32,
    addresses: Addresses,
    direction: Direction,
) -> (u32, bool) {
    let Some(networks) = slot::networks() else {
        return (SLOT_NON_IP, false);
    };
    let hashed = |address| slot::of(context, cpu, address, networks.generation);
    match addresses {
        Addresses::V4 {
            source,
            destination,
        } => {
            let (device, peer) = ends(direction, source, destination);
            let found = networks.find_v4(device);
            let is_local = is_group_v4(destination) || found.is_local && networks.is_local_v4(peer);
            match found.place {
                Place::Slot(slot) => (slot, is_local),
                Place::Hashed => (hashed(Address::from_v4(device)), is_local),
            }
        }
        Addresses::V6 {
            source,
            destination,
        } => {
            let (device, peer) = ends(direction, source, destination);
            let found = networks.find_v6(device);
            let is_local = is_group_v6(destination) || found.is_local && networks.is_local_v6(peer);
            match found.place {
                Place::Slot(slot) => (slot, is_local),
                Place::Hashed => (hashed(device), is_local),
            }
        }
    }
}

/// The device's end and the other one.
#[inline(always)]
fn ends<T>(direction: Direction, source: T, destination: T) -> (T, T) {
    match direction {
        Direction::Sent => (source, destination),
        Direction::Received => (destination, source),
    }
}

#[inline(always)]
fn grow(counter: &mut Counter, size: WireSize) {
    counter.bytes += size.bytes;
    counter.packets += size.packets;
}
