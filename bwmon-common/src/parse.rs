//! The parser: from a frame to the addresses of its outermost IP header.
//!
//! Written once over [`Frame`], "something that can read a value at an offset", of which there are
//! three: an XDP buffer, an skb, and plain bytes. Every offset is bounded and every read may fail;
//! a frame that can't be read is `None`, which the caller counts as not IP.

use crate::layout::Address;

/// A frame, or the start of one, that values can be read from.
pub trait Frame {
    /// The `T` at `offset`, in the byte order of the wire; `None` beyond the end.
    fn read<T: Wire>(&self, offset: usize) -> Option<T>;
}

/// A value that any bytes are.
///
/// # Safety
/// Every bit pattern must be a value of the type, and it must have no padding.
pub unsafe trait Wire: Copy {}
// SAFETY: an integer.
unsafe impl Wire for u8 {}
// SAFETY: an integer.
unsafe impl Wire for u16 {}
// SAFETY: an integer.
unsafe impl Wire for u32 {}
// SAFETY: bytes in an array.
unsafe impl Wire for Address {}

/// Source and destination of an IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// IPv4, in host order.
    V4 {
        /// Source address.
        source: u32,
        /// Destination address.
        destination: u32,
    },
    /// IPv6.
    V6 {
        /// Source address.
        source: Address,
        /// Destination address.
        destination: Address,
    },
}

/// An IP header: where it starts, and between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes from the start of the frame.
    pub offset: usize,
    /// The two ends.
    pub addresses: Addresses,
}

const ETHERNET_LEN: usize = 14;
const ETHERNET_TYPE: usize = 12;
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
const TYPE_8021Q: u16 = 0x8100;
const TYPE_8021AD: u16 = 0x88a8;
const TYPE_PPPOE_SESSION: u16 = 0x8864;
const VLAN_TAG_LEN: usize = 4;
const PPPOE_LEN: usize = 8;
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;

const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const UDP_LEN: usize = 8;

/// The outermost IP header of an Ethernet frame: after up to two VLAN tags and PPPoE.
#[inline(always)]
pub fn ethernet(frame: &(impl Frame + ?Sized)) -> Option<Header> {
    let mut ether_type = read_u16(frame, ETHERNET_TYPE)?;
    let mut offset = ETHERNET_LEN;
    if is_vlan(ether_type) {
        ether_type = read_u16(frame, offset + 2)?;
        offset += VLAN_TAG_LEN;
        if is_vlan(ether_type) {
            ether_type = read_u16(frame, offset + 2)?;
            offset += VLAN_TAG_LEN;
        }
    }
    if ether_type == TYPE_PPPOE_SESSION {
        ether_type = match read_u16(frame, offset + 6)? {
            PPP_IPV4 => TYPE_IPV4,
            PPP_IPV6 => TYPE_IPV6,
            _ => return None,
        };
        offset += PPPOE_LEN;
    }
    match ether_type {
        TYPE_IPV4 => ipv4(frame, offset),
        TYPE_IPV6 => ipv6(frame, offset),
        _ => None,
    }
}

/// The IP header a packet without a link layer starts with (tun, WireGuard, PPP).
#[inline(always)]
pub fn ip(frame: &(impl Frame + ?Sized)) -> Option<Header> {
    match frame.read::<u8>(0)? >> 4 {
        4 => ipv4(frame, 0),
        6 => ipv6(frame, 0),
        _ => None,
    }
}

/// Bytes of a TCP or UDP frame before its payload, from the start of the frame: what each segment
/// of a super-packet repeats. `None` for anything else.
#[inline(always)]
pub fn headers_len(frame: &(impl Frame + ?Sized), ip: Header) -> Option<usize> {
    let (protocol, transport) = match ip.addresses {
        Addresses::V4 { .. } => {
            let header_len = usize::from(frame.read::<u8>(ip.offset)? & 0x0f) * 4;
            (frame.read::<u8>(ip.offset + 9)?, ip.offset + header_len)
        }
        Addresses::V6 { .. } => (frame.read::<u8>(ip.offset + 6)?, ip.offset + 40),
    };
    match protocol {
        PROTOCOL_TCP => {
            Some(transport + usize::from(frame.read::<u8>(transport + 12)? >> 4) * 4)
        }
        PROTOCOL_UDP => Some(transport + UDP_LEN),
        _ => None,
    }
}

#[inline(always)]
fn ipv4(frame: &(impl Frame + ?Sized), offset: usize) -> Option<Header> {
    let version_and_len = frame.read::<u8>(offset)?;
    if version_and_len >> 4 != 4 || version_and_len & 0x0f < 5 {
        return None;
    }
    // The later one first: its bounds check covers both.
    let destination = u32::from_be(frame.read(offset + 16)?);
    let source = u32::from_be(frame.read(offset + 12)?);
    Some(Header { offset, addresses: Addresses::V4 { source, destination } })
}

#[inline(always)]
fn ipv6(frame: &(impl Frame + ?Sized), offset: usize) -> Option<Header> {
    if frame.read::<u8>(offset)? >> 4 != 6 {
        return None;
    }
    let destination = frame.read(offset + 24)?;
    let source = frame.read(offset + 8)?;
    Some(Header { offset, addresses: Addresses::V6 { source, destination } })
}

#[inline(always)]
fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, TYPE_8021Q | TYPE_8021AD)
}

#[inline(always)]
fn read_u16(frame: &(impl Frame + ?Sized), offset: usize) -> Option<u16> {
    frame.read(offset).map(u16::from_be)
}

/// Whether an IPv4 address, in host order, is multicast (RFC 5771) or the limited broadcast.
#[inline(always)]
pub const fn is_group_v4(address: u32) -> bool {
    address >> 28 == 0xe || address == u32::MAX
}

/// Whether an IPv6 address is multicast (RFC 4291, section 2.7).
#[inline(always)]
pub const fn is_group_v6(address: Address) -> bool {
    address.0[0] == 0xff
}

impl Frame for [u8] {
    #[inline]
    fn read<T: Wire>(&self, offset: usize) -> Option<T> {
        let end = offset.checked_add(size_of::<T>())?;
        let bytes = self.get(offset..end)?;
        // SAFETY: `bytes` is as long as a `T`, any bytes are a `T`, and the read needs no alignment.
        Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }
}
