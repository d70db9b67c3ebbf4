//! What is around and inside an IP header: tags, PPPoE, options, fragments, extension headers, large
//! frames; and interfaces that are no plain cable.

use std::{net::UdpSocket, sync::Arc};

use bwmon_tests::{
    Counted, DEVICE_MAC, Flow, Frame, Lan, Mac, NOBODY_MAC, Namespace, ROUTER_MAC, SOON, Setup,
    Traffic, Tun, balance, bridge, ip, veth, wait_for_balance, wait_until,
};

const LOCAL: &str = "local_networks = [\"192.0.2.0/24\", \"2001:db8::/64\"]\n";
const JUMBO_MTU: &str = "mtu 9000";
/// Frames of each kind: one could be lost among others.
const EACH: u64 = 5;

#[test]
fn native_xdp_and_egress_find_the_address_in_every_frame() {
    check("xdp_mode = \"native\"\n", "native");
}

#[test]
fn tc_ingress_and_egress_find_the_address_in_every_frame() {
    check("xdp_mode = \"tc\"\n", "tc");
}

fn check(mode: &str, ingress_mode: &str) {
    let lan = Lan::new();
    for link in [&lan.lan, &lan.device] {
        link.set(JUMBO_MTU);
    }
    let daemon = Setup::new(&lan.router, &["lan0"])
        .config(&format!("{mode}{LOCAL}"))
        .start();
    let interface = wait_until("the interface", SOON, || daemon.api.interface("lan0"));
    assert_eq!(interface.ingress_mode.as_deref(), Some(ingress_mode));
    let mut total = Traffic::default();
    for (name, shape) in shapes() {
        for (device, far) in [
            ("192.0.2.7", "198.51.100.1"),
            ("2001:db8::7", "2001:db8:f::1"),
        ] {
            let before = wait_until("counts", SOON, || daemon.api.address(ip(device)));
            let (up, down) = (
                shape(Lan::packet(device, far)),
                shape(Lan::packet(far, device)),
            );
            let (Some(up), Some(down)) = (up, down) else {
                continue;
            };
            let sent = lan.upload((0..EACH).map(|_| up.build()));
            let received = lan.download((0..EACH).map(|_| down.build()));
            total.sent += sent;
            total.received += received;
            wait_until(&format!("{name} of {device}"), SOON, || {
                let now = daemon.api.address(ip(device))?;
                let grown = (now.sent - before.sent, now.received - before.received);
                if grown == (sent, received) {
                    Ok(())
                } else {
                    Err(format!("{grown:?}"))
                }
            });
        }
    }
    wait_for_balance(&daemon, "lan0", total);
}

type Shape = fn(Frame) -> Option<Frame>;

