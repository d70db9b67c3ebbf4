//! An skb as a [`Frame`], and its size on the wire, which is not its length:
//!
//! - a super-packet (GSO on the way out, GRO on the way in) stands for several frames, each with
//!   headers of its own;
//! - a VLAN tag that the NIC takes off or puts on is not in the data.

use aya_ebpf::{bindings::__sk_buff, programs::TcContext};
use bwmon_common::parse::{self, Frame, Header, Wire};

use crate::{
    count::{Direction, Packet, WireSize},
    maps::ETHERNET,
};

const VLAN_TAG_LEN: u64 = 4;

/// An skb: its linear part read directly, the rest through a helper.
struct Skb<'a> {
    context: &'a TcContext,
    data: usize,
    data_end: usize,
}

impl Frame for Skb<'_> {
    #[inline(always)]
    fn read<T: Wire>(&self, offset: usize) -> Option<T> {
        let start = self.data + offset;
        if start + size_of::<T>() > self.data_end {
            return self.context.load(offset).ok();
        }
        // SAFETY: in bounds, as the verifier checks too, and the read needs no alignment.
        Some(unsafe { (start as *const T).read_unaligned() })
    }
}

/// Reads the frame that an skb is, or the frames it stands for.
#[inline(always)]
pub(crate) fn packet(context: &TcContext, direction: Direction) -> Packet {
    let frame = Skb { context, data: context.data(), data_end: context.data_end() };
    let header = if ETHERNET.load() == 1 { parse::ethernet(&frame) } else { parse::ip(&frame) };
    // SAFETY: the context is the program's own, and the verifier knows its fields.
    let skb = unsafe { &*context.skb.skb };
    let mut size = if skb.gso_size == 0 {
        WireSize { bytes: u64::from(skb.len), packets: 1 }
    } else {
        super_packet(&frame, skb, header, direction)
    };
    if skb.vlan_present != 0 {
        size.bytes += VLAN_TAG_LEN * size.packets;
    }
    Packet { addresses: header.map(|header| header.addresses), size }
}

/// The frames a super-packet stands for: `gso_size` bytes of payload each, all with the same headers.
///
/// On egress the kernel has done this sum already (`wire_len`); on ingress nobody has.
#[inline(never)]
fn super_packet(
    frame: &Skb<'_>,
    skb: &__sk_buff,
    header: Option<Header>,
    direction: Direction,
) -> WireSize {
    let len = u64::from(skb.len);
    let headers = header.and_then(|header| parse::headers_len(frame, header)).unwrap_or(0) as u64;
    // A guest's packet that came through virtio carries no count.
    let packets = match u64::from(skb.gso_segs) {
        0 => len.saturating_sub(headers).div_ceil(u64::from(skb.gso_size)).max(1),
        segments => segments,
    };
    let bytes = match direction {
        Direction::Sent => len + (packets - 1) * headers,
        Direction::Received => u64::from(skb.wire_len),
    };
    WireSize { bytes, packets }
}
