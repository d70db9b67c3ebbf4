//! The table of frames, and what must be counted for each.

use bwmon_common::{
    layout::{Counter, Row, SLOT_NON_IP, SLOT_OUTSIDE},
    names,
};
use bwmon_tests::{DEVICE_MAC, Frame, ROUTER_MAC, ip};

use super::bench::{Bench, Counted};

/// Where a frame must be counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Of(&'static str),
    Outside,
    NonIp,
}

/// A frame, where it belongs by its source and by its destination, and whether it stays local.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) frame: Frame,
    pub(crate) sent_by: Place,
    pub(crate) received_by: Place,
    pub(crate) is_local: bool,
}

pub(crate) fn udp(source: &str, destination: &str) -> Frame {
    Frame::udp((DEVICE_MAC, ROUTER_MAC), (ip(source), ip(destination)))
}

pub(crate) fn cases() -> Vec<Case> {
    use Place::{NonIp, Of, Outside};
    let up = || udp("192.168.1.5", "203.0.113.9");
    let up6 = || udp("fd00::5", "2001:db8::9");
    let case = |name, frame, sent_by, received_by, is_local| Case {
        name,
        frame,
        sent_by,
        received_by,
        is_local,
    };
    vec![
        case("IPv4", up(), Of("192.168.1.5"), Outside, false),
        case(
            "IPv4 down",
            udp("203.0.113.9", "192.168.1.5"),
            Outside,
            Of("192.168.1.5"),
            false,
        ),
        case(
            "IPv4 local",
            udp("192.168.1.5", "192.168.1.6"),
            Of("192.168.1.5"),
            Of("192.168.1.6"),
            true,
        ),
        case(
            "first and last address",
            udp("192.168.1.0", "192.168.1.255"),
            Of("192.168.1.0"),
            Of("192.168.1.255"),
            true,
        ),
        case(
            "multicast",
            udp("192.168.1.5", "224.0.0.251"),
            Of("192.168.1.5"),
            Outside,
            true,
        ),
        case(
            "broadcast",
            udp("192.168.1.5", "255.255.255.255"),
            Of("192.168.1.5"),
            Outside,
            true,
        ),
        case(
            "large prefix",
            udp("10.9.8.7", "192.168.1.6"),
            Of("10.9.8.7"),
            Of("192.168.1.6"),
            true,
        ),
        case("one tag", up().vlan(10), Of("192.168.1.5"), Outside, false),
        case(
            "two tags",
            up().vlan(10).vlan(20),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case(
            "service tag",
            up().service_vlan(10).vlan(20),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case(
            "three tags",
            up().service_vlan(1).vlan(2).vlan(3),
            NonIp,
            NonIp,
            false,
        ),
        case("PPPoE", up().pppoe(), Of("192.168.1.5"), Outside, false),
        case(
            "tag and PPPoE",
            up().vlan(7).pppoe(),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case(
            "PPPoE with IPv6",
            up6().pppoe(),
            Of("fd00::5"),
            Outside,
            false,
        ),
        case(
            "options",
            up().options(40),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case(
            "first fragment",
            up().fragment(0, true),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case(
            "last fragment",
            up().fragment(1480, false),
            Of("192.168.1.5"),
            Outside,
            false,
        ),
        case("IPv6", up6(), Of("fd00::5"), Outside, false),
        case(
            "IPv6 local",
            udp("fd00::5", "fd00::6"),
            Of("fd00::5"),
            Of("fd00::6"),
            true,
        ),
        case(
            "IPv6 multicast",
            udp("fd00::5", "ff02::fb"),
            Of("fd00::5"),
            Outside,
            true,
        ),
        case(
            "IPv6 extensions",
            up6().extensions(),
            Of("fd00::5"),
            Outside,
            false,
        ),
        case(
            "ARP",
            Frame::of_type((DEVICE_MAC, ROUTER_MAC), 0x0806).length(60),
            NonIp,
            NonIp,
            false,
        ),
        case(
            "LLDP",
            Frame::of_type((DEVICE_MAC, ROUTER_MAC), 0x88cc).length(200),
            NonIp,
            NonIp,
            false,
        ),
        case(
            "IPv4 by name only",
            Frame::of_type((DEVICE_MAC, ROUTER_MAC), 0x0800).length(60),
            NonIp,
            NonIp,
            false,
        ),
        case(
            "IPv6 by name only",
            Frame::of_type((DEVICE_MAC, ROUTER_MAC), 0x86dd).length(80),
            NonIp,
            NonIp,
            false,
        ),
    ]
}

/// Whether the kernel builds no skb for a test run from so little of an IP packet.
pub(crate) fn is_refused(program: &str, frame: &[u8]) -> bool {
    let is_tc = [names::PROGRAM_TC_INGRESS, names::PROGRAM_TC_EGRESS].contains(&program);
    let header = match &frame[12..14] {
        [0x08, 0x00] => 20,
        [0x86, 0xdd] => 40,
        _ => 0,
    };
    is_tc && frame.len() < 14 + header
}

/// What a program must count for a frame.
pub(crate) fn check_counted(
    bench: &Bench,
    counted: &Counted,
    len: usize,
    is_sent: bool,
    case: &Case,
    program: &str,
) {
    let place = if is_sent {
        case.sent_by
    } else {
        case.received_by
    };
    let context = format!("{}, {program}: {counted:?}", case.name);
    let [(slot, row)] = counted.slots.as_slice() else {
        panic!("one slot must have counted: {context}");
    };
    match place {
        Place::Of(address) => assert!(bench.is_slot_of(*slot, ip(address)), "{context}"),
        Place::Outside => assert_eq!(*slot, SLOT_OUTSIDE, "{context}"),
        Place::NonIp => assert_eq!(*slot, SLOT_NON_IP, "{context}"),
    }
    assert_eq!(
        *row,
        one_frame(len as u64, is_sent, case.is_local),
        "{context}"
    );
}

pub(crate) fn one_frame(bytes: u64, is_sent: bool, is_local: bool) -> Row {
    frames(bytes, 1, is_sent, is_local)
}

pub(crate) fn frames(bytes: u64, packets: u64, is_sent: bool, is_local: bool) -> Row {
    let counter = Counter { bytes, packets };
    let mut row = Row::default();
    let (all, local) = if is_sent {
        (&mut row.sent, &mut row.sent_local)
    } else {
        (&mut row.received, &mut row.received_local)
    };
    *all = counter;
    if is_local {
        *local = counter;
    }
    row
}
