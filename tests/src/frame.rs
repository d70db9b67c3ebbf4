//! Building frames, for counting: headers are right, payloads are zeros.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A frame in the making: Ethernet, tags, PPPoE, IP with extras, UDP.
#[derive(Clone, Debug)]
pub struct Frame {
    source: Mac,
    destination: Mac,
    tags: Vec<(u16, u16)>,
    is_pppoe: bool,
    network: Network,
    options: usize,
    fragment: Option<Fragment>,
    extensions: Vec<u8>,
    payload: usize,
}

#[derive(Clone, Copy, Debug)]
enum Network {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
    Other(u16),
}

#[derive(Clone, Copy, Debug)]
struct Fragment {
    /// In units of eight bytes.
    offset: u16,
    more_follow: bool,
}

const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
const TYPE_PPPOE_SESSION: u16 = 0x8864;
const PROTOCOL_UDP: u8 = 17;
const UDP_LEN: usize = 8;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

impl Frame {
    /// A UDP packet between two addresses of one family, in a plain Ethernet frame.
    ///
    /// # Panics
    /// When the families differ.
    #[track_caller]
    pub fn udp(macs: (Mac, Mac), addresses: (IpAddr, IpAddr)) -> Self {
        let network = match addresses {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Network::V4(source, destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Network::V6(source, destination),
            (source, destination) => panic!("{source} and {destination} are of two families"),
        };
        Self::new(macs, network)
    }

    /// A frame of another protocol.
    pub fn of_type(macs: (Mac, Mac), ether_type: u16) -> Self {
        Self::new(macs, Network::Other(ether_type))
    }

    fn new((source, destination): (Mac, Mac), network: Network) -> Self {
        Self {
            source,
            destination,
            tags: Vec::new(),
            is_pppoe: false,
            network,
            options: 0,
            fragment: None,
            extensions: Vec::new(),
            payload: 0,
        }
    }

    /// Another 802.1Q tag, inside those there are.
    pub fn vlan(self, id: u16) -> Self {
        self.tag(0x8100, id)
    }

    /// Another 802.1ad tag, inside those there are.
    pub fn service_vlan(self, id: u16) -> Self {
        self.tag(0x88a8, id)
    }

    fn tag(mut self, ether_type: u16, id: u16) -> Self {
        self.tags.push((ether_type, id));
        self
    }

    /// In a PPPoE session.
    pub fn pppoe(mut self) -> Self {
        self.is_pppoe = true;
        self
    }

    /// With this many bytes of IPv4 options, a multiple of four up to 40.
    pub fn options(mut self, bytes: usize) -> Self {
        assert!(
            bytes <= 40 && bytes.is_multiple_of(4),
            "an IPv4 header has no such length"
        );
        self.options = bytes;
        self
    }

    /// A fragment, at a multiple of eight bytes; only the first has a UDP header.
    pub fn fragment(mut self, offset_bytes: u16, more_follow: bool) -> Self {
        self.fragment = Some(Fragment {
            offset: offset_bytes / 8,
            more_follow,
        });
        self
    }

    /// With every IPv6 extension header: hop-by-hop options, routing, destination options.
    pub fn extensions(mut self) -> Self {
        self.extensions = vec![HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS];
        self
    }

    /// With as much payload as makes the whole frame this long.
    ///
    /// # Panics
    /// When the headers alone are longer.
    #[track_caller]
    pub fn length(mut self, bytes: usize) -> Self {
        self.payload = 0;
        let headers = self.build().len();
        assert!(headers <= bytes, "the headers alone have {headers} bytes");
        self.payload = bytes - headers;
        self
    }

    /// Whether there is an IPv4 header in it.
    pub fn is_v4(&self) -> bool {
        matches!(self.network, Network::V4(..))
    }

    /// The bytes.
    pub fn build(&self) -> Vec<u8> {
        let (ether_type, packet) = self.packet();
        let mut frame = Vec::with_capacity(packet.len() + 32);
        frame.extend(self.destination.0);
        frame.extend(self.source.0);
        for (tag_type, id) in &self.tags {
            frame.extend(tag_type.to_be_bytes());
            frame.extend(id.to_be_bytes());
        }
        if self.is_pppoe {
            let protocol: u16 = if ether_type == TYPE_IPV6 {
                0x0057
            } else {
                0x0021
            };
            frame.extend(TYPE_PPPOE_SESSION.to_be_bytes());
            // Version 1, type 1, code 0: session data; then the session's number.
            frame.extend([0x11, 0, 0, 7]);
            frame.extend(length16(packet.len() + 2));
            frame.extend(protocol.to_be_bytes());
        } else {
            frame.extend(ether_type.to_be_bytes());
        }
        frame.extend(packet);
        frame
    }

    fn packet(&self) -> (u16, Vec<u8>) {
        match self.network {
            Network::V4(source, destination) => (TYPE_IPV4, self.ipv4(source, destination)),
            Network::V6(source, destination) => (TYPE_IPV6, self.ipv6(source, destination)),
            Network::Other(ether_type) => (ether_type, vec![0; self.payload]),
        }
    }

    fn ipv4(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        let transport = self.transport();
        let header_len = 20 + self.options;
        let fragment = self.fragment.map_or(0, |fragment| {
            fragment.offset | if fragment.more_follow { 0x2000 } else { 0 }
        });
        let mut packet = vec![0x40 | (header_len / 4) as u8, 0];
        packet.extend(length16(header_len + transport.len()));
        packet.extend([0x12, 0x34]);
        packet.extend(fragment.to_be_bytes());
        packet.extend([64, PROTOCOL_UDP, 0, 0]);
        packet.extend(source.octets());
        packet.extend(destination.octets());
        // No operation, all of them.
        packet.resize(header_len, 1);
        let checksum = internet_checksum(&packet);
        packet[10..12].copy_from_slice(&checksum);
        packet.extend(transport);
        packet
    }

    fn ipv6(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
        let mut types = self.extensions.clone();
        if self.fragment.is_some() {
            types.push(FRAGMENT);
        }
        types.push(PROTOCOL_UDP);
        let mut body = Vec::new();
        for pair in types.windows(2) {
            let (this, next) = (pair[0], pair[1]);
            match (this, self.fragment) {
                (FRAGMENT, Some(fragment)) => {
                    body.extend([next, 0]);
                    let more = u16::from(fragment.more_follow);
                    body.extend((fragment.offset << 3 | more).to_be_bytes());
                    body.extend([0, 0, 0x12, 0x34]);
                }
                // Eight bytes with no segment left to visit.
                (ROUTING, _) => body.extend([next, 0, 4, 0, 0, 0, 0, 0]),
                // Eight bytes, six of them padding.
                _ => body.extend([next, 0, 1, 4, 0, 0, 0, 0]),
            }
        }
        body.extend(self.transport());
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length16(body.len()));
        packet.extend([types[0], 64]);
        packet.extend(source.octets());
        packet.extend(destination.octets());
        packet.extend(body);
        packet
    }

