use proptest::prelude::*;

use super::{source::Order, *};

const ORDERS: [Order; 2] = [Order::Little, Order::Big];

/// Writes numbers in one byte order.
#[derive(Clone)]
struct Writer {
    order: Order,
    bytes: Vec<u8>,
}

impl Writer {
    fn new(order: Order) -> Self {
        Self {
            order,
            bytes: Vec::new(),
        }
    }

    fn u16(mut self, value: u16) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        });
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        });
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    /// A pcap file's head.
    fn head(self, magic: u32, link: u32) -> Self {
        self.u32(magic)
            .u16(2)
            .u16(4)
            .u32(0)
            .u32(0)
            .u32(262_144)
            .u32(link)
    }

    /// A frame of a pcap file.
    fn frame(self, time: (u32, u32), len: u32, kept: &[u8]) -> Self {
        let head = self.u32(time.0).u32(time.1).u32(kept.len() as u32);
        head.u32(len).raw(kept)
    }

    /// A block of a pcapng file.
    fn block(self, kind: u32, body: impl FnOnce(Writer) -> Writer) -> Self {
        let mut body = body(Writer::new(self.order)).bytes;
        body.resize(body.len().next_multiple_of(4), 0);
        let len = body.len() as u32 + 12;
        self.u32(kind).u32(len).raw(&body).u32(len)
    }

    fn section(self) -> Self {
        self.block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d).u16(1).u16(0).raw(&[0xff; 8])
        })
    }

    /// An interface with these options: code and value.
    fn interface(self, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Self {
        self.block(1, |body| {
            let body = body.u16(link).u16(0).u32(snap_len);
            options.iter().fold(body, |body, (code, value)| {
                let mut padded = value.to_vec();
                padded.resize(value.len().next_multiple_of(4), 0);
                body.u16(*code).u16(value.len() as u16).raw(&padded)
            })
        })
    }

    fn packet(self, interface: u32, ticks: u64, len: u32, kept: &[u8]) -> Self {
        self.block(6, |body| {
            body.u32(interface)
                .u32((ticks >> 32) as u32)
                .u32(ticks as u32)
                .u32(kept.len() as u32)
                .u32(len)
                .raw(kept)
        })
    }
}

/// What a frame is: nanoseconds since 1970, link type, bytes on the wire, what was kept.
type Seen = (Option<i128>, LinkType, u64, Vec<u8>);

fn read(bytes: &[u8]) -> Result<Vec<Seen>, CaptureError> {
    let mut capture = Capture::open(bytes)?;
    let mut seen = Vec::new();
    while let Some(frame) = capture.next_frame()? {
        let at = frame.at.map(Timestamp::as_nanosecond);
        seen.push((at, frame.link, frame.bytes, frame.data.to_vec()));
    }
    Ok(seen)
}

fn check(bytes: &[u8], expected: &str) {
    let error = read(bytes).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn ethernet(nanoseconds: i128, len: u64, kept: &[u8]) -> Seen {
    (Some(nanoseconds), LinkType::Ethernet, len, kept.to_vec())
}

#[test]
fn pcap_is_read_in_both_orders_and_units() {
    for order in ORDERS {
        for (magic, nanoseconds) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] {
            let file = Writer::new(order)
                .head(magic, 1)
                .frame((1_700_000_000, 7), 60, &[1; 60])
                .frame((1_700_000_001, 0), 1514, &[2; 96]);
            let expected = [
                ethernet(1_700_000_000_000_000_000 + 7 * nanoseconds, 60, &[1; 60]),
                ethernet(1_700_000_001_000_000_000, 1514, &[2; 96]),
            ];
            assert_eq!(read(&file.bytes).unwrap(), expected, "{order:?} {magic:x}");
        }
    }
}

