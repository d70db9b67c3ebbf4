//! The programs by `BPF_PROG_TEST_RUN`: each frame of one table, whole, cut at every byte, and any
//! bytes at all, through every carrier of the parser. What a program counted is read from the
//! counter table; where it must be is known from how the frame was built.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::{cell::RefCell, collections::BTreeSet, net::IpAddr};

use aya::programs::{Program, ProgramError, TestRun as _, TestRunOptions};
use bwmon::{
    core::meter::{Baseline, minus, plus},
    kernel::{Counting, LinkLayer, OBJECT, Shape, possible_cpus},
};
use bwmon_common::{
    layout::{Address, FIRST_ADDRESS_SLOT, Row, SLOT_NON_IP, SLOT_OUTSIDE, SLOT_OVERFLOW},
    names,
    networks::{Networks, Prefix4, Prefix6},
    parse::{Addresses, Header},
};
use bwmon_tests::{DEVICE_MAC, Frame, ROUTER_MAC, ip};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

const XDP_PASS: u32 = 2;
/// `TCX_NEXT`, as the kernel returns it.
const TCX_NEXT: u32 = u32::MAX;

const HASHED: u32 = 64;
const LAN: Prefix4 = Prefix4 {
    network: 0xc0a8_0100,
    mask: 0xffff_ff00,
    base: FIRST_ADDRESS_SLOT,
    padding: 0,
};
/// Local too, but too large for slots of its own.
const LARGE: Prefix4 = Prefix4 {
    network: 0x0a00_0000,
    mask: 0xff00_0000,
    base: u32::MAX,
    padding: 0,
};

/// Programs and tables, and what was read of them last.
struct Bench {
    counting: Counting,
    baseline: Baseline,
}

/// What one run of a program did.
#[derive(Debug, PartialEq)]
struct Counted {
    verdict: u32,
    slots: Vec<(u32, Row)>,
}

impl Bench {
    fn new(link_layer: LinkLayer) -> Self {
        let hash_base = FIRST_ADDRESS_SLOT + 256;
        let shape = Shape {
            cpus: possible_cpus().unwrap(),
            slots: hash_base + HASHED,
            hash_base,
        };
        let mut counting = Counting::load(shape, link_layer, None).unwrap();
        counting.table_mut().configure(&networks()).unwrap();
        Self {
            counting,
            baseline: Baseline::new(shape.slots as usize, []),
        }
    }

    fn run(&mut self, program: &str, frame: &[u8]) -> Counted {
        self.run_with(program, frame, None)
    }

    fn run_with(&mut self, program: &str, frame: &[u8], context: Option<&[u8]>) -> Counted {
        let options = TestRunOptions {
            data_in: Some(frame),
            ctx_in: context,
            repeat: 1,
            ..Default::default()
        };
        let result = match self.counting.ebpf_mut().program_mut(program).unwrap() {
            Program::Xdp(xdp) => {
                loaded(xdp.load());
                xdp.test_run(options)
            }
            Program::SchedClassifier(tc) => {
                loaded(tc.load());
                tc.test_run(options)
            }
            _ => panic!("{program} is of another type"),
        };
        let verdict = result.unwrap().return_value;
        Counted {
            verdict,
            slots: self.changed(),
        }
    }

    fn changed(&mut self) -> Vec<(u32, Row)> {
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        self.counting.table().read(&mut rows);
        self.baseline
            .advance(&rows, |slot, row| slots.push((slot, row)));
        slots
    }

    fn total(&self) -> Row {
        let mut rows = Vec::new();
        self.counting.table().read(&mut rows);
        rows.into_iter().fold(Row::default(), plus)
    }

    /// The slot that an address must be counted at, once it was counted.
    fn is_slot_of(&self, slot: u32, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) if u32::from(address) & LAN.mask == LAN.network => {
                slot == LAN.base + (u32::from(address) & !LAN.mask)
            }
            _ => self.counting.table().owner(slot) == Some(address),
        }
    }
}

fn loaded(result: Result<(), ProgramError>) {
    assert!(
        matches!(result, Ok(()) | Err(ProgramError::AlreadyLoaded)),
        "{result:?}"
    );
}

