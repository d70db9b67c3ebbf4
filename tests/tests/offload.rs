//! TCP as applications make it, with segmentation and receive offloads on and off: super-packets
//! count as the frames they stand for.
//!
//! Within 0.1 % and not to the byte, since a frame that the hook has seen may be lost between it and
//! the wire, where the kernel has not counted it yet.

use bwmon_tests::{Counted, Direction, Lan, SOON, Segments, Setup, transfer, wait_until};

const MEGABYTES: u32 = 100;
const TOLERANCE: f64 = 0.001;
/// The link counter of a veth leaves the Ethernet header out of what native XDP received.
const LEFT_OUT_BY_XDP_ON_VETH: u64 = 14;

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
    /// Off at both ends; the others are on.
    off: &'static [&'static str],
    upload: Oracle,
    download: Oracle,
}

#[test]
fn native_xdp_with_offloads() {
    check(&Row {
        xdp_mode: "native",
        off: &[],
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
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

#[test]
fn tc_with_offloads() {
    check(&Row {
        xdp_mode: "tc",
        off: &[],
        upload: Oracle::Tcp,
        download: Oracle::Tcp,
    });
}

#[test]
fn tc_without_offloads() {
    check(&Row {
        xdp_mode: "tc",
        off: &["tso", "gso", "gro"],
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
        upload: Oracle::Link,
        download: Oracle::Link,
    });
}

/// As on a NIC that merges: the link counts frames, the hook sees super-packets on the way in.
#[test]
fn tc_with_merging_between_link_and_hook() {
    let row = Row {
        xdp_mode: "tc",
        off: &["tso", "gso"],
        upload: Oracle::Link,
        download: Oracle::Link,
    };
    check(&row);
}

fn check(row: &Row) {
    let lan = Lan::new();
    lan.give_addresses();
    for link in [&lan.lan, &lan.device] {
        link.offloads(row.off, "off");
    }
    if row.off == ["tso", "gso"] {
        lan.lan.offloads(&["gro"], "on");
    }
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(&format!(
            "xdp_mode = \"{}\"\nlocal_networks = [\"192.0.2.0/24\", \"2001:db8::/64\"]\n",
            row.xdp_mode
        ))
        .start();
    for is_v6 in [false, true] {
        for direction in [Direction::Upload, Direction::Download] {
            let device = lan.device_address(is_v6);
            let (link, segments) = (lan.lan.counters(), segments(&lan, is_v6));
            let before = wait_until("counts", SOON, || daemon.api.address(device));
            transfer(
                &lan.devices,
                &lan.router,
                lan.router_address(is_v6),
                direction,
                MEGABYTES,
            );
            let link = lan.lan.counters() - link;
            let after = self::segments(&lan, is_v6);
            let from = |index: usize| after[index].wire_since(segments[index], is_v6);
            let left_out = if row.xdp_mode == "native" {
                LEFT_OUT_BY_XDP_ON_VETH
            } else {
                0
            };
            // What goes the other way are acknowledgements, small but frames, too.
            let sent = match row.upload {
                Oracle::Link => Counted {
                    bytes: link.rx.bytes + left_out * link.rx.packets,
                    ..link.rx
                },
                Oracle::Tcp => from(0),
            };
            let received = match row.download {
                Oracle::Link => link.tx,
                Oracle::Tcp => from(1),
            };
            let carried = if direction == Direction::Upload {
                sent
            } else {
                received
            };
            assert!(
                carried.bytes > u64::from(MEGABYTES) << 20,
                "the oracle is blind: {carried:?}"
            );
            wait_until(&format!("{direction:?} over {device}"), SOON, || {
                let now = daemon.api.address(device)?;
                close_enough("sent", now.sent - before.sent, sent)?;
                close_enough("received", now.received - before.received, received)
            });
        }
    }
}

/// What the device's and the router's TCP have sent.
fn segments(lan: &Lan, is_v6: bool) -> [Segments; 2] {
    [&lan.devices, &lan.router].map(|namespace| Segments::read(namespace, is_v6))
}

fn close_enough(what: &str, counted: Counted, expected: Counted) -> Result<(), String> {
    let is_close =
        |counted: u64, expected: u64| (counted as f64 / expected as f64 - 1.0).abs() <= TOLERANCE;
    if is_close(counted.bytes, expected.bytes) && is_close(counted.packets, expected.packets) {
        Ok(())
    } else {
        Err(format!("{what}: {counted:?} instead of {expected:?}"))
    }
}
