//! The programs by `BPF_PROG_TEST_RUN`: each frame of one table, whole, cut at every byte, and any
//! bytes at all, through every carrier of the parser. What a program counted is read from the
//! counter table; where it must be is known from how the frame was built.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod bench;
mod cases;

use std::{cell::RefCell, collections::BTreeSet, net::IpAddr};

use bwmon::{
    core::meter::minus,
    kernel::{LinkLayer, OBJECT},
};
use bwmon_common::{
    layout::{SLOT_NON_IP, SLOT_OUTSIDE, SLOT_OVERFLOW},
    names,
    networks::Networks,
    parse::{Addresses, Header},
};
use bwmon_tests::ip;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use self::{
    bench::{Bench, HASHED, PROGRAMS, networks},
    cases::{Place, cases, check_counted, frames, is_refused, one_frame, udp},
};

#[test]
fn every_encapsulation_is_counted_for_its_address() {
    let mut bench = Bench::new(LinkLayer::Ethernet);
    for case in cases() {
        let frame = case.frame.build();
        for (program, pass, is_sent) in PROGRAMS {
            let counted = bench.run(program, &frame);
            assert_eq!(counted.verdict, pass, "{}, {program}", case.name);
            check_counted(&bench, &counted, frame.len(), is_sent, &case, program);
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