fn networks() -> Networks {
    let mut networks = Networks {
        v4_len: 2,
        v6_len: 1,
        ..Networks::default()
    };
    networks.v4[..2].copy_from_slice(&[LAN, LARGE]);
    networks.v6[0] = Prefix6 {
        network: Address::from_words([0xfd00 << 48, 0]),
        mask: Address::from_words([u64::MAX, 0]),
    };
    networks
}

/// Where a frame must be counted.
#[derive(Clone, Copy, Debug)]
enum Place {
    Of(&'static str),
    Outside,
    NonIp,
}

/// A frame, where it belongs by its source and by its destination, and whether it stays local.
struct Case {
    name: &'static str,
    frame: Frame,
    sent_by: Place,
    received_by: Place,
    is_local: bool,
}

fn udp(source: &str, destination: &str) -> Frame {
    Frame::udp((DEVICE_MAC, ROUTER_MAC), (ip(source), ip(destination)))
}

fn cases() -> Vec<Case> {
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
fn is_refused(program: &str, frame: &[u8]) -> bool {
    let is_tc = [names::PROGRAM_TC_INGRESS, names::PROGRAM_TC_EGRESS].contains(&program);
    let header = match &frame[12..14] {
        [0x08, 0x00] => 20,
        [0x86, 0xdd] => 40,
        _ => 0,
    };
    is_tc && frame.len() < 14 + header
}

/// What a program must count for a frame.
fn expect(bench: &Bench, counted: &Counted, len: usize, is_sent: bool, case: &Case, program: &str) {
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

fn one_frame(bytes: u64, is_sent: bool, is_local: bool) -> Row {
    frames(bytes, 1, is_sent, is_local)
}

fn frames(bytes: u64, packets: u64, is_sent: bool, is_local: bool) -> Row {
    let counter = bwmon_common::layout::Counter { bytes, packets };
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

/// Every program, the verdict that passes a packet on, and the direction it counts.
const PROGRAMS: [(&str, u32, bool); 4] = [
    (names::PROGRAM_XDP_FRAGS, XDP_PASS, true),
    (names::PROGRAM_XDP, XDP_PASS, true),
    (names::PROGRAM_TC_INGRESS, TCX_NEXT, true),
    (names::PROGRAM_TC_EGRESS, TCX_NEXT, false),
];

#[test]
fn every_encapsulation_is_counted_for_its_address() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    for case in cases() {
        let frame = case.frame.build();
        for (program, pass, is_sent) in PROGRAMS {
            let counted = bench.run(program, &frame);
            assert_eq!(counted.verdict, pass, "{}, {program}", case.name);
            expect(&bench, &counted, frame.len(), is_sent, &case, program);
        }
    }
}

#[test]
fn plain_bytes_are_parsed_as_the_programs_parse_them() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    for case in cases() {
        let frame = case.frame.build();
        let parsed = Header::after_ethernet(frame.as_slice()).addresses(frame.as_slice());
        match (case.sent_by, parsed) {
            (Place::NonIp, parsed) => assert_eq!(parsed, None, "{}", case.name),
            (Place::Of(address), Some(parsed)) => {
                assert_eq!(source(parsed), ip(address), "{}", case.name)
            }
            (Place::Outside, Some(_)) => {}
            (place, None) => panic!("{}: nothing was parsed, but {place:?} expected", case.name),
        }
        let is_ip = bench.run(names::PROGRAM_XDP, &frame).slots[0].0 != SLOT_NON_IP;
        assert_eq!(parsed.is_some(), is_ip, "{}", case.name);
    }
}

#[test]
fn a_frame_cut_at_any_byte_is_counted_as_long_as_it_is() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    for case in cases() {
        let whole = case.frame.build();
        // The kernel runs no program on less than an Ethernet header.
        for len in 14..whole.len() {
            let frame = &whole[..len];
            let is_ip = Header::after_ethernet(frame).addresses(frame).is_some();
            for (program, pass, is_sent) in PROGRAMS {
                if is_refused(program, frame) {
                    continue;
                }
                let counted = bench.run(program, frame);
                let context = format!("{} cut to {len}, {program}: {counted:?}", case.name);
                assert_eq!(counted.verdict, pass, "{context}");
                let [(slot, row)] = counted.slots.as_slice() else {
                    panic!("one slot must have counted: {context}");
                };
                assert_eq!(*slot == SLOT_NON_IP, !is_ip, "{context}");
                let counter = if is_sent { row.sent } else { row.received };
                assert_eq!(
                    (counter.bytes, counter.packets),
                    (len as u64, 1),
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn a_packet_without_a_link_layer_is_read_from_its_start() {
    let mut bench = Bench::new(LinkLayer::Ip);
    for (source, destination) in [("192.168.1.5", "203.0.113.9"), ("fd00::5", "2001:db8::9")] {
        let packet = udp(source, destination).build().split_off(14);
        let counted = bench.run(names::PROGRAM_TC_INGRESS, &packet);
        let [(slot, row)] = counted.slots.as_slice() else {
            panic!("{counted:?}")
        };
        assert!(bench.is_slot_of(*slot, ip(source)), "{counted:?}");
        assert_eq!(*row, one_frame(packet.len() as u64, true, false));
    }
}

#[test]
fn a_super_packet_is_counted_as_the_frames_it_stands_for() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    // 10 segments of 100 bytes, the last one short: 942 bytes of UDP payload.
    let frame = udp("192.168.1.5", "203.0.113.9")
        .length(14 + 20 + 8 + 942)
        .build();
    let on_the_wire = 942 + 10 * (14 + 20 + 8);
    for (segments, name) in [
        (10, "counted by the kernel"),
        (0, "from virtio, not counted"),
    ] {
        let ingress = skb(Skb {
            gso_size: 100,
            gso_segs: segments,
            wire_len: 0,
        });
        let counted = bench.run_with(names::PROGRAM_TC_INGRESS, &frame, Some(&ingress));
        assert_eq!(
            counted.slots[0].1,
            frames(on_the_wire, 10, true, false),
            "ingress, {name}"
        );

        let egress = skb(Skb {
            gso_size: 100,
            gso_segs: segments,
            wire_len: on_the_wire as u32,
        });
        let counted = bench.run_with(names::PROGRAM_TC_EGRESS, &frame, Some(&egress));
        assert_eq!(
            counted.slots[0].1,
            frames(on_the_wire, 10, false, false),
            "egress, {name}"
        );
    }
}

struct Skb {
    gso_size: u32,
    gso_segs: u32,
    wire_len: u32,
}

/// A `struct __sk_buff` (192 bytes, `linux/bpf.h`), of which a test run may set these fields.
fn skb(
    Skb {
        gso_size,
        gso_segs,
        wire_len,
    }: Skb,
) -> Vec<u8> {
    let mut context = vec![0; 192];
    for (offset, value) in [(160, wire_len), (164, gso_segs), (176, gso_size)] {
        context[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }
    context
}

#[test]
fn a_flood_of_sources_ends_in_overflow_and_pushes_nobody_out() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    let early = udp("fd00::5", "2001:db8::9").build();
    bench.run(names::PROGRAM_XDP, &early);
    let expected = ip("fd00::beef");
    assert!(
        bench
            .counting
            .table_mut()
            .assign(expected)
            .unwrap()
            .is_some()
    );
    for source in 0..500 {
        let flood = udp(&format!("fd00::1:{source:x}"), "2001:db8::9").build();
        assert_eq!(bench.run(names::PROGRAM_XDP, &flood).slots.len(), 1);
    }
    let one_more = bench.run(names::PROGRAM_XDP, &udp("fd00::2:1", "2001:db8::9").build());
    assert_eq!(one_more.slots[0].0, SLOT_OVERFLOW);
    for known in ["fd00::5", "fd00::beef"] {
        let counted = bench.run(names::PROGRAM_XDP, &udp(known, "2001:db8::9").build());
        assert!(
            bench.is_slot_of(counted.slots[0].0, ip(known)),
            "{known}: {counted:?}"
        );
    }
}

#[test]
fn every_address_has_a_slot_of_its_own() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    let mut slots = BTreeSet::new();
    for source in 0..HASHED {
        let frame = udp(&format!("fd00::{source:x}"), "2001:db8::9").build();
        for program in [names::PROGRAM_XDP, names::PROGRAM_TC_INGRESS] {
            slots.insert(bench.run(program, &frame).slots[0].0);
        }
    }
    assert_eq!(slots.len(), HASHED as usize);
}

#[test]
fn a_slot_taken_back_and_given_away_counts_for_its_new_owner_only() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    let old = udp("fd00::a", "2001:db8::9").build();
    let slot = bench.run(names::PROGRAM_XDP, &old).slots[0].0;
    let table = bench.counting.table_mut();
    table.forget(ip("fd00::a")).unwrap();
    assert_eq!(table.owner(slot), None);
    table.configure(&networks()).unwrap();
    // The cache of this CPU knew the old slot; the new generation made it forget.
    let again = bench.run(names::PROGRAM_XDP, &old).slots[0].0;
    assert_ne!(again, slot);
    // Given back, it goes to the end of the queue.
    bench.counting.table_mut().release(slot).unwrap();
    for source in 0..HASHED {
        let frame = udp(&format!("fd00::c:{source:x}"), "2001:db8::9").build();
        let counted = bench.run(names::PROGRAM_XDP, &frame);
        let [(taken, row)] = counted.slots.as_slice() else {
            panic!("{counted:?}")
        };
        if *taken == slot {
            assert_eq!(
                bench.counting.table().owner(slot),
                Some(ip(&format!("fd00::c:{source:x}")))
            );
            assert_eq!(
                row.sent.packets, 1,
                "nothing of the old owner's is among it"
            );
            return;
        }
    }
    panic!("the slot was never given away");
}

#[test]
fn other_networks_are_in_force_from_one_packet_to_the_next() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    let frame = udp("172.16.0.5", "203.0.113.9").build();
    assert_eq!(
        bench.run(names::PROGRAM_XDP, &frame).slots[0].0,
        SLOT_OUTSIDE
    );
    bench
        .counting
        .table_mut()
        .configure(&Networks {
            count_all: 1,
            ..networks()
        })
        .unwrap();
    let counted = bench.run(names::PROGRAM_XDP, &frame);
    assert_eq!(
        bench.counting.table().owner(counted.slots[0].0),
        Some(ip("172.16.0.5"))
    );
    assert_eq!(
        counted.slots[0].1,
        one_frame(frame.len() as u64, true, false)
    );
}

#[test]
fn every_name_is_in_the_object() {
    let object = aya::EbpfLoader::new()
        .override_global(names::GLOBAL_SLOTS, &4_u32, true)
        .override_global(names::GLOBAL_HASH_BASE, &3_u32, true)
        .override_global(names::GLOBAL_ETHERNET, &1_u32, true)
        .load(OBJECT)
        .unwrap();
    let programs: BTreeSet<&str> = object.programs().map(|(name, _)| name).collect();
    assert_eq!(programs, BTreeSet::from(names::PROGRAMS));
    for map in names::MAPS {
        assert!(object.map(map).is_some(), "{map}");
    }
}

#[test]
fn any_bytes_at_all_pass_and_are_counted_to_the_byte() {
    let bench = RefCell::new(Bench::new(LinkLayer::Ethernet));
    let bytes = prop::collection::vec(any::<u8>(), 14..300);
    // Random bytes are rarely an IP packet; a likely type and version make them one more often.
    let ether_type = prop::sample::select(vec![0x0800_u16, 0x86dd, 0x8100, 0x88a8, 0x8864, 0x0806]);
    let version = prop::sample::select(vec![0x45_u8, 0x46, 0x60, 0x44, 0x00]);
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    let held = TestRunner::new(config).run(
        &(bytes, ether_type, version),
        |(mut frame, ether_type, version)| {
            let mut bench = bench.borrow_mut();
            frame[12..14].copy_from_slice(&ether_type.to_be_bytes());
            if let Some(first) = frame.get_mut(14) {
                *first = version;
            }
            for (program, pass, is_sent) in PROGRAMS {
                if is_refused(program, &frame) {
                    continue;
                }
                let before = bench.total();
                prop_assert_eq!(bench.run(program, &frame).verdict, pass);
                let counted = minus(bench.total(), before);
                let expected = one_frame(frame.len() as u64, is_sent, false);
                prop_assert_eq!(
                    (counted.sent, counted.received),
                    (expected.sent, expected.received)
                );
            }
            Ok(())
        },
    );
    held.unwrap();
}

fn source(addresses: Addresses) -> IpAddr {
    match addresses {
        Addresses::V4 { source, .. } => std::net::Ipv4Addr::from(source).into(),
        Addresses::V6 { source, .. } => std::net::Ipv6Addr::from(source.octets()).into(),
    }
}
