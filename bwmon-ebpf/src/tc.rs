//! An skb as a [`Frame`], and its size on the wire, which is not its length:
//!
//! - a super-packet (GSO on the way out, GRO on the way in) stands for several frames, each with
//!   headers of its own;
//! - a VLAN tag that the NIC takes off or puts on is not in the data.

use aya_ebpf::{bindings::__sk_buff, programs::TcContext};
use bwmon_common::parse::{Frame, Wire};

use crate::count::{Direction, Packet, WireSize, header};

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
        // Not `read_unaligned`, which is a load for each byte on this target: the machine needs no
        // alignment where the verifier lets this pass.
        // SAFETY: in bounds, as the verifier checks too; any bytes are a `T: Wire`.
        Some(unsafe { (start as *const T).read_volatile() })
    }
}

/// Reads the frame that an skb is, or the frames it stands for.
#[inline(always)]
pub(crate) fn packet(context: &TcContext, direction: Direction) -> Packet<impl Frame> {
    let frame = Skb {
        context,
        data: context.data(),
        data_end: context.data_end(),
    };
    let header = header(&frame);
    // SAFETY: the context is the program's own, and the verifier knows its fields.
    let skb = unsafe { &*context.skb.skb };
    let mut size = if skb.gso_size == 0 {
        WireSize {
            bytes: u64::from(skb.len),
            packets: 1,
        }
    } else {
        super_packet(
            skb,
            header.len_to_payload(&frame).unwrap_or(0) as u64,
            direction,
        )
    };
    if skb.vlan_present != 0 {
        size.bytes += VLAN_TAG_LEN * size.packets;
    }
    Packet {
        frame,
        header,
        size,
    }
}

/// The frames a super-packet stands for: `gso_size` bytes of payload each, all with the same
/// `headers` bytes before it.
///
/// On egress the kernel has done this sum already (`wire_len`); on ingress nobody has.
#[inline(always)]
fn super_packet(skb: &__sk_buff, headers: u64, direction: Direction) -> WireSize {
    let len = u64::from(skb.len);
    // A guest's packet that came through virtio carries no count.
    let packets = match u64::from(skb.gso_segs) {
        // Division by zero would be a panic, and nothing here may panic.
        0 => len
            .saturating_sub(headers)
            .div_ceil(u64::from(skb.gso_size).max(1))
            .max(1),
        segments => segments,
    };
    let bytes = match direction {
        Direction::Sent => len + (packets - 1) * headers,
        // Volatile, lest the compiler turn this and `skb.len` into one load from either of two
        // offsets, which the verifier does not allow for a context.
        // SAFETY: a field of the program's own context.
        Direction::Received => u64::from(unsafe { (&raw const skb.wire_len).read_volatile() }),
    };
    WireSize { bytes, packets }
}
