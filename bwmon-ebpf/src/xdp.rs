//! An XDP buffer as a [`Frame`], and its size on the wire.

use aya_ebpf::{helpers::generated::bpf_xdp_get_buff_len, programs::XdpContext};
use bwmon_common::parse::{Frame, Wire};

use crate::count::{Packet, WireSize, header};

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
        // Not `read_unaligned`, which is a load for each byte on this target: the machine needs no
        // alignment where the verifier lets this pass.
        // SAFETY: in bounds, as the verifier checks too; any bytes are a `T: Wire`.
        Some(unsafe { (start as *const T).read_volatile() })
    }
}

/// Reads the frame. With `FRAGS` it may be longer than its linear part.
#[inline(always)]
pub(crate) fn packet<const FRAGS: bool>(context: &XdpContext) -> Packet<impl Frame> {
    let frame = Buffer {
        data: context.data(),
        data_end: context.data_end(),
    };
    let bytes = if FRAGS {
        // SAFETY: the context is the program's own.
        unsafe { bpf_xdp_get_buff_len(context.ctx) }
    } else {
        (frame.data_end - frame.data) as u64
    };
    let header = header(&frame);
    Packet {
        frame,
        header,
        size: WireSize { bytes, packets: 1 },
    }
}
