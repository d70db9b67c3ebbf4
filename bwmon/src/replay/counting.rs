//! Counts frames for each local address, as the kernel half does.
//!
//! A program knows from its hook which way a frame goes. A capture does not say, so it is told from
//! the addresses: a frame with a local source was sent by it, one with a local destination received.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use bwmon_common::{
    layout::{Counter, Row},
    parse::{Addresses, is_group_v4, is_group_v6},
};
use ipnet::IpNet;

use super::{capture::Frame, neighbours};
use crate::core::mac::MacAddr;

/// Most addresses counted under their own name: as in the kernel half, whoever invents sources gets
/// no further.
const MAX_ADDRESSES: usize = 1 << 16;

/// What passed since it was last taken away, and what it was that has no device.
#[derive(Debug, Default)]
pub struct Traffic {
    networks: Vec<IpNet>,
    known: HashSet<IpAddr>,
    rows: HashMap<IpAddr, Row>,
    learned: HashMap<IpAddr, MacAddr>,
    /// All frames.
    pub total: Counter,
    /// Those without an IP header that can be read.
    pub non_ip: Counter,
    /// Those between two addresses that are in no local network.
    pub outside: Counter,
    /// Those of addresses beyond the most that are counted.
    pub overflow: Counter,
}

impl Traffic {
    /// Nothing yet. `networks`: those that are local.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self {
            networks,
            ..Self::default()
        }
    }

    /// Counts a frame.
    pub fn add(&mut self, frame: &Frame<'_>) {
        grow(&mut self.total, frame.bytes);
        let Some(ends) = frame.addresses().map(Ends::of) else {
            grow(&mut self.non_ip, frame.bytes);
            self.learn(frame);
            return;
        };
        self.learn(frame);
        let source_is_local = self.is_local(ends.source);
        let destination_is_local = self.is_local(ends.destination);
        let is_local = ends.is_to_group || source_is_local && destination_is_local;
        if !source_is_local && !destination_is_local {
            grow(&mut self.outside, frame.bytes);
        }
        if source_is_local && let Some(row) = self.row(ends.source, frame.bytes) {
            grow(&mut row.sent, frame.bytes);
            if is_local {
                grow(&mut row.sent_local, frame.bytes);
            }
        }
        if destination_is_local && let Some(row) = self.row(ends.destination, frame.bytes) {
            grow(&mut row.received, frame.bytes);
            if is_local {
                grow(&mut row.received_local, frame.bytes);
            }
        }
    }

    /// What each address counted since the last call.
    pub fn take(&mut self) -> impl Iterator<Item = (IpAddr, Row)> {
        self.rows.drain()
    }

    /// The MAC addresses that were announced since the last call, with whose they are.
    pub(super) fn take_learned(&mut self) -> impl Iterator<Item = (IpAddr, MacAddr)> {
        self.learned.drain()
    }

    fn learn(&mut self, frame: &Frame<'_>) {
        if let Some((address, mac)) = neighbours::announced(frame)
            && self.is_local(address)
            && self.learned.len() < MAX_ADDRESSES
        {
            self.learned.insert(address, mac);
        }
    }

    /// The row of an address; `None`, and it is counted, when there are too many.
    fn row(&mut self, address: IpAddr, bytes: u64) -> Option<&mut Row> {
        if self.known.len() >= MAX_ADDRESSES && !self.known.contains(&address) {
            grow(&mut self.overflow, bytes);
            return None;
        }
        Some(self.rows.entry(address).or_insert_with(|| {
            self.known.insert(address);
            Row::default()
        }))
    }

    fn is_local(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|net| net.contains(&address))
    }
}

/// The two ends of a packet.
struct Ends {
    source: IpAddr,
    destination: IpAddr,
    is_to_group: bool,
}

impl Ends {
    fn of(addresses: Addresses) -> Self {
        match addresses {
            Addresses::V4 {
                source,
                destination,
            } => Self {
                source: Ipv4Addr::from_bits(source).into(),
                destination: Ipv4Addr::from_bits(destination).into(),
                is_to_group: is_group_v4(destination),
            },
            Addresses::V6 {
                source,
                destination,
            } => Self {
                source: Ipv6Addr::from(source.octets()).into(),
                destination: Ipv6Addr::from(destination.octets()).into(),
                is_to_group: is_group_v6(destination),
            },
        }
    }
}

fn grow(counter: &mut Counter, bytes: u64) {
    counter.bytes = counter.bytes.saturating_add(bytes);
    counter.packets += 1;
}

#[cfg(test)]
mod tests;
