//! Conservation: every frame is counted once, and every byte is somewhere.

use bwmon_tests::{
    Counted, DEVICE_MAC, Frame, Lan, LinkCounters, NOBODY_MAC, SOON, Setup, Traffic, ip,
    wait_for_balance, wait_until,
};

/// The link counter of a veth leaves the Ethernet header out of what native XDP received.
const LEFT_OUT_BY_XDP_ON_VETH: u64 = 14;

const LOCAL: &str = "local_networks = [\"192.0.2.0/24\", \"2001:db8::/64\"]\nmax_addresses = 256\n";

#[test]
fn native_xdp_and_tcx_count_every_frame_once() {
    check(
        "xdp_mode = \"native\"\n",
        ("native", "tcx"),
        LEFT_OUT_BY_XDP_ON_VETH,
    );
}

#[test]
fn tcx_on_both_sides_counts_every_frame_once() {
    check("xdp_mode = \"tc\"\n", ("tc", "tcx"), 0);
}

#[test]
fn generic_xdp_counts_every_frame_once() {
    check("xdp_mode = \"generic\"\n", ("generic", "tcx"), 0);
}

#[test]
fn clsact_counts_every_frame_once() {
    check(
        "xdp_mode = \"tc\"\ntc_mode = \"clsact\"\n",
        ("tc", "clsact"),
        0,
    );
}

fn check(modes: &str, expected_modes: (&str, &str), left_out: u64) {
    let lan = Lan::new();
    let before = lan.lan.counters();
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(&format!("{modes}{LOCAL}"))
        .start();
    let up = lan.upload(all_kinds());
    let down = lan.download(all_kinds());
    let interface = wait_until("the interface", SOON, || daemon.api.interface("lan0"));
    let in_use = (
        interface.ingress_mode.as_deref(),
        interface.egress_mode.as_deref(),
    );
    assert_eq!(in_use, (Some(expected_modes.0), Some(expected_modes.1)));

    let LinkCounters { rx, tx, .. } = lan.lan.counters() - before;
    let on_link = Counted {
        packets: rx.packets,
        bytes: rx.bytes + left_out * rx.packets,
    };
    assert_eq!((on_link, tx), (up, down), "the link carried something else");
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent: on_link,
            received: tx,
        },
    );
}

/// Frames of local devices, of strangers, of no IP at all, and of none that could be.
fn all_kinds() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for host in 1..=254 {
        let v4 = format!("192.0.2.{host}");
        let v6 = format!("2001:db8::{host:x}");
        frames.push(Lan::packet(&v4, "198.51.100.1").length(60 + host).build());
        frames.push(Lan::packet("198.51.100.1", &v4).length(61 + host).build());
        frames.push(
            Lan::packet(&v6, "2001:db8:ffff::1")
                .length(70 + host)
                .build(),
        );
        frames.push(
            Lan::packet("2001:db8:ffff::1", &v6)
                .length(71 + host)
                .build(),
        );
    }
    for ether_type in [0x0806, 0x88cc, 0x0842, 0x0003, 0x86dd, 0x0800] {
        frames.push(
            Frame::of_type((DEVICE_MAC, NOBODY_MAC), ether_type)
                .length(64)
                .build(),
        );
    }
    // Cut off anywhere: a packet socket refuses less than an Ethernet header, and the kernel drops
    // what can't hold a tag and a type after it before TC sees it (skb_vlan_untag).
    let plain = Lan::packet("192.0.2.7", "198.51.100.1");
    for (whole, shortest) in [(plain.clone(), 14), (plain.vlan(7), 20)] {
        let whole = whole.length(60).build();
        frames.extend((shortest..whole.len()).map(|length| whole[..length].to_vec()));
    }
    frames
}

#[test]
fn a_table_that_is_full_loses_no_byte() {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config("local_networks = [\"2001:db8::/64\"]\nmax_addresses = 16\n");
    let daemon = setup.start();
    let frames = (1..=100).map(|host| {
        Lan::packet(&format!("2001:db8::{host:x}"), "2001:db8:ffff::1")
            .length(200)
            .build()
    });
    let sent = lan.upload(frames);
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    let overflow = daemon
        .api
        .interface("lan0")
        .map(|interface| interface.overflow_bytes);
    assert_eq!(overflow, Ok(84 * 200), "16 of 100 addresses find a slot");
}

#[test]
fn what_stays_in_the_local_networks_is_told_apart() {
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"]).config(LOCAL).start();
    let rows = [
        // To a neighbour, to all of them, and to groups: local.
        ("192.0.2.7", "192.0.2.8", 101, true),
        ("192.0.2.7", "192.0.2.255", 102, true),
        ("192.0.2.7", "255.255.255.255", 103, true),
        ("192.0.2.7", "224.0.0.251", 104, true),
        ("192.0.2.7", "198.51.100.1", 105, false),
        ("2001:db8::7", "2001:db8::8", 106, true),
        ("2001:db8::7", "ff02::fb", 107, true),
        ("2001:db8::7", "2001:db8:ffff::1", 108, false),
    ];
    let frames = |is_v6: bool| {
        rows.into_iter()
            .filter(move |(source, ..)| source.contains(':') == is_v6)
    };
    lan.upload(rows.iter().map(|(source, destination, length, _)| {
        Lan::packet(source, destination).length(*length).build()
    }));
    // The same the other way round, but for groups, which send nothing.
    let answers = rows.into_iter().filter(|(_, destination, ..)| {
        [
            "192.0.2.8",
            "198.51.100.1",
            "2001:db8::8",
            "2001:db8:ffff::1",
        ]
        .contains(destination)
    });
    let answers: Vec<_> = answers.collect();
    lan.download(answers.iter().map(|(source, destination, length, _)| {
        Lan::packet(destination, source).length(*length).build()
    }));
    for (address, is_v6) in [("192.0.2.7", false), ("2001:db8::7", true)] {
        let sum = |rows: &mut dyn Iterator<Item = (&str, &str, usize, bool)>| {
            rows.fold(Counted::default(), |sum, (_, _, length, _)| {
                sum + Counted {
                    bytes: length as u64,
                    packets: 1,
                }
            })
        };
        let sent = sum(&mut frames(is_v6));
        let sent_local = sum(&mut frames(is_v6).filter(|row| row.3));
        let answered = || {
            answers
                .iter()
                .copied()
                .filter(move |row| row.0.contains(':') == is_v6)
        };
        let received = sum(&mut answered());
        let received_local = sum(&mut answered().filter(|row| row.3));
        wait_until(address, SOON, || {
            let counts = daemon.api.address(ip(address))?;
            let all = [
                counts.sent,
                counts.sent_local,
                counts.received,
                counts.received_local,
            ];
            if all == [sent, sent_local, received, received_local] {
                Ok(())
            } else {
                Err(format!("{counts:?}"))
            }
        });
    }
}
