//! TCP as applications make it, with segmentation and receive offloads on and off: super-packets
//! count as the frames they stand for.
//!
//! Within 0.1 % and not to the byte: TCP and the driver count what they lose, but not how long it was.

use bwmon_tests::{Counted, Direction, Lan, SOON, Segments, Setup, transfer, wait_until};

const MEGABYTES: u32 = 100;
const TOLERANCE: f64 = 0.001;
/// Of acknowledgements there may be so few that a multicast report of IPv6 is more than that.
const FEW: u64 = 3;
/// The link counter of a veth leaves the Ethernet header out of what it received through NAPI, which
/// is switched on by native XDP and by GRO.
const LEFT_OUT_BY_NAPI_ON_VETH: u64 = 14;

/// What holds the truth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Oracle {
    /// The link counts frames.
    Link,
    /// The link counts super-packets; the sender's TCP knows their segments.
    Tcp,
}

/// How the interfaces are set.
struct Row {
    xdp_mode: &'static str,
    /// Off at both ends; the others stay as they are, which is off for GRO.
    off: &'static [&'static str],
    /// On at the router's end.
    on: &'static [&'static str],
    upload: Oracle,
    download: Oracle,
}

#[test]
fn native_xdp_with_offloads() {
    check(&Row {
        xdp_mode: "native",
        off: &[],
        on: &[],
        // XDP at the receiving end makes the sender segment.
        upload: Oracle::Link,
        download: Oracle::Tcp,
    });
}

#[test]
fn native_xdp_without_offloads() {
    check(&Row {
        xdp_mode: "native",
        off: &["tso", "gso", "gro"],
        on: &[],
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

#[test]
fn tc_with_offloads() {
    check(&Row {
        xdp_mode: "tc",
        off: &[],
        on: &[],
        upload: Oracle::Tcp,
        download: Oracle::Tcp,
    });
}

#[test]
fn tc_without_offloads() {
    check(&Row {
        xdp_mode: "tc",
        off: &["tso", "gso", "gro"],
        on: &[],
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

/// As on a NIC that can't segment: the hook sees super-packets on the way out, the link frames.
#[test]
fn tc_with_segmentation_between_hook_and_link() {
    check(&Row {
        xdp_mode: "tc",
        off: &["tso"],
        on: &[],
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

/// As on a NIC: the link counts frames, which are merged before the hook on the way in sees them.
#[test]
fn tc_with_merging_between_link_and_hook() {
    check(&Row {
        xdp_mode: "tc",
        off: &["tso", "gso"],
        on: &["gro"],
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

fn check(row: &Row) {
    let lan = Lan::new();
    lan.give_addresses();
    for link in [&lan.lan, &lan.device] {
        link.offloads(row.off, "off");
    }
    lan.lan.offloads(row.on, "on");
    let left_out = match row.xdp_mode == "native" || row.on.contains(&"gro") {
        true => LEFT_OUT_BY_NAPI_ON_VETH,
        false => 0,
    };
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(&format!(
            "xdp_mode = \"{}\"\nlocal_networks = [\"192.0.2.0/24\", \"2001:db8::/64\"]\n",
            row.xdp_mode
        ))
        .start();
    for is_v6 in [false, true] {
        for direction in [Direction::Upload, Direction::Download] {
            let device = lan.device_address(is_v6);
            let link = lan.lan.counters();
            let segments = [&lan.devices, &lan.router].map(|end| Segments::read(end, is_v6));
            let before = wait_until("counts", SOON, || daemon.api.address(device));
            let oracle = || {
                let link = lan.lan.counters() - link;
                let from = |index: usize, end| {
                    Segments::read(end, is_v6).wire_since(segments[index], is_v6)
                };
                // What goes the other way are acknowledgements, small but frames, too.
                let sent = match row.upload {
                    Oracle::Link => Counted {
                        bytes: link.rx.bytes + left_out * link.rx.packets,
                        ..link.rx
                    },
                    Oracle::Tcp => from(0, &lan.devices),
                };
                let received = match row.download {
                    Oracle::Link => link.offered(),
                    Oracle::Tcp => from(1, &lan.router),
                };
                (sent, received)
            };
            let server = lan.router_address(is_v6);
            transfer(&lan.devices, &lan.router, server, direction, MEGABYTES);
            // The server's end goes on sending what it had in its buffer, so the oracle moves, too.
            wait_until(&format!("{direction:?} over {device}"), SOON, || {
                let (sent, received) = oracle();
                let now = daemon.api.address(device)?;
                close_enough("sent", now.sent - before.sent, sent)?;
                close_enough("received", now.received - before.received, received)
            });
            let (sent, received) = oracle();
            let carried = if direction == Direction::Upload {
                sent
            } else {
                received
            };
            assert!(
                carried.bytes > u64::from(MEGABYTES) << 20,
                "the oracle is blind: {carried:?}"
            );
        }
    }
}

fn close_enough(what: &str, counted: Counted, expected: Counted) -> Result<(), String> {
    let is_close = |counted: u64, expected: u64, few: u64| {
        let tolerated = (expected as f64 * TOLERANCE) as u64;
        counted.abs_diff(expected) <= tolerated.max(few)
    };
    if is_close(counted.bytes, expected.bytes, FEW * 100)
        && is_close(counted.packets, expected.packets, FEW)
    {
        Ok(())
    } else {
        Err(format!("{what}: {counted:?} instead of {expected:?}"))
    }
}
