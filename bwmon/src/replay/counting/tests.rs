use super::*;
use crate::replay::capture::LinkType;

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

fn traffic() -> Traffic {
    let networks = ["192.168.1.0/24", "fd00::/64", "fe80::/10"];
    Traffic::new(networks.map(|net| net.parse().unwrap()).to_vec())
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&MACS[..], &ether_type.to_be_bytes(), payload].concat()
}

fn ipv4(source: &str, destination: &str) -> Vec<u8> {
    let octets = |text: &str| text.parse::<Ipv4Addr>().unwrap().octets();
    let head = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0];
    ethernet(
        0x0800,
        &[&head[..], &octets(source), &octets(destination)].concat(),
    )
}

fn ipv6(source: &str, destination: &str, next: u8, payload: &[u8]) -> Vec<u8> {
    let octets = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    let head = [0x60, 0, 0, 0, 0, payload.len() as u8, next, 255];
    let packet = [&head[..], &octets(source), &octets(destination), payload].concat();
    ethernet(0x86dd, &packet)
}

fn frame(data: &[u8]) -> Frame<'_> {
    Frame {
        at: None,
        link: LinkType::Ethernet,
        bytes: 100,
        data,
    }
}

/// Bytes of each address, as [`Row`] has them.
fn rows(data: &[u8]) -> Vec<(String, [u64; 4])> {
    let mut traffic = traffic();
    traffic.add(&frame(data));
    let mut rows: Vec<_> = traffic
        .take()
        .map(|(address, row)| {
            let counters = [row.sent, row.received, row.sent_local, row.received_local];
            (address.to_string(), counters.map(|counter| counter.bytes))
        })
        .collect();
    rows.sort();
    rows
}

fn check(data: &[u8], expected: &[(&str, [u64; 4])]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(address, row)| ((*address).to_owned(), *row))
        .collect();
    assert_eq!(rows(data), expected);
}

#[test]
fn the_local_end_is_the_device() {
    check(
        &ipv4("192.168.1.5", "198.51.100.1"),
        &[("192.168.1.5", [100, 0, 0, 0])],
    );
    check(
        &ipv4("198.51.100.1", "192.168.1.5"),
        &[("192.168.1.5", [0, 100, 0, 0])],
    );
    check(
        &ipv6("fd00::5", "2001:db8::1", 17, &[]),
        &[("fd00::5", [100, 0, 0, 0])],
    );
}

#[test]
fn between_two_local_ends_it_is_local_for_both() {
    check(
        &ipv4("192.168.1.5", "192.168.1.6"),
        &[
            ("192.168.1.5", [100, 0, 100, 0]),
            ("192.168.1.6", [0, 100, 0, 100]),
        ],
    );
}

#[test]
fn what_goes_to_a_group_is_local() {
    for group in ["224.0.0.251", "255.255.255.255"] {
        check(
            &ipv4("192.168.1.5", group),
            &[("192.168.1.5", [100, 0, 100, 0])],
        );
    }
    check(
        &ipv6("fd00::5", "ff02::1", 17, &[]),
        &[("fd00::5", [100, 0, 100, 0])],
    );
}

#[test]
fn every_frame_is_counted_somewhere() {
    let mut traffic = traffic();
    for data in [
        ipv4("192.168.1.5", "198.51.100.1"),
        ipv4("203.0.113.1", "198.51.100.1"),
        ethernet(0x0800, &[0x45, 0]),
        Vec::new(),
    ] {
        traffic.add(&frame(&data));
    }
    let packets = [traffic.total, traffic.outside, traffic.non_ip].map(|counter| counter.packets);
    assert_eq!(packets, [4, 1, 2]);
}

#[test]
fn a_flood_of_sources_takes_bounded_memory() {
    let mut traffic = Traffic::new(vec!["10.0.0.0/8".parse().unwrap()]);
    for host in 0..MAX_ADDRESSES as u32 + 10 {
        let source = Ipv4Addr::from_bits(0x0a00_0000 | host).to_string();
        traffic.add(&frame(&ipv4(&source, "198.51.100.1")));
    }
    assert_eq!(traffic.take().count(), MAX_ADDRESSES);
    assert_eq!(traffic.overflow.packets, 10);
    // Those that are known still count.
    traffic.add(&frame(&ipv4("10.0.0.0", "198.51.100.1")));
    assert_eq!(traffic.take().count(), 1);
}

fn arp(sender: [u8; 4]) -> Vec<u8> {
    let head = [0, 1, 8, 0, 6, 4, 0, 1];
    let rest = [0; 10];
    ethernet(0x0806, &[&head[..], &MAC.0, &sender, &rest].concat())
}

fn discovery(kind: u8, source: &str, target: &str, option: u8) -> Vec<u8> {
    let target = target.parse::<Ipv6Addr>().unwrap().octets();
    let head = [kind, 0, 0, 0, 0, 0, 0, 0];
    let nonce = [14, 1, 0, 0, 0, 0, 0, 0];
    let message = [&head[..], &target, &nonce, &[option, 1], &MAC.0].concat();
    ipv6(source, "ff02::1:ff00:7", 58, &message)
}

#[test]
fn devices_announce_their_macs() {
    let tagged = {
        let mut frame = arp([192, 168, 1, 5]);
        frame.splice(12..12, [0x81, 0, 0, 7]);
        frame
    };
    let rows = [
        (arp([192, 168, 1, 5]), Some("192.168.1.5")),
        (tagged, Some("192.168.1.5")),
        // A probe for an address that it does not have yet.
        (arp([0, 0, 0, 0]), None),
        // Not in a local network: the router towards the internet.
        (arp([198, 51, 100, 1]), None),
        (discovery(135, "fe80::5", "fe80::7", 1), Some("fe80::5")),
        (discovery(136, "fe80::5", "fd00::7", 2), Some("fd00::7")),
        (discovery(135, "::", "fe80::7", 1), None),
        (discovery(136, "fe80::5", "fd00::7", 1), None),
        // An ordinary packet, perhaps by way of a router.
        (ipv4("192.168.1.5", "198.51.100.1"), None),
    ];
    for (data, expected) in rows {
        let mut traffic = traffic();
        traffic.add(&frame(&data));
        let learned: Vec<_> = traffic.take_learned().collect();
        let expected = expected.map(|address| (address.parse().unwrap(), MAC));
        assert_eq!(learned, expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn an_option_without_a_length_does_not_hang() {
    let mut data = discovery(135, "fe80::5", "fe80::7", 1);
    data[14 + 40 + 24 + 1] = 0;
    let mut traffic = traffic();
    traffic.add(&frame(&data));
    assert_eq!(traffic.take_learned().count(), 0);
}
