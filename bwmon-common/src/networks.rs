//! The local networks as the kernel half sees them, and where an address belongs among them.

use core::mem::size_of;

use crate::layout::{Address, SLOT_OUTSIDE};

/// Most prefixes of one family.
pub const MAX_PREFIXES: usize = 16;
/// In [`Prefix4::base`]: addresses of this prefix are found through the hash.
pub const BASE_HASHED: u32 = u32::MAX;

/// An IPv4 prefix, in host order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix4 {
    /// The network's address.
    pub network: u32,
    /// The network mask.
    pub mask: u32,
    /// The slot of the network's address, those of its hosts following; or [`BASE_HASHED`].
    pub base: u32,
    /// Always 0.
    pub padding: u32,
}

/// An IPv6 prefix, in network order. Its addresses are always found through the hash.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix6 {
    /// The network's address.
    pub network: Address,
    /// The network mask.
    pub mask: Address,
}

/// One configuration of the kernel half. Two exist, and a change writes the idle one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Networks {
    /// Raised with each change and each reclaimed slot, which empties every cache; never 0.
    pub generation: u32,
    /// 1: an address in no local network is counted under its own name, too.
    pub count_all: u32,
    /// Prefixes in use in `v4`.
    pub v4_len: u32,
    /// Prefixes in use in `v6`.
    pub v6_len: u32,
    /// Local IPv4 prefixes; one inside another comes before it.
    pub v4: [Prefix4; MAX_PREFIXES],
    /// Local IPv6 prefixes.
    pub v6: [Prefix6; MAX_PREFIXES],
}

const _: () = assert!(size_of::<Networks>() == 16 + MAX_PREFIXES * (16 + 32));

impl Default for Networks {
    fn default() -> Self {
        Self {
            generation: 1,
            count_all: 0,
            v4_len: 0,
            v6_len: 0,
            v4: [Prefix4::default(); MAX_PREFIXES],
            v6: [Prefix6::default(); MAX_PREFIXES],
        }
    }
}

/// Where an address is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this slot.
    Slot(u32),
    /// At the slot the hash has for it.
    Hashed,
}

/// An address among the local networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is counted.
    pub place: Place,
    /// It is in a local network.
    pub is_local: bool,
}

impl Networks {
    /// Finds an IPv4 address, in host order.
    #[inline(always)]
    pub fn find_v4(&self, address: u32) -> Found {
        match self.prefix_v4(address) {
            Some(prefix) if prefix.base == BASE_HASHED => Found {
                place: Place::Hashed,
                is_local: true,
            },
            Some(prefix) => Found {
                place: Place::Slot(prefix.base.wrapping_add(address & !prefix.mask)),
                is_local: true,
            },
            None => Found {
                place: self.place_of_others(),
                is_local: false,
            },
        }
    }

    /// Finds an IPv6 address.
    #[inline(always)]
    pub fn find_v6(&self, address: Address) -> Found {
        match self.is_local_v6(address) {
            true => Found {
                place: Place::Hashed,
                is_local: true,
            },
            false => Found {
                place: self.place_of_others(),
                is_local: false,
            },
        }
    }

    /// Whether an IPv4 address, in host order, is in a local network.
    #[inline(always)]
    pub fn is_local_v4(&self, address: u32) -> bool {
        self.prefix_v4(address).is_some()
    }

    /// Whether an IPv6 address is in a local network.
    #[inline(always)]
    pub fn is_local_v6(&self, address: Address) -> bool {
        for (index, prefix) in self.v6.iter().enumerate() {
            if index as u32 >= self.v6_len {
                break;
            }
            if address.and(prefix.mask) == prefix.network {
                return true;
            }
        }
        false
    }

    #[inline(always)]
    fn prefix_v4(&self, address: u32) -> Option<&Prefix4> {
        for (index, prefix) in self.v4.iter().enumerate() {
            if index as u32 >= self.v4_len {
                break;
            }
            if address & prefix.mask == prefix.network {
                return Some(prefix);
            }
        }
        None
    }

    #[inline(always)]
    fn place_of_others(&self) -> Place {
        if self.count_all == 0 {
            Place::Slot(SLOT_OUTSIDE)
        } else {
            Place::Hashed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: Prefix4 = Prefix4 {
        network: 0xc0a8_0100,
        mask: 0xffff_ff00,
        base: 10,
        padding: 0,
    };

    fn networks() -> Networks {
        let mut networks = Networks {
            v4_len: 1,
            v6_len: 1,
            ..Networks::default()
        };
        networks.v4[0] = LAN;
        networks.v6[0] = Prefix6 {
            network: Address::from_words([0xfd00 << 48, 0]),
            mask: Address::from_words([u64::MAX, 0]),
        };
        networks
    }

    #[test]
    fn an_address_of_a_prefix_has_the_slot_of_its_host_part() {
        let found = networks().find_v4(0xc0a8_0105);
        assert_eq!(
            found,
            Found {
                place: Place::Slot(15),
                is_local: true
            }
        );
    }

    #[test]
    fn an_address_of_no_prefix_is_outside_unless_all_are_counted() {
        let mut networks = networks();
        assert_eq!(
            networks.find_v4(0x0808_0808).place,
            Place::Slot(SLOT_OUTSIDE)
        );
        networks.count_all = 1;
        assert_eq!(
            networks.find_v4(0x0808_0808),
            Found {
                place: Place::Hashed,
                is_local: false
            }
        );
    }

    #[test]
    fn a_prefix_too_large_for_slots_is_hashed() {
        let mut networks = networks();
        networks.v4[0].base = BASE_HASHED;
        assert_eq!(
            networks.find_v4(0xc0a8_0105),
            Found {
                place: Place::Hashed,
                is_local: true
            }
        );
    }

    #[test]
    fn ipv6_prefixes_compare_both_words() {
        let networks = networks();
        assert!(networks.is_local_v6(Address::from_words([0xfd00 << 48, 7])));
        assert!(!networks.is_local_v6(Address::from_words([0xfd00 << 48 | 1, 7])));
    }
}