/// What is done to a plain packet; `None` where the address family has no such thing.
fn shapes() -> Vec<(&'static str, Shape)> {
    vec![
        ("the shortest", Some),
        ("plain", |frame| Some(frame.length(100))),
        ("one tag", |frame| Some(frame.vlan(10).length(101))),
        ("one tag, priority only", |frame| {
            Some(frame.vlan(0).length(101))
        }),
        ("one service tag", |frame| {
            Some(frame.service_vlan(10).length(102))
        }),
        ("two tags", |frame| {
            Some(frame.service_vlan(10).vlan(20).length(103))
        }),
        ("two tags of one kind", |frame| {
            Some(frame.vlan(10).vlan(20).length(104))
        }),
        ("PPPoE", |frame| Some(frame.pppoe().length(105))),
        ("PPPoE in a tag", |frame| {
            Some(frame.vlan(10).pppoe().length(106))
        }),
        ("PPPoE in two tags", |frame| {
            Some(frame.service_vlan(10).vlan(20).pppoe().length(107))
        }),
        ("one option", |frame| {
            v4(frame).map(|frame| frame.options(4).length(108))
        }),
        ("all options", |frame| {
            v4(frame).map(|frame| frame.options(40).length(109))
        }),
        ("options in a tag", |frame| {
            v4(frame).map(|frame| frame.options(12).vlan(10).length(110))
        }),
        ("extension headers", |frame| {
            v6(frame).map(|frame| frame.extensions().length(111))
        }),
        ("extension headers in two tags", |frame| {
            v6(frame).map(|frame| frame.extensions().service_vlan(10).vlan(20).length(130))
        }),
        ("first fragment", |frame| {
            Some(frame.fragment(0, true).length(1514))
        }),
        ("next fragment", |frame| {
            Some(frame.fragment(1480, true).length(1514))
        }),
        ("last fragment", |frame| {
            Some(frame.fragment(2960, false).length(114))
        }),
        ("last fragment in a tag", |frame| {
            Some(frame.vlan(10).fragment(2960, false).length(115))
        }),
        ("a full frame", |frame| Some(frame.length(1514))),
        ("a full frame with a tag", |frame| {
            Some(frame.vlan(10).length(1518))
        }),
        ("half a jumbo frame", |frame| Some(frame.length(4500))),
        ("a jumbo frame", |frame| Some(frame.length(9014))),
        ("a jumbo frame with a tag", |frame| {
            Some(frame.vlan(10).length(9018))
        }),
        ("a jumbo frame in PPPoE", |frame| {
            Some(frame.pppoe().length(9014))
        }),
    ]
}

fn v4(frame: Frame) -> Option<Frame> {
    frame.is_v4().then_some(frame)
}

fn v6(frame: Frame) -> Option<Frame> {
    (!frame.is_v4()).then_some(frame)
}

#[test]
fn the_mtu_can_be_raised_while_counting() {
    let lan = Lan::new();
    let daemon = Setup::new(&lan.router, &["lan0"]).config(LOCAL).start();
    let sent = lan.upload([Lan::packet("192.0.2.7", "198.51.100.1")
        .length(1514)
        .build()]);
    for link in [&lan.lan, &lan.device] {
        link.set(JUMBO_MTU);
    }
    let more = lan.upload([Lan::packet("192.0.2.7", "198.51.100.1")
        .length(9014)
        .build()]);
    let interface = wait_until("the interface", SOON, || daemon.api.interface("lan0"));
    assert_eq!(interface.ingress_mode.as_deref(), Some("native"));
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent: sent + more,
            ..Traffic::default()
        },
    );
}

#[test]
fn a_bridge_counts_by_tc_of_its_own_accord() {
    let lan = Lan::new();
    let mac = Mac([0x02, 0, 0, 0, 0, 0xb0]);
    let bridge = bridge(&[&lan.lan], "br-lan", mac);
    let daemon = Setup::new(&lan.router, &["br-lan"]).config(LOCAL).start();
    let interface = wait_until("the interface", SOON, || daemon.api.interface("br-lan"));
    assert_eq!(interface.ingress_mode.as_deref(), Some("tc"));

    // The bridge takes in what is for itself or for everyone, not what passes through it.
    let before = bridge.counters();
    let up = |length, source| {
        Frame::udp((DEVICE_MAC, mac), (ip(source), ip("198.51.100.1"))).length(length)
    };
    let sent = lan.device.injector().send_all(
        &lan.lan,
        (0..200).flat_map(|n| {
            [
                up(60 + n, "192.0.2.7").build(),
                up(64 + n, "192.0.2.8").vlan(10).build(),
            ]
        }),
    );
    let down = Frame::udp((mac, DEVICE_MAC), (ip("198.51.100.1"), ip("192.0.2.7")));
    let received = bridge.injector().send_all(
        &lan.device,
        (0..200).map(|n| down.clone().length(60 + n).build()),
    );
    let on_link = bridge.counters() - before;
    assert_eq!(
        on_link.rx.packets, sent.packets,
        "the bridge took in something else"
    );
    assert_eq!(on_link.tx, received, "the bridge sent something else");
    wait_for_balance(&daemon, "br-lan", Traffic { sent, received });
    wait_until("the addresses", SOON, || {
        let [a, b] = [
            daemon.api.address(ip("192.0.2.7"))?,
            daemon.api.address(ip("192.0.2.8"))?,
        ];
        if a.sent + b.sent == sent && a.sent.packets == 200 && a.received == received {
            Ok(())
        } else {
            Err(format!("{a:?} {b:?}"))
        }
    });
}