#[test]
fn a_checksum_that_was_captured_does_not_count() {
    let with_fcs = 1 | 1 << 26 | 2 << 28;
    let file = Writer::new(Order::Little)
        .head(0xa1b2_c3d4, with_fcs)
        .frame((1, 0), 1518, &[0; 64]);
    assert_eq!(read(&file.bytes).unwrap()[0].2, 1514);
}

#[test]
fn pcapng_is_read_in_both_orders_with_each_interfaces_own_clock() {
    for order in ORDERS {
        let offset = match order {
            Order::Little => 3600_i64.to_le_bytes(),
            Order::Big => 3600_i64.to_be_bytes(),
        };
        let file = Writer::new(order)
            .section()
            .interface(1, 0, &[(2, b"eth0"), (0, &[])])
            .interface(101, 0, &[(9, &[9]), (14, &offset)])
            .interface(1, 0, &[(9, &[0x80 | 10])])
            // Statistics, which nobody needs.
            .block(5, |body| body.raw(&[0; 9000]))
            .packet(0, 1_700_000_000_000_001, 60, &[1; 60])
            .packet(1, 1_700_000_000_000_000_001, 40, &[2; 41])
            .packet(2, 1_700_000_000 * 1024 + 512, 99, &[3; 7])
            .block(2, |body| {
                body.u16(0).u16(3).u32(0).u32(5).u32(3).u32(77).raw(&[4; 3])
            });
        let expected = [
            ethernet(1_700_000_000_000_001_000, 60, &[1; 60]),
            (
                Some(1_700_003_600_000_000_001),
                LinkType::Ip,
                41,
                vec![2; 41],
            ),
            ethernet(1_700_000_000_500_000_000, 99, &[3; 7]),
            ethernet(5_000, 77, &[4; 3]),
        ];
        assert_eq!(read(&file.bytes).unwrap(), expected, "{order:?}");
    }
}

#[test]
fn a_simple_packet_has_no_time_and_what_the_snap_length_left() {
    let file = Writer::new(Order::Little)
        .section()
        .interface(1, 6, &[])
        .block(3, |body| body.u32(100).raw(&[5; 8]))
        .block(3, |body| body.u32(5).raw(&[6; 8]));
    let expected = [
        (None, LinkType::Ethernet, 100, vec![5; 6]),
        (None, LinkType::Ethernet, 5, vec![6; 5]),
    ];
    assert_eq!(read(&file.bytes).unwrap(), expected);
}

#[test]
fn a_new_section_has_its_own_order_and_interfaces() {
    let little = Writer::new(Order::Little)
        .section()
        .interface(1, 0, &[])
        .packet(0, 1, 60, &[1; 60]);
    let big = Writer::new(Order::Big)
        .section()
        .interface(101, 0, &[])
        .packet(0, 2, 60, &[2; 60]);
    let both = [little.bytes.clone(), big.bytes].concat();
    let links: Vec<_> = read(&both).unwrap().iter().map(|seen| seen.1).collect();
    assert_eq!(links, [LinkType::Ethernet, LinkType::Ip]);
    let none = Writer::new(Order::Little)
        .section()
        .packet(0, 1, 4, &[0; 4]);
    let (offset, both) = (little.bytes.len() + 28, [little.bytes, none.bytes].concat());
    check(
        &both,
        &format!(
            "the capture is damaged at byte {offset}: a frame of an interface that there is not"
        ),
    );
}

#[test]
fn a_time_that_no_clock_shows_is_none() {
    let file = Writer::new(Order::Little)
        .head(0xa1b2_c3d4, 1)
        .frame((1, 1_000_000), 60, &[0; 60]);
    assert_eq!(read(&file.bytes).unwrap()[0].0, None);
    let file = Writer::new(Order::Little)
        .section()
        .interface(1, 0, &[(9, &[0])])
        .interface(1, 0, &[(9, &[99])])
        .packet(0, u64::MAX, 60, &[0; 60])
        .packet(1, 1, 60, &[0; 60]);
    let times: Vec<_> = read(&file.bytes)
        .unwrap()
        .iter()
        .map(|seen| seen.0)
        .collect();
    assert_eq!(times, [None, None]);
}

