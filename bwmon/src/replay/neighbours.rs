//! Who has which address, from what devices announce: ARP (RFC 826) and neighbour discovery
//! (RFC 4861), as the kernel's neighbour table has it.
//!
//! The source of an ordinary frame says nothing: behind a router all addresses have the router's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bwmon_common::parse::{Addresses, Family, Frame as _};

use super::capture::Frame;
use crate::core::mac::MacAddr;

const ETHER_TYPE: usize = 12;
const ETHERNET_LEN: usize = 14;
const VLAN_TAG_LEN: usize = 4;
const TYPE_ARP: u16 = 0x0806;
const TYPE_8021Q: u16 = 0x8100;
const TYPE_8021AD: u16 = 0x88a8;
/// Ethernet, IPv4, six and four bytes.
const ARP_HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];

const IPV6_LEN: usize = 40;
const ICMPV6: u8 = 58;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// From the start of either.
const TARGET: usize = 8;
const OPTIONS: usize = 24;
const SOURCE_LINK_ADDRESS: u8 = 1;
const TARGET_LINK_ADDRESS: u8 = 2;
/// What comes from another link has less.
const HOP_LIMIT: u8 = 255;

/// The address whose MAC the frame announces, and that MAC.
pub(super) fn announced(frame: &Frame<'_>) -> Option<(IpAddr, MacAddr)> {
    let found = arp(frame).or_else(|| discovery(frame));
    found.filter(|(address, mac)| {
        mac.is_station() && !address.is_unspecified() && !address.is_multicast()
    })
}

fn arp(frame: &Frame<'_>) -> Option<(IpAddr, MacAddr)> {
    let frame = frame.ethernet()?;
    let mut at = ETHERNET_LEN;
    let mut ether_type = u16::from_be(frame.read(ETHER_TYPE)?);
    for _ in 0..2 {
        if matches!(ether_type, TYPE_8021Q | TYPE_8021AD) {
            ether_type = u16::from_be(frame.read(at + 2)?);
            at += VLAN_TAG_LEN;
        }
    }
    let arp = frame.get(at..).filter(|_| ether_type == TYPE_ARP)?;
    if !arp.starts_with(&ARP_HEAD) {
        return None;
    }
    // The sender, whether it asks or answers.
    let mac = MacAddr(*arp.get(8..)?.first_chunk()?);
    let address: [u8; 4] = *arp.get(14..)?.first_chunk()?;
    Some((Ipv4Addr::from(address).into(), mac))
}

fn discovery(frame: &Frame<'_>) -> Option<(IpAddr, MacAddr)> {
    let (bytes, header) = frame.network();
    if header.family != Family::V6 {
        return None;
    }
    let Addresses::V6 { source, .. } = header.addresses(bytes)? else {
        return None;
    };
    let packet = bytes.get(header.offset..)?;
    if packet.get(6..8)? != [ICMPV6, HOP_LIMIT] {
        return None;
    }
    let message = packet.get(IPV6_LEN..)?;
    let target: [u8; 16] = *message.get(TARGET..)?.first_chunk()?;
    let (address, wanted) = match message.get(..2)? {
        [SOLICITATION, 0] => (source.octets(), SOURCE_LINK_ADDRESS),
        [ADVERTISEMENT, 0] => (target, TARGET_LINK_ADDRESS),
        _ => return None,
    };
    let mut options = message.get(OPTIONS..)?;
    loop {
        let [kind, len] = *options.first_chunk()?;
        // In units of eight bytes; none would never end.
        let option = options.get(..8 * usize::from(len)).filter(|_| len > 0)?;
        if kind == wanted {
            let mac = MacAddr(*option.get(2..)?.first_chunk()?);
            return Some((Ipv6Addr::from(address).into(), mac));
        }
        options = &options[option.len()..];
    }
}
