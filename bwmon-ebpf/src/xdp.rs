//! An XDP buffer as a [`Frame`], and its size on the wire.

use aya_ebpf::{helpers::generated::bpf_xdp_get_buff_len, programs::XdpContext};
use bwmon_common::parse::{self, Frame, Wire};

use crate::{
    count::{Packet, WireSize},
    maps::ETHERNET,
};

/// The linear part of an XDP buffer; headers are always in it.
struct Buffer {
    data: usize,
    data_end: usize,
}

impl Frame for Buffer {
    #[inline(always)]
    fn read<T: Wire>(&self, offset: usize) -> Option<T> {
        let start = self.data + offset;
        if start + size_of::<T>() > self.data_end {
            return None;
        }
        // SAFETY: in bounds, as the verifier checks too, and the read needs no alignment.
        Some(unsafe { (start as *const T).read_unaligned() })
    }
}

/// Reads the frame. With `FRAGS` it may be longer than its linear part.
#[inline(always)]
pub(crate) fn packet<const FRAGS: bool>(context: &XdpContext) -> Packet {
    let buffer = Buffer { data: context.data(), data_end: context.data_end() };
    let bytes = if FRAGS {
        // SAFETY: the context is the program's own.
        unsafe { bpf_xdp_get_buff_len(context.ctx) }
    } else {
        (buffer.data_end - buffer.data) as u64
    };
    let header = if ETHERNET.load() == 1 { parse::ethernet(&buffer) } else { parse::ip(&buffer) };
    Packet { addresses: header.map(|header| header.addresses), size: WireSize { bytes, packets: 1 } }
}
