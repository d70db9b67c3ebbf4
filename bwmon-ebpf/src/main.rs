//! The programs: each reads one frame, counts it, and passes it on.
//!
//! This file is only the table from a hook to its carrier and its verdict. What a frame is (its
//! addresses, its size on the wire) is in `xdp.rs` and `tc.rs`; where it is counted, in `count.rs`
//! and `slot.rs`. No program drops, changes or redirects a packet, whatever is in it.
#![no_std]
#![no_main]

mod count;
mod maps;
mod slot;
mod tc;
mod xdp;

use aya_ebpf::{
    bindings::xdp_action::XDP_PASS,
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::count::Direction;

/// `TCX_NEXT`, which is also `TC_ACT_UNSPEC`: the programs after this one run as if it were not there.
const NEXT: i32 = -1;

#[xdp(frags)]
fn bwmon_xdp_frags(context: XdpContext) -> u32 {
    count::add(&context, xdp::packet::<true>(&context), Direction::Sent);
    XDP_PASS
}

#[xdp]
fn bwmon_xdp(context: XdpContext) -> u32 {
    count::add(&context, xdp::packet::<false>(&context), Direction::Sent);
    XDP_PASS
}

#[classifier]
fn bwmon_ingress(context: TcContext) -> i32 {
    count::add(
        &context,
        tc::packet(&context, Direction::Sent),
        Direction::Sent,
    );
    NEXT
}

#[classifier]
fn bwmon_egress(context: TcContext) -> i32 {
    count::add(
        &context,
        tc::packet(&context, Direction::Received),
        Direction::Received,
    );
    NEXT
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Some helpers are for programs under a licence compatible with the GPL only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