/// A bridge takes the tag off and carries it beside the frame.
#[test]
fn a_tag_beside_the_frame_is_counted_on_the_way_out() {
    let lan = Lan::new();
    let far = Arc::new(Namespace::new("far"));
    let (wan, outside) = veth(
        (&lan.router, "wan0", Mac([0x02, 0, 0, 0, 0, 0x11])),
        (&far, "far0", Mac([0x02, 0, 0, 0, 0, 0x12])),
    );
    bridge(&[&lan.lan, &wan], "br0", Mac([0x02, 0, 0, 0, 0, 0xb0]));
    let daemon = Setup::new(&lan.router, &["lan0"]).config(LOCAL).start();
    let down = Frame::udp(
        (outside.mac, DEVICE_MAC),
        (ip("198.51.100.1"), ip("192.0.2.7")),
    );
    let frames = (0..100).map(|n| {
        down.clone()
            .service_vlan(10)
            .vlan(20)
            .length(100 + n)
            .build()
    });
    let received = outside.injector().send_all(&wan, frames);
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            received,
            ..Traffic::default()
        },
    );
    let counts = wait_until("counts", SOON, || daemon.api.address(ip("192.0.2.7")));
    assert_eq!(counts.received, received);
}

#[test]
fn two_interfaces_count_apart_and_addresses_together() {
    let lan = Lan::new();
    let (second, device) = veth(
        (&lan.router, "lan1", Mac([0x02, 0, 0, 0, 1, 1])),
        (&lan.devices, "dev1", Mac([0x02, 0, 0, 0, 1, 2])),
    );
    let daemon = Setup::new(&lan.router, &["lan0", "lan1"])
        .config(LOCAL)
        .start();
    let frame = |source: &str| Lan::packet(source, "198.51.100.1");
    let first_sent = lan.upload((0..100).map(|n| frame("192.0.2.7").length(100 + n).build()));
    let second_sent = device.injector().send_all(
        &second,
        (0..50).map(|n| frame("192.0.2.8").length(300 + n).build()),
    );
    let moved = device
        .injector()
        .send_all(&second, [frame("192.0.2.7").length(999).build()]);
    let back = Lan::packet("198.51.100.1", "192.0.2.8").length(500).build();
    let received = second.injector().send_all(&device, [back]);
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent: first_sent,
            ..Traffic::default()
        },
    );
    wait_for_balance(
        &daemon,
        "lan1",
        Traffic {
            sent: second_sent + moved,
            received,
        },
    );
    let addresses = wait_until("addresses", SOON, || daemon.api.addresses());
    assert_eq!(addresses[&ip("192.0.2.7")].sent, first_sent + moved);
    assert_eq!(addresses[&ip("192.0.2.8")].sent, second_sent);
    assert_eq!(addresses[&ip("192.0.2.8")].received, received);
}