#[test]
fn a_cooked_header_counts_as_one_of_ethernet() {
    let ip = [
        0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    let rows = [
        (1, [&[0; 12][..], &[8, 0], &ip].concat()),
        (113, [&[0; 14][..], &[8, 0], &ip].concat()),
        (276, [&[8, 0][..], &[0; 18], &ip].concat()),
        (101, ip.to_vec()),
        (228, ip.to_vec()),
    ];
    for (link, packet) in rows {
        let file = Writer::new(Order::Little).head(0xa1b2_c3d4, link).frame(
            (1, 0),
            packet.len() as u32,
            &packet,
        );
        let mut capture = Capture::open(&file.bytes[..]).unwrap();
        let frame = capture.next_frame().unwrap().unwrap();
        let addresses = frame.addresses();
        assert!(
            matches!(
                addresses,
                Some(bwmon_common::parse::Addresses::V4 {
                    source: 0x0a00_0001,
                    ..
                })
            ),
            "{link}: {addresses:?}"
        );
        let expected = if link == 101 || link == 228 { 20 } else { 34 };
        assert_eq!(frame.bytes, expected, "{link}");
    }
}

#[test]
fn frames_of_other_links_are_left_out_and_told() {
    let file = Writer::new(Order::Little)
        .section()
        .interface(105, 0, &[])
        .interface(1, 0, &[])
        .packet(0, 1, 60, &[0; 60])
        .packet(1, 2, 60, &[0; 60]);
    let mut capture = Capture::open(&file.bytes[..]).unwrap();
    let frame = capture.next_frame().unwrap().unwrap();
    assert_eq!(frame.link, LinkType::Ethernet);
    assert!(capture.next_frame().unwrap().is_none());
    assert_eq!(capture.foreign(), &[(105, 1)].into());
    check(
        &Writer::new(Order::Big).head(0xa1b2_c3d4, 127).bytes,
        "frames of link type 127 can't be read; capture Ethernet, an interface without a link \
         layer, or `-i any`",
    );
}

#[test]
fn what_is_no_capture_is_told() {
    let no_capture = "this is no capture file (pcap or pcapng); make one with `tcpdump -w FILE`";
    check(b"", no_capture);
    check(b"GIF89a", no_capture);
    check(&0xa1b2_c3d4_u32.to_le_bytes(), no_capture);
    check(
        &[0x1f, 0x8b, 8, 0],
        "this capture is compressed by gzip; unpack it first, as in `gzip -dc FILE | bwmon \
         backtest -`",
    );
}

#[test]
fn damage_is_told_with_its_place() {
    let pcap = Writer::new(Order::Little)
        .head(0xa1b2_c3d4, 1)
        .frame((1, 0), 60, &[0; 60]);
    check(
        &pcap.u32(1).u32(0).u32(u32::MAX).u32(60).bytes,
        "the capture is damaged at byte 100: no frame has 4294967295 bytes",
    );
    let pcapng = || Writer::new(Order::Little).section().interface(1, 0, &[]);
    let rows = [
        (pcapng().u32(9).u32(3).u32(3), "no block has 3 bytes"),
        (
            pcapng().u32(6).u32(0xffff_fff0),
            "no frame or interface takes 4294967280 bytes",
        ),
        (
            pcapng().u32(9).u32(16).u32(0).u32(20),
            "a block begins with length 16 and ends with 20",
        ),
        (
            pcapng().block(6, |body| {
                body.u32(0)
                    .u32(0)
                    .u32(0)
                    .u32(u32::MAX)
                    .u32(60)
                    .raw(&[0; 60])
            }),
            "a frame longer than its block",
        ),
        (
            pcapng().block(0x0a0d_0d0a, |body| body.u32(7)),
            "a section without a byte order",
        ),
    ];
    for (file, what) in rows {
        check(
            &file.bytes,
            &format!("the capture is damaged at byte 48: {what}"),
        );
    }
}

#[test]
fn a_file_that_was_cut_off_is_read_up_to_there() {
    let pcap = Writer::new(Order::Little)
        .head(0xa1b2_c3d4, 1)
        .frame((1, 0), 60, &[0; 60]);
    let pcapng = Writer::new(Order::Big)
        .section()
        .interface(1, 0, &[])
        .packet(0, 1, 60, &[0; 60]);
    let files = [
        (pcap.clone(), pcap.frame((2, 0), 60, &[0; 60])),
        (pcapng.clone(), pcapng.clone().packet(0, 2, 60, &[0; 60])),
        (pcapng.clone(), pcapng.block(9, |body| body.raw(&[0; 60]))),
    ];
    for (one, two) in files {
        for len in one.bytes.len()..two.bytes.len() {
            let mut capture = Capture::open(&two.bytes[..len]).unwrap();
            assert!(capture.next_frame().unwrap().is_some());
            assert!(capture.next_frame().unwrap().is_none());
            assert_eq!(capture.is_cut_off(), len > one.bytes.len(), "at {len}");
        }
    }
}

/// Files that are almost right, which is where a reader errs.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = || prop::collection::vec(any::<u8>(), 0..300);
    let order = prop::sample::select(&ORDERS[..]);
    let pcap = (order.clone(), any_bytes())
        .prop_map(|(order, bytes)| Writer::new(order).head(0xa1b2_c3d4, 1).raw(&bytes).bytes);
    let block = (
        prop::sample::select(&[1, 2, 3, 5, 6, 0x0a0d_0d0a][..]),
        any_bytes(),
    );
    let blocks = prop::collection::vec(block, 0..8);
    let pcapng = (order, blocks, any_bytes()).prop_map(|(order, blocks, rest)| {
        let start = Writer::new(order).section().interface(1, 0, &[]);
        let file = blocks.into_iter().fold(start, |file, (kind, bytes)| {
            file.block(kind, |body| body.raw(&bytes))
        });
        file.raw(&rest).bytes
    });
    prop_oneof![any_bytes(), pcap, pcapng]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_in_bounded_memory(file in any_file()) {
        if let Ok(mut capture) = Capture::open(&file[..]) {
            let mut kept = 0;
            while let Ok(Some(frame)) = capture.next_frame() {
                kept += frame.data.len();
                frame.addresses();
                super::super::neighbours::announced(&frame);
            }
            prop_assert!(kept <= file.len());
            // Room is made by doubling, and never for what is not there.
            prop_assert!(capture.buffer.capacity() <= 2 * file.len() + 64);
        }
    }

    #[test]
    fn what_was_written_is_read(
        frames in prop::collection::vec((any::<u32>(), 0_u32..1_000_000, prop::collection::vec(any::<u8>(), 0..200)), 0..20),
        order in prop::sample::select(&ORDERS[..]),
    ) {
        let pcap = frames.iter().fold(Writer::new(order).head(0xa1b2_c3d4, 1), |file, (seconds, micros, kept)| {
            file.frame((*seconds, *micros), kept.len() as u32, kept)
        });
        let start = Writer::new(order).section().interface(1, 0, &[]);
        let pcapng = frames.iter().fold(start, |file, (seconds, micros, kept)| {
            let ticks = u64::from(*seconds) * 1_000_000 + u64::from(*micros);
            file.packet(0, ticks, kept.len() as u32, kept)
        });
        let expected: Vec<Seen> = frames
            .iter()
            .map(|(seconds, micros, kept)| {
                let at = i128::from(*seconds) * 1_000_000_000 + i128::from(*micros) * 1000;
                ethernet(at, kept.len() as u64, kept)
            })
            .collect();
        prop_assert_eq!(&read(&pcap.bytes).unwrap(), &expected);
        prop_assert_eq!(&read(&pcapng.bytes).unwrap(), &expected);
    }
}
