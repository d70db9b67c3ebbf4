//! Which slots the local IPv4 prefixes have, and how large a table must be.
//!
//! A prefix keeps its range of slots for as long as it is local. One that is not local any more
//! leaves its range behind, which is given away again at the next change but one, so that a packet
//! still under way is never counted for another address.

use std::net::{IpAddr, Ipv4Addr};

use bwmon_common::{
    layout::{Address, FIRST_ADDRESS_SLOT},
    networks::{BASE_HASHED, MAX_PREFIXES, Networks, Prefix4, Prefix6},
};
use ipnet::{IpNet, Ipv4Net};

/// Slots that all prefixes together may have; what is larger goes through the hash.
pub const MAX_RANGE_SLOTS: u32 = 1 << 16;
/// Slots kept for prefixes that appear later: two of the usual size.
const HEADROOM: u32 = 512;

/// The ranges of one table.
#[derive(Clone, Debug)]
pub struct Slots {
    /// The first slot found through the hash: ranges end before it.
    hash_base: u32,
    ranges: Vec<Range>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    prefix: Ipv4Net,
    base: u32,
    is_local: bool,
}

impl Range {
    fn end(&self) -> u32 {
        self.base + size(self.prefix).unwrap_or(0)
    }
}

/// The first slot found through the hash, in a table made for these prefixes. Those that are `hashed`
/// have no ranges.
pub fn hash_base(local: &[IpNet], hashed: &[IpNet]) -> u32 {
    let ranges = by_size(local)
        .filter(|prefix| !hashed.contains(&IpNet::V4(*prefix)))
        .filter_map(size)
        .scan(0, |total, size| {
            *total += size;
            (*total <= MAX_RANGE_SLOTS).then_some(size)
        })
        .sum::<u32>();
    FIRST_ADDRESS_SLOT + ranges + HEADROOM
}

impl Slots {
    /// No ranges yet.
    pub fn new(hash_base: u32) -> Self {
        Self {
            hash_base,
            ranges: Vec::new(),
        }
    }

    /// The ranges of a table that was in use before.
    pub fn resume(hash_base: u32, networks: &Networks) -> Self {
        let ranges = networks
            .v4
            .iter()
            .take(networks.v4_len as usize)
            .filter(|prefix| prefix.base != BASE_HASHED)
            .filter_map(|prefix| {
                let mask = Ipv4Addr::from(prefix.mask);
                let prefix_len = ipnet::ipv4_mask_to_prefix(mask).ok()?;
                let network = Ipv4Net::new(Ipv4Addr::from(prefix.network), prefix_len).ok()?;
                Some(Range {
                    prefix: network,
                    base: prefix.base,
                    is_local: true,
                })
            })
            .collect();
        Self { hash_base, ranges }
    }

    /// Makes these the local networks and returns what the kernel half is to be told. Of more than
    /// [`MAX_PREFIXES`] of a family, the first ones count. Those that are `hashed` get no range; they
    /// may have others inside, which come first.
    pub fn assign(&mut self, local: &[IpNet], hashed: &[IpNet], count_all: bool) -> Networks {
        let is_laid_out = |prefix: Ipv4Net| !hashed.contains(&IpNet::V4(prefix));
        let reusable: Vec<Range> = self
            .ranges
            .iter()
            .copied()
            .filter(|range| !range.is_local)
            .collect();
        for range in &mut self.ranges {
            range.is_local = local.contains(&IpNet::V4(range.prefix)) && is_laid_out(range.prefix);
        }
        let mut networks = Networks {
            count_all: u32::from(count_all),
            ..Networks::default()
        };
        for (place, prefix) in networks.v4.iter_mut().zip(by_size(local)) {
            *place = Prefix4 {
                network: prefix.network().into(),
                mask: prefix.netmask().into(),
                base: is_laid_out(prefix)
                    .then(|| self.base(prefix, &reusable))
                    .flatten()
                    .unwrap_or(BASE_HASHED),
                padding: 0,
            };
            networks.v4_len += 1;
        }
        let v6 = local.iter().filter_map(|net| match net {
            IpNet::V6(net) => Some(net),
            IpNet::V4(_) => None,
        });
        for (place, prefix) in networks.v6.iter_mut().zip(v6) {
            *place = Prefix6 {
                network: Address::from_octets(prefix.network().octets()),
                mask: Address::from_octets(prefix.netmask().octets()),
            };
            networks.v6_len += 1;
        }
        networks
    }

