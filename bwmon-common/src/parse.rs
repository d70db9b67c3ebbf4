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

/// The family of an IP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// There is no IP header to read.
    None,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Where the outermost IP header starts.
///
/// Flat, not an `Option` with a payload: the BPF verifier refuses to have undefined bytes moved
/// around, and the payload of a `None` is just that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which header.
    pub family: Family,
    /// Bytes from the start of the frame; 0 without a header.
    pub offset: usize,
}

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

impl Header {
    const NONE: Self = Self {
        family: Family::None,
        offset: 0,
    };

    /// The outermost IP header of an Ethernet frame: after up to two VLAN tags and PPPoE.
    #[inline(always)]
    pub fn after_ethernet(frame: &(impl Frame + ?Sized)) -> Self {
        Self::find(frame).unwrap_or(Self::NONE)
    }

    /// The IP header that a packet without a link layer starts with (tun, WireGuard, PPP).
    #[inline(always)]
    pub fn at_start(frame: &(impl Frame + ?Sized)) -> Self {
        let family = match first_octet(frame, 0) {
            Some(first) if first >> 4 == 4 => Family::V4,
            Some(first) if first >> 4 == 6 => Family::V6,
            _ => Family::None,
        };
        Self { family, offset: 0 }
    }

    #[inline(always)]
    fn find(frame: &(impl Frame + ?Sized)) -> Option<Self> {
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
            TYPE_IPV4 => Some(Self {
                family: Family::V4,
                offset,
            }),
            TYPE_IPV6 => Some(Self {
                family: Family::V6,
                offset,
            }),
            _ => None,
        }
    }

    /// The two ends; `None` when the header is missing, cut short, or not what it says it is.
    #[inline(always)]
    pub fn addresses(self, frame: &(impl Frame + ?Sized)) -> Option<Addresses> {
        match self.family {
            Family::None => None,
            Family::V4 => {
                let version_and_len = first_octet(frame, self.offset)?;
                if version_and_len >> 4 != 4 || version_and_len & 0x0f < 5 {
                    return None;
                }
                // The later one first: its bounds check covers both.
                let destination = u32::from_be(frame.read(self.offset + 16)?);
                let source = u32::from_be(frame.read(self.offset + 12)?);
                Some(Addresses::V4 {
                    source,
                    destination,
                })
            }
            Family::V6 => {
                if first_octet(frame, self.offset)? >> 4 != 6 {
                    return None;
                }
                let destination = frame.read(self.offset + 24)?;
                let source = frame.read(self.offset + 8)?;
                Some(Addresses::V6 {
                    source,
                    destination,
                })
            }
        }
    }

    /// Bytes of a TCP or UDP frame before its payload, from the start of the frame: what each
    /// segment of a super-packet repeats. `None` for anything else.
    #[inline(always)]
    pub fn len_to_payload(self, frame: &(impl Frame + ?Sized)) -> Option<usize> {
        let (protocol, transport) = match self.family {
            Family::None => return None,
            Family::V4 => {
                let header_len = usize::from(first_octet(frame, self.offset)? & 0x0f) * 4;
                (frame.read::<u8>(self.offset + 9)?, self.offset + header_len)
            }
            Family::V6 => (frame.read::<u8>(self.offset + 6)?, self.offset + 40),
        };
        match protocol {
            PROTOCOL_TCP => {
                let data_offset = first_octet(frame, transport + 12)? >> 4;
                Some(transport + usize::from(data_offset) * 4)
            }
            PROTOCOL_UDP => Some(transport + UDP_LEN),
            _ => None,
        }
    }
}

#[inline(always)]
fn is_vlan(ether_type: u16) -> bool {
    matches!(ether_type, TYPE_8021Q | TYPE_8021AD)
}

/// The octet at `offset`, by way of two, of which there must be both.
///
/// The compiler turns the bounds check of one octet, `p + 1 > end`, into `p >= end`, and the
/// verifier learns nothing from that when `p` is the start of the packet or an offset it can't tell.
#[inline(always)]
fn first_octet(frame: &(impl Frame + ?Sized), offset: usize) -> Option<u8> {
    read_u16(frame, offset).map(|both| (both >> 8) as u8)
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
    address.words()[0] >> 56 == 0xff
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
