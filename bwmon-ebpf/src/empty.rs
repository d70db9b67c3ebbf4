//! The yardstick of `cargo xtask bench`: what a hook costs that does nothing.
#![no_std]
#![no_main]

use aya_ebpf::{
    bindings::xdp_action::XDP_PASS,
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

#[xdp(frags)]
fn empty_xdp(_context: XdpContext) -> u32 {
    XDP_PASS
}

#[classifier]
fn empty_tc(_context: TcContext) -> i32 {
    -1
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