    /// The address that has a slot by arithmetic.
    pub fn address(&self, slot: u32) -> Option<IpAddr> {
        let range = self
            .ranges
            .iter()
            .find(|range| (range.base..range.end()).contains(&slot))?;
        let host = slot - range.base;
        Some(Ipv4Addr::from(u32::from(range.prefix.network()) + host).into())
    }

    /// Whether an address has a slot by arithmetic, so that it needs none from the hash.
    pub fn has(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else {
            return false;
        };
        self.ranges
            .iter()
            .any(|range| range.is_local && range.prefix.contains(&address))
    }

    /// The first slot of a prefix: the one it has or had, else the first gap that is large enough.
    fn base(&mut self, prefix: Ipv4Net, reusable: &[Range]) -> Option<u32> {
        let size = size(prefix)?;
        if let Some(range) = self.ranges.iter_mut().find(|range| range.prefix == prefix) {
            range.is_local = true;
            return Some(range.base);
        }
        let base = self.gap(size).or_else(|| {
            self.ranges
                .retain(|range| range.is_local || !reusable.contains(range));
            self.gap(size)
        })?;
        self.ranges.push(Range {
            prefix,
            base,
            is_local: true,
        });
        Some(base)
    }

    fn gap(&mut self, size: u32) -> Option<u32> {
        self.ranges.sort_by_key(|range| range.base);
        let mut start = FIRST_ADDRESS_SLOT;
        for range in &self.ranges {
            if start.checked_add(size)? <= range.base {
                return Some(start);
            }
            start = range.end();
        }
        (start.checked_add(size)? <= self.hash_base).then_some(start)
    }
}

/// Addresses of a prefix, where they can all have slots.
fn size(prefix: Ipv4Net) -> Option<u32> {
    let size = 1_u32.checked_shl(32 - u32::from(prefix.prefix_len()))?;
    (size <= MAX_RANGE_SLOTS).then_some(size)
}

/// The IPv4 prefixes, the smaller ones first: they are the likeliest to be what devices live in.
fn by_size(local: &[IpNet]) -> impl Iterator<Item = Ipv4Net> {
    let mut prefixes: Vec<Ipv4Net> = local
        .iter()
        .filter_map(|net| match net {
            IpNet::V4(net) => Some(net.trunc()),
            IpNet::V6(_) => None,
        })
        .collect();
    prefixes.sort_by_key(|prefix| (std::cmp::Reverse(prefix.prefix_len()), prefix.network()));
    prefixes.into_iter()
}