    fn transport(&self) -> Vec<u8> {
        if self.fragment.is_some_and(|fragment| fragment.offset > 0) {
            return vec![0; self.payload];
        }
        // To the discard port, without a checksum.
        let mut datagram = vec![0x9c, 0x40, 0, 9];
        datagram.extend(length16(UDP_LEN + self.payload));
        datagram.extend([0, 0]);
        datagram.resize(UDP_LEN + self.payload, 0);
        datagram
    }
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length)
        .expect("a packet is shorter than 64 KiB")
        .to_be_bytes()
}

/// RFC 1071.
fn internet_checksum(header: &[u8]) -> [u8; 2] {
    let sum: u32 = header
        .chunks_exact(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    (!(folded as u16)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: (Mac, Mac) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]));

    fn frame(source: &str, destination: &str) -> Frame {
        Frame::udp(
            MACS,
            (
                source.parse().expect("the test's own address"),
                destination.parse().expect("the test's own address"),
            ),
        )
    }

    #[test]
    fn headers_come_in_the_order_of_the_wire() {
        let v4 = frame("192.0.2.1", "198.51.100.2");
        let v6 = frame("2001:db8::1", "2001:db8::2");
        let rows = [
            (v4.clone(), "0800 4500", 42),
            (v4.clone().vlan(5), "8100 0005 0800 4500", 46),
            (
                v4.clone().service_vlan(6).vlan(5),
                "88a8 0006 8100 0005 0800 4500",
                50,
            ),
            (v4.clone().pppoe(), "8864 1100 0007 001e 0021 4500", 50),
            (v4.clone().options(8), "0800 4700", 50),
            (v6.clone(), "86dd 6000 0000 0008 1140", 62),
            (v6.clone().extensions(), "86dd 6000 0000 0020 0040", 86),
            (v6.fragment(0, true), "86dd 6000 0000 0010 2c40", 70),
        ];
        for (frame, start, length) in rows {
            let bytes = frame.build();
            let hex: String = bytes[12..]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(
                hex.starts_with(&start.replace(' ', "")),
                "{hex} does not start with {start}"
            );
            assert_eq!(bytes.len(), length, "{start}");
        }
        assert_eq!(v4.fragment(16, false).length(100).build().len(), 100);
    }

    #[test]
    fn the_ipv4_checksum_is_right() {
        let bytes = frame("192.0.2.1", "198.51.100.2")
            .options(12)
            .length(100)
            .build();
        assert_eq!(internet_checksum(&bytes[14..46]), [0, 0]);
    }
}
