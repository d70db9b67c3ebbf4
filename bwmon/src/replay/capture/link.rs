//! What frames start with, and where the IP header in them is.

use bwmon_common::parse::{Addresses, Frame as _, Header};

use super::Frame;

/// What the frames of an interface start with (the LINKTYPE of tcpdump.org).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkType {
    /// An Ethernet header.
    Ethernet,
    /// The IP header: tun, WireGuard, PPP.
    Ip,
    /// Linux "cooked", of `tcpdump -i any`.
    Sll,
    /// The second version of that.
    Sll2,
}

const ETHERNET_LEN: u64 = 14;
const SLL_LEN: u64 = 16;
const SLL2_LEN: u64 = 20;
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;

impl LinkType {
    pub(super) fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Ethernet,
            // As BSD numbers it, as OpenBSD does, and as files should; IPv4 only, IPv6 only.
            12 | 14 | 101 | 228 | 229 => Self::Ip,
            113 => Self::Sll,
            276 => Self::Sll2,
            _ => return None,
        })
    }

    /// The bytes of the frame itself: a cooked header stands for one of Ethernet.
    pub(super) fn frame_bytes(self, len: u64) -> u64 {
        match self {
            Self::Ethernet | Self::Ip => len,
            Self::Sll => (len + ETHERNET_LEN).saturating_sub(SLL_LEN),
            Self::Sll2 => (len + ETHERNET_LEN).saturating_sub(SLL2_LEN),
        }
    }
}

impl<'a> Frame<'a> {
    /// The two ends of its outermost IP header; `None` without one that can be read.
    pub fn addresses(&self) -> Option<Addresses> {
        let (bytes, header) = self.network();
        header.addresses(bytes)
    }

    /// The bytes to read from, and the outermost IP header in them.
    pub(in crate::replay) fn network(&self) -> (&'a [u8], Header) {
        if let Some(frame) = self.ethernet() {
            return (frame, Header::after_ethernet(frame));
        }
        let packet = match self.link {
            LinkType::Ethernet | LinkType::Sll | LinkType::Ip => self.data,
            LinkType::Sll2 => match self.data.read(0).map(u16::from_be) {
                Some(TYPE_IPV4 | TYPE_IPV6) => self.data.get(SLL2_LEN as usize..),
                _ => None,
            }
            .unwrap_or_default(),
        };
        (packet, Header::at_start(packet))
    }

    /// The frame as one of Ethernet. That of an SLL header is in the same place if two bytes are
    /// left out, and what it has before that is no address.
    pub(in crate::replay) fn ethernet(&self) -> Option<&'a [u8]> {
        match self.link {
            LinkType::Ethernet => Some(self.data),
            LinkType::Sll => Some(self.data.get(2..).unwrap_or_default()),
            LinkType::Ip | LinkType::Sll2 => None,
        }
    }
}