#[test]
fn networks_that_follow_the_addresses_lose_no_byte_of_traffic_under_way() {
    let lan = Lan::new();
    // Else it is no router, and counts everybody.
    lan.router.sysctl("net/ipv4/ip_forward", "1");
    lan.lan.add_address("192.0.2.1/24");
    let daemon = Setup::new(&lan.router, &["lan0"]).start();
    let before = lan.lan.counters();
    let flow = |source| {
        Flow::start(
            &lan.device,
            Lan::packet(source, "203.0.113.9").length(400).build(),
            2000,
        )
    };
    let (known, new) = (flow("192.0.2.7"), flow("198.51.100.7"));
    let counts = |address: &str| {
        daemon
            .api
            .address(ip(address))
            .map(|counts| counts.sent.packets)
    };
    let at_least = |address: &'static str, packets| {
        wait_until(address, SOON, || match counts(address)? {
            counted if counted >= packets => Ok(()),
            counted => Err(format!("{counted} packets")),
        });
    };
    at_least("192.0.2.7", 400);
    assert_eq!(
        counts("198.51.100.7"),
        Ok(0),
        "it is in no local network yet"
    );
    lan.lan.add_address("198.51.100.1/24");
    at_least("198.51.100.7", 400);
    lan.router.ip("address delete 198.51.100.1/24 dev lan0");
    let outside = || {
        daemon
            .api
            .interface("lan0")
            .map(|interface| interface.outside_bytes)
    };
    let outside_before = wait_until("the interface", SOON, outside);
    wait_until("it to be outside again", SOON, || {
        let grown = outside()? - outside_before;
        if grown > 400 * 400 {
            Ok(())
        } else {
            Err(format!("{grown} bytes"))
        }
    });
    let (known, new) = (known.stop(), new.stop());
    let sent = known + new;
    wait_until("the last frame", SOON, || {
        let arrived = (lan.lan.counters() - before).rx.packets;
        if arrived == sent.packets {
            Ok(())
        } else {
            Err(arrived)
        }
    });
    wait_for_balance(
        &daemon,
        "lan0",
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    let counted: Counted = wait_until("it", SOON, || daemon.api.address(ip("192.0.2.7"))).sent;
    assert_eq!(counted, known, "the device that was local all the time");
    wait_until("the balance", SOON, || balance(&daemon.api));
}

#[test]
fn packets_without_a_link_layer_are_counted() {
    let router = Arc::new(Namespace::new("router"));
    let tun = Tun::new(&router, "tun0");
    tun.link.add_address("192.0.2.1/24");
    let daemon = Setup::new(&router, &["tun0"]).config(LOCAL).start();
    let sent = tun.upload((0..100).flat_map(|n| {
        [
            ("192.0.2.7", "198.51.100.1"),
            ("2001:db8::7", "2001:db8:f::1"),
        ]
        .map(|(device, far)| Lan::packet(device, far).length(100 + n))
    }));
    wait_for_balance(
        &daemon,
        "tun0",
        Traffic {
            sent,
            ..Traffic::default()
        },
    );
    let socket = router
        .enter(|| UdpSocket::bind("192.0.2.1:0"))
        .expect("a socket");
    for _ in 0..10 {
        socket
            .send_to(&[0; 100], "192.0.2.7:9")
            .expect("send a datagram");
    }
    // The interface itself counts a packet when somebody reads it, which nobody does here.
    let received = Counted {
        packets: 10,
        bytes: 10 * (20 + 8 + 100),
    };
    wait_until("the device", SOON, || {
        let counts = daemon.api.address(ip("192.0.2.7"))?;
        let is_right = counts.sent.packets == 100 && counts.received == received;
        if is_right {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    });
}

#[test]
fn a_machine_that_does_not_route_counts_every_address() {
    let lan = Lan::new();
    lan.lan.add_address("192.0.2.1/24");
    let daemon = Setup::new(&lan.router, &["lan0"]).start();
    let frame = Frame::udp(
        (ROUTER_MAC, NOBODY_MAC),
        (ip("192.0.2.1"), ip("203.0.113.9")),
    );
    let received = lan.download([frame.clone().length(777).build()]);
    let sent = lan.upload([Lan::packet("203.0.113.9", "192.0.2.1").length(555).build()]);
    wait_until("the remote address", SOON, || {
        let counts = daemon.api.address(ip("203.0.113.9"))?;
        if (counts.sent, counts.received) == (sent, received) {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    });
    wait_for_balance(&daemon, "lan0", Traffic { sent, received });
    let status = wait_until("the status", SOON, || daemon.api.json("/api/v1/status"));
    assert_eq!(status["counts_every_address"], true, "{status}");
}
