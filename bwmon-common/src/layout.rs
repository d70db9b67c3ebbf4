//! Rows of the maps, shared across the kernel line.
//!
//! Every type is `repr(C)`, without padding, so that its bytes are the same on both sides. A change
//! here must raise [`LAYOUT_VERSION`], which is part of the path that tables are pinned under.

use core::mem::{align_of, offset_of, size_of};

/// Version of everything in this file and in [`crate::networks`].
pub const LAYOUT_VERSION: u32 = 1;

/// Slot of frames without a readable IP header.
pub const SLOT_NON_IP: u32 = 0;
/// Slot of addresses that are in no local network.
pub const SLOT_OUTSIDE: u32 = 1;
/// Slot of addresses for which no slot was left.
pub const SLOT_OVERFLOW: u32 = 2;
/// First slot that can belong to an address.
pub const FIRST_ADDRESS_SLOT: u32 = 3;

/// Rows of the address cache for each CPU; a power of two.
pub const CACHE_ROWS: u32 = 1 << CACHE_BITS;
const CACHE_BITS: u32 = 10;

/// Bytes and packets, both only growing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Layer-2 frame bytes without FCS.
    pub bytes: u64,
    /// Frames on the wire.
    pub packets: u64,
}

/// What one CPU counted for one slot: one cache line, written by that CPU only.
///
/// Directions are the device's: it sends what comes in on our interface. The local counters are
/// contained in the totals.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// All that the device sent.
    pub sent: Counter,
    /// All that the device received.
    pub received: Counter,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: Counter,
    /// The part of `received` that came from the local networks.
    pub received_local: Counter,
}

/// An IPv4 (as `::ffff:a.b.c.d`) or IPv6 address: 16 bytes in network order, held as two words so
/// that the kernel half moves and compares them as words, not byte by byte.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address([u64; 2]);

impl Address {
    /// From 16 bytes in network order.
    #[inline(always)]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = octets;
        Self([
            u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
            u64::from_ne_bytes([i, j, k, l, m, n, o, p]),
        ])
    }

    /// 16 bytes in network order.
    #[inline(always)]
    pub const fn octets(self) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h] = self.0[0].to_ne_bytes();
        let [i, j, k, l, m, n, o, p] = self.0[1].to_ne_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// The IPv4-mapped form of an IPv4 address in host order.
    #[inline(always)]
    pub const fn from_v4(address: u32) -> Self {
        Self::from_words([0, 0xffff_0000_0000 | address as u64])
    }

    /// The address as two words in host order, the more significant one first.
    #[inline(always)]
    pub const fn words(self) -> [u64; 2] {
        [u64::from_be(self.0[0]), u64::from_be(self.0[1])]
    }

    /// The address from two words in host order, the more significant one first.
    #[inline(always)]
    pub const fn from_words(words: [u64; 2]) -> Self {
        Self([words[0].to_be(), words[1].to_be()])
    }

    /// The bits that both have.
    #[inline(always)]
    pub const fn and(self, mask: Self) -> Self {
        Self([self.0[0] & mask.0[0], self.0[1] & mask.0[1]])
    }

    /// The row of the cache this address would be in.
    ///
    /// Multiplicative hashing (Knuth, TAOCP 3, 6.4) by 2^64 divided by the golden ratio.
    #[inline(always)]
    pub const fn cache_row(self) -> u32 {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        let [high, low] = self.0;
        ((high.rotate_left(32) ^ low).wrapping_mul(GOLDEN) >> (64 - CACHE_BITS)) as u32
    }
}

/// One row of the cache in front of the hash; valid only for the generation it was written in.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct CacheRow {
    /// The address the row is about.
    pub address: Address,
    /// Its slot.
    pub slot: u32,
    /// The generation of [`Networks`](crate::networks::Networks) at the time; 0 is never in force.
    pub generation: u32,
}

const _: () = {
    assert!(size_of::<Row>() == 64);
    assert!(align_of::<Row>() == 8);
    assert!(offset_of!(Row, received) == 16);
    assert!(offset_of!(Row, sent_local) == 32);
    assert!(offset_of!(Row, received_local) == 48);
    assert!(size_of::<Address>() == 16);
    assert!(size_of::<CacheRow>() == 24);
    assert!(offset_of!(CacheRow, slot) == 16);
    assert!(offset_of!(CacheRow, generation) == 20);
};

#[cfg(feature = "user")]
mod pod {
    use super::{Address, CacheRow, Row};

    // SAFETY: repr(C), no padding (asserted above), every bit pattern is a value.
    unsafe impl aya::Pod for Row {}
    // SAFETY: as above.
    unsafe impl aya::Pod for Address {}
    // SAFETY: as above.
    unsafe impl aya::Pod for CacheRow {}
    // SAFETY: as above; the padding is a named field.
    unsafe impl aya::Pod for crate::networks::Networks {}
}
