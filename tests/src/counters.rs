//! The kernel's own counters, which are the oracle.

use std::ops::Sub;

use crate::{api::Counted, namespace::Namespace};

/// What an interface counted, seen from the interface: what `ip -s link` shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Came in.
    pub rx: Counted,
    /// Went out.
    pub tx: Counted,
    /// Came in and was lost.
    pub rx_dropped: u64,
    /// Was to go out and was lost.
    pub tx_dropped: u64,
}

impl LinkCounters {
    /// What was to go out, as a hook before the driver sees it: what went and what the driver lost,
    /// of which the kernel counts no bytes, so that it is taken for average.
    pub fn offered(&self) -> Counted {
        let Counted { bytes, packets } = self.tx;
        let average = bytes.checked_div(packets).unwrap_or_default();
        let lost = Counted {
            bytes: self.tx_dropped * average,
            packets: self.tx_dropped,
        };
        self.tx + lost
    }

    /// The line of an interface in the text of `/proc/net/dev`.
    pub(crate) fn find(text: &str, interface: &str) -> Option<Self> {
        let numbers = text.lines().find_map(|line| {
            let (name, numbers) = line.split_once(':')?;
            (name.trim() == interface).then_some(numbers)
        })?;
        let numbers: Vec<u64> = numbers
            .split_whitespace()
            .filter_map(|number| number.parse().ok())
            .collect();
        let number = |index: usize| numbers.get(index).copied().unwrap_or_default();
        Some(Self {
            rx: Counted {
                bytes: number(0),
                packets: number(1),
            },
            tx: Counted {
                bytes: number(8),
                packets: number(9),
            },
            rx_dropped: number(3),
            tx_dropped: number(11),
        })
    }
}

impl Sub for LinkCounters {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            rx: self.rx - earlier.rx,
            tx: self.tx - earlier.tx,
            rx_dropped: self.rx_dropped - earlier.rx_dropped,
            tx_dropped: self.tx_dropped - earlier.tx_dropped,
        }
    }
}

/// What a namespace's TCP and IP layers sent: the oracle where the interface is none.
///
/// A veth counts a super-packet as one, with one set of headers, when neither end segments it. TCP
/// counts the segments it stands for (`OutSegs`, and `RetransSegs` for those sent again), so what would
/// be on a wire can be worked out.
#[derive(Clone, Copy, Debug)]
pub struct Segments {
    segments: u64,
    ip_packets: u64,
    ip_bytes: u64,
}

impl Segments {
    /// Reads those of IPv4, or of IPv6.
    pub fn read(namespace: &Namespace, is_v6: bool) -> Self {
        let snmp = namespace.proc_net("snmp");
        let (ip_packets, ip_bytes) = if is_v6 {
            let snmp6 = namespace.proc_net("snmp6");
            (
                single(&snmp6, "Ip6OutRequests"),
                single(&snmp6, "Ip6OutOctets"),
            )
        } else {
            let netstat = namespace.proc_net("netstat");
            (
                columns(&snmp, "Ip:", "OutRequests"),
                columns(&netstat, "IpExt:", "OutOctets"),
            )
        };
        let segments = columns(&snmp, "Tcp:", "OutSegs") + columns(&snmp, "Tcp:", "RetransSegs");
        Self {
            segments,
            ip_packets,
            ip_bytes,
        }
    }

    /// Ethernet frames and their bytes sent since `earlier`, if all of it was TCP without IP options
    /// or extension headers, and every super-packet carried TCP timestamps and no other option.
    pub fn wire_since(self, earlier: Self, is_v6: bool) -> Counted {
        const ETHERNET: u64 = 14;
        const TCP_WITH_TIMESTAMPS: u64 = 32;
        let ip_header = if is_v6 { 40 } else { 20 };
        let packets = self.segments - earlier.segments;
        let super_packets = self.ip_packets - earlier.ip_packets;
        // A multicast report of IPv6 may be among them, and is no segment.
        let repeated = packets.saturating_sub(super_packets);
        let repeated_headers = repeated * (ip_header + TCP_WITH_TIMESTAMPS);
        let bytes = self.ip_bytes - earlier.ip_bytes + repeated_headers + packets * ETHERNET;
        Counted { bytes, packets }
    }
}

/// A value of `snmp` or `netstat`: a line of names, and below it one of numbers.
fn columns(text: &str, group: &str, name: &str) -> u64 {
    let mut rows = text.lines().filter(|line| line.starts_with(group));
    let position = rows
        .next()
        .and_then(|row| row.split_whitespace().position(|word| word == name));
    position
        .and_then(|position| rows.next()?.split_whitespace().nth(position)?.parse().ok())
        .expect("the kernel counts it")
}

/// A value of `snmp6`: a line with name and number.
fn single(text: &str, name: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
        .expect("the kernel counts it")
}