/// What is wrong with a list of local networks, and the list as far as it can be used: each prefix
/// without host bits, once, none inside another, at most [`MAX_PREFIXES`] of each family.
pub fn normalize(networks: impl IntoIterator<Item = IpNet>) -> (Vec<IpNet>, Option<String>) {
    let mut sorted: Vec<IpNet> = networks.into_iter().map(|net| net.trunc()).collect();
    sorted.sort_by_key(|net| (net.prefix_len(), net.network()));
    let mut kept: Vec<IpNet> = Vec::new();
    for net in sorted {
        if !kept.iter().any(|wider| wider.contains(&net)) {
            kept.push(net);
        }
    }
    let too_many = |kept: &[IpNet], v4| {
        kept.iter()
            .filter(|net| matches!(net, IpNet::V4(_)) == v4)
            .count()
            > MAX_PREFIXES
    };
    if too_many(&kept, true) || too_many(&kept, false) {
        kept = IpNet::aggregate(&kept);
    }
    let mut left = [MAX_PREFIXES; 2];
    let before = kept.len();
    kept.retain(|net| {
        let left = &mut left[usize::from(matches!(net, IpNet::V6(_)))];
        let keep = *left > 0;
        *left = left.saturating_sub(1);
        keep
    });
    let warning = (kept.len() < before).then(|| {
        format!(
            "{} local networks are more than the {MAX_PREFIXES} of each family that can be \
             followed; set local_networks to fewer, wider prefixes",
            before
        )
    });
    (kept, warning)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nets(list: &[&str]) -> Vec<IpNet> {
        list.iter().map(|net| net.parse().unwrap()).collect()
    }

    fn slots(list: &[&str]) -> (Slots, Networks) {
        let mut slots = Slots::new(hash_base(&nets(list), &[]));
        let networks = slots.assign(&nets(list), &[], false);
        (slots, networks)
    }

    #[test]
    fn every_address_of_a_prefix_has_the_slot_that_the_kernel_half_computes() {
        let (slots, networks) = slots(&["192.168.1.0/24", "10.0.0.0/30", "fd00::/64"]);
        for address in ["192.168.1.0", "192.168.1.255", "10.0.0.3"] {
            let address: Ipv4Addr = address.parse().unwrap();
            let found = networks.find_v4(address.into());
            let bwmon_common::networks::Place::Slot(slot) = found.place else {
                panic!("{address} has no slot");
            };
            assert_eq!(slots.address(slot), Some(address.into()));
        }
        assert_eq!(networks.v6_len, 1);
    }

    #[test]
    fn a_prefix_that_is_too_large_is_hashed_and_costs_no_slots() {
        let (slots, networks) = slots(&["10.0.0.0/8"]);
        assert_eq!(networks.v4[0].base, BASE_HASHED);
        assert_eq!(slots.address(FIRST_ADDRESS_SLOT), None);
        assert_eq!(
            hash_base(&nets(&["10.0.0.0/8"]), &[]),
            FIRST_ADDRESS_SLOT + HEADROOM
        );
    }

    #[test]
    fn a_hashed_prefix_costs_no_slots_and_leaves_those_inside_it_theirs() {
        let (local, hashed) = (
            nets(&["10.0.0.0/24", "10.0.0.0/16"]),
            nets(&["10.0.0.0/16"]),
        );
        let base = hash_base(&local, &hashed);
        assert_eq!(base, FIRST_ADDRESS_SLOT + 256 + HEADROOM);
        let networks = Slots::new(base).assign(&local, &hashed, false);
        let place = |text: &str| {
            let address: Ipv4Addr = text.parse().unwrap();
            networks.find_v4(address.into()).place
        };
        use bwmon_common::networks::Place;
        assert_eq!(place("10.0.0.7"), Place::Slot(FIRST_ADDRESS_SLOT + 7));
        assert_eq!(place("10.0.1.7"), Place::Hashed);
    }

    #[test]
    fn a_prefix_that_comes_back_has_its_old_slots() {
        let (mut slots, first) = slots(&["192.168.1.0/24"]);
        slots.assign(&[], &[], false);
        slots.assign(&nets(&["192.168.2.0/24"]), &[], false);
        let again = slots.assign(&nets(&["192.168.1.0/24"]), &[], false);
        assert_eq!(again.v4[0].base, first.v4[0].base);
    }

    #[test]
    fn a_range_is_given_away_only_at_the_change_after_the_one_that_freed_it() {
        let mut slots = Slots::new(FIRST_ADDRESS_SLOT + 256);
        slots.assign(&nets(&["192.168.1.0/24"]), &[], false);
        let at_once = slots.assign(&nets(&["192.168.2.0/24"]), &[], false);
        assert_eq!(at_once.v4[0].base, BASE_HASHED);
        let later = slots.assign(&nets(&["192.168.2.0/24"]), &[], false);
        assert_eq!(later.v4[0].base, FIRST_ADDRESS_SLOT);
    }

    #[test]
    fn resumed_ranges_are_those_in_force() {
        let (slots, networks) = slots(&["192.168.1.0/24", "10.0.0.0/8"]);
        let resumed = Slots::resume(slots.hash_base, &networks);
        assert_eq!(resumed.ranges, slots.ranges);
    }

    #[test]
    fn a_network_inside_another_is_dropped() {
        let (kept, warning) = normalize(nets(&["10.1.0.5/16", "10.0.0.0/8", "10.0.0.0/8"]));
        assert_eq!((kept, warning), (nets(&["10.0.0.0/8"]), None));
    }

    #[test]
    fn too_many_networks_are_said_to_be_too_many() {
        let many = (0..40).map(|n| format!("10.{}.0.0/24", n * 2).parse().unwrap());
        let (kept, warning) = normalize(many);
        assert_eq!(kept.len(), MAX_PREFIXES);
        assert!(warning.is_some());
    }

    proptest! {
        #[test]
        fn ranges_never_overlap_nor_reach_the_hash(
            changes in prop::collection::vec(
                prop::collection::vec((any::<u32>(), 18_u8..=32), 0..8), 1..12)
        ) {
            let mut slots = Slots::new(FIRST_ADDRESS_SLOT + 4096);
            for change in changes {
                let nets = change.into_iter().map(|(address, prefix_len)| {
                    IpNet::V4(Ipv4Net::new(address.into(), prefix_len).unwrap())
                });
                slots.assign(&normalize(nets).0, &[], false);
                let mut ranges = slots.ranges.clone();
                ranges.sort_by_key(|range| range.base);
                for pair in ranges.windows(2) {
                    prop_assert!(pair[0].end() <= pair[1].base, "{ranges:?}");
                }
                prop_assert!(ranges.iter().all(|range| range.end() <= slots.hash_base));
            }
        }
    }
}
