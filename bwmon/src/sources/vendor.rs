//! Who built what has a MAC, by the registries of the IEEE (MA-L, MA-M, MA-S), which are part of the
//! binary. The build packs them: see `bwmon/build.rs` for the layout.

use crate::core::mac::MacAddr;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/vendors.bin"));

/// Bits of a prefix in each registry.
const LENGTHS: [u32; 3] = [24, 28, 36];
const HEADER: usize = 16;
/// A prefix: its value and the number of the name.
const ROW: usize = 7;

/// Who built it: the longest prefix decides.
pub fn vendor(mac: MacAddr) -> Option<&'static str> {
    let [a, b, c, d, e, f] = mac.0;
    let mac = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let counts = [count(0)?, count(1)?, count(2)?];
    let starts = [0, counts[0], counts[0] + counts[1]];
    let number = (0..LENGTHS.len()).rev().find_map(|registry| {
        find(
            starts[registry],
            counts[registry],
            mac >> (48 - LENGTHS[registry]),
        )
    })?;
    let offsets = HEADER + counts.iter().sum::<usize>() * ROW;
    let names = offsets + (count(3)? + 1) * 4;
    let start = names + number_at(offsets + number * 4)?;
    let end = names + number_at(offsets + (number + 1) * 4)?;
    std::str::from_utf8(PACKED.get(start..end)?).ok()
}

/// The number of the name of a prefix, among `count` that start at the row `start`.
fn find(start: usize, count: usize, prefix: u64) -> Option<usize> {
    let row = |at: usize| {
        PACKED
            .get(HEADER + (start + at) * ROW..)?
            .first_chunk::<ROW>()
    };
    let value = |row: &[u8; ROW]| {
        let [a, b, c, d, e, ..] = *row;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    };
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        let row = row(middle)?;
        match value(row).cmp(&prefix) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => {
                let [.., low, high] = *row;
                return Some(u16::from_le_bytes([low, high]).into());
            }
        }
    }
    None
}

fn count(at: usize) -> Option<usize> {
    number_at(at * 4)
}

fn number_at(offset: usize) -> Option<usize> {
    let bytes = PACKED.get(offset..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_prefix_decides() {
        let check = |mac: &str, expected: Option<&str>| {
            assert_eq!(vendor(mac.parse().unwrap()), expected, "{mac}");
        };
        check("3c:22:fb:00:11:22", Some("Apple, Inc."));
        check("b8:27:eb:00:11:22", Some("Raspberry Pi Foundation"));
        // MA-M and MA-S, each inside a block that is the registry's own.
        check("b8:4c:87:40:00:00", Some("Blum Novotest GmbH"));
        check("8c:1f:64:af:a0:00", Some("DATA ELECTRONIC DEVICES, INC"));
        // The first and the last row of the table.
        check("00:00:00:00:00:01", Some("XEROX CORPORATION"));
        check("02:00:00:00:00:01", None);
        check("ff:ff:ff:ff:ff:ff", None);
    }

    #[test]
    fn the_table_is_whole_and_small() {
        let counts: Vec<usize> = (0..4).filter_map(count).collect();
        assert!(
            counts[0] > 35_000 && counts[1] > 5_000 && counts[2] > 6_000,
            "{counts:?}"
        );
        assert!(PACKED.len() < 2_000_000, "{} bytes", PACKED.len());
        let rows = counts[..3].iter().sum::<usize>();
        let end = HEADER + rows * ROW + counts[3] * 4;
        let names = number_at(end).unwrap();
        assert_eq!(
            PACKED.len(),
            end + 4 + names,
            "the last name ends with the table"
        );
    }

    proptest! {
        #[test]
        fn every_vendor_can_be_shown(octets: [u8; 6]) {
            if let Some(vendor) = vendor(MacAddr(octets)) {
                prop_assert!(!vendor.is_empty() && !vendor.contains(char::is_control));
            }
        }
    }
}
