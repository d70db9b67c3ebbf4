//! The interface's own counters: what coverage is measured against.

use std::{collections::HashMap, fs, io};

use crate::core::view::Directions;

/// What an interface counted, as its devices see it: what it received, they sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Bytes. Drivers disagree on whether Ethernet's 14 are among them.
    pub bytes: Directions,
    /// Packets.
    pub packets: Directions,
}

/// Reads the counters of all interfaces of this network namespace, in one system call or few.
pub fn link_counters() -> io::Result<HashMap<String, LinkCounters>> {
    Ok(fs::read_to_string("/proc/self/net/dev")?
        .lines()
        .filter_map(parse)
        .collect())
}

/// A line of `/proc/net/dev`: name, 8 counters of what came in, 8 of what went out.
fn parse(line: &str) -> Option<(String, LinkCounters)> {
    let (name, numbers) = line.rsplit_once(':')?;
    let numbers: Vec<u64> = numbers
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let &[
        in_bytes,
        in_packets,
        _,
        _,
        _,
        _,
        _,
        _,
        out_bytes,
        out_packets,
        ..,
    ] = numbers.as_slice()
    else {
        return None;
    };
    let counters = LinkCounters {
        bytes: Directions {
            sent: in_bytes,
            received: out_bytes,
        },
        packets: Directions {
            sent: in_packets,
            received: out_packets,
        },
    };
    Some((name.trim().to_owned(), counters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_and_skips_the_heading() {
        let line = "  br-lan: 100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0";
        let expected = LinkCounters {
            bytes: Directions {
                sent: 100,
                received: 300,
            },
            packets: Directions {
                sent: 2,
                received: 4,
            },
        };
        assert_eq!(parse(line), Some(("br-lan".to_owned(), expected)));
        assert_eq!(parse(" face |bytes    packets errs drop"), None);
        assert_eq!(parse("Inter-|   Receive"), None);
    }
}
