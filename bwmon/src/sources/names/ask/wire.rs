//! Questions and answers as DNS, multicast DNS and LLMNR write them.

use std::{io, net::IpAddr};

use simple_dns::{
    CLASS, Name as DomainName, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE,
    rdata::RData,
};

use crate::core::names::Name;

/// Most records of a message that is read: none needs as many, and each takes memory.
const MOST_RECORDS: usize = 512;
const HEADER: usize = 12;

/// Whether a resolver is to ask others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recursion {
    /// It is a resolver.
    Wanted,
    /// It is the device itself.
    None,
}

/// Asks for the name of an address.
pub(super) fn question(id: u16, address: IpAddr, recursion: Recursion) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(id);
    if recursion == Recursion::Wanted {
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    let name = reverse(address);
    let name = DomainName::new(&name).map_err(io::Error::other)?;
    let (kind, class) = (QTYPE::TYPE(TYPE::PTR), QCLASS::CLASS(CLASS::IN));
    packet
        .questions
        .push(Question::new(name, kind, class, false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

/// Reads an answer to that question; `None` if it is none. That there is no name is an answer too.
pub(super) fn answer(bytes: &[u8], id: u16, address: IpAddr) -> Option<io::Result<Option<Name>>> {
    let packet = parse(bytes)?;
    let is_answer = packet.id() == id && packet.has_flags(PacketFlag::RESPONSE);
    let asked = reverse(address);
    // A device may leave out the question.
    let is_about = |name: &DomainName<'_>| name.to_string().eq_ignore_ascii_case(&asked);
    let is_its_question = packet
        .questions
        .iter()
        .all(|question| is_about(&question.qname));
    if !is_answer || !is_its_question {
        return None;
    }
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        other => return Some(Err(io::Error::other(format!("it answers {other:?}")))),
    }
    let names = packet
        .answers
        .iter()
        .filter(|record| is_about(&record.name));
    let mut names = names.filter_map(|record| match &record.rdata {
        RData::PTR(name) => host(&name.0),
        _ => None,
    });
    Some(Ok(names.next()))
}

/// What the sender of a message of multicast DNS calls itself: the name that it gives the address
/// that it sends from. What it says of other addresses is not believed.
pub(super) fn heard(bytes: &[u8], sender: IpAddr) -> Option<Name> {
    let packet = parse(bytes)?;
    if !packet.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let records = packet.answers.iter().chain(&packet.additional_records);
    let mut names = records.filter_map(|record| {
        let address = match &record.rdata {
            RData::A(record) => IpAddr::from(record.address.to_be_bytes()),
            RData::AAAA(record) => IpAddr::from(record.address.to_be_bytes()),
            _ => return None,
        };
        // Without a lifetime it says good-bye.
        let is_its = address == sender && record.ttl > 0 && record.name.is_link_local();
        is_its.then(|| host(&record.name)).flatten()
    });
    names.next()
}

fn parse(bytes: &[u8]) -> Option<Packet<'_>> {
    let counts = bytes.get(4..HEADER)?.chunks(2);
    let records: usize = counts
        .map(|count| usize::from(u16::from_be_bytes([count[0], count[1]])))
        .sum();
    (records <= MOST_RECORDS).then(|| Packet::parse(bytes).ok())?
}

/// The first part of a domain name, as its bytes are: a dot in it is one of the name.
fn host(name: &DomainName<'_>) -> Option<Name> {
    let first = name.as_bytes().next()?;
    Name::of_host(&String::from_utf8_lossy(first))
}

/// The name that an address is asked about by.
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev();
            let nibbles = nibbles.map(|octet| format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            nibbles.collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simple_dns::{
        ResourceRecord,
        rdata::{A, PTR},
    };

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn name(text: &str) -> DomainName<'static> {
        DomainName::new(text).unwrap().into_owned()
    }

    /// An answer to a question: PTR records for the name that was asked about.
    fn reply(question: &[u8], names: &[&str]) -> Vec<u8> {
        let mut packet = Packet::parse(question).unwrap().into_reply();
        let asked = packet.questions[0].qname.clone();
        for text in names {
            let pointer = RData::PTR(PTR(name(text)));
            packet
                .answers
                .push(ResourceRecord::new(asked.clone(), CLASS::IN, 60, pointer));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn read(bytes: &[u8], id: u16, address: &str) -> Option<Result<Option<String>, String>> {
        let read = answer(bytes, id, ip(address))?;
        Some(
            read.map(|name| name.map(|name| name.to_string()))
                .map_err(|error| error.to_string()),
        )
    }

    #[test]
    fn addresses_are_asked_about_backwards() {
        assert_eq!(reverse(ip("192.168.1.5")), "5.1.168.192.in-addr.arpa");
        assert_eq!(
            reverse(ip("2001:db8::1234")),
            "4.3.2.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn the_answer_is_the_first_part_of_the_name() {
        for address in ["192.168.1.5", "fd00::5"] {
            let question = question(7, ip(address), Recursion::Wanted).unwrap();
            let laptop = Some(Ok(Some("laptop".to_owned())));
            assert_eq!(read(&reply(&question, &["laptop.lan"]), 7, address), laptop);
            assert_eq!(
                read(&reply(&question, &["1.2", "laptop"]), 7, address),
                laptop
            );
            assert_eq!(read(&reply(&question, &[]), 7, address), Some(Ok(None)));
        }
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_looked_at() {
        let asked = question(7, ip("10.0.0.5"), Recursion::None).unwrap();
        let answered = reply(&asked, &["laptop.lan"]);
        assert_eq!(read(&answered, 8, "10.0.0.5"), None, "another id");
        assert_eq!(read(&answered, 7, "10.0.0.6"), None, "another address");
        assert_eq!(read(&asked, 7, "10.0.0.5"), None, "the question itself");
        assert_eq!(read(&[], 7, "10.0.0.5"), None);
        // Thousands of records are announced, and memory is kept for none of them.
        let mut announced = answered.clone();
        announced[6] = 0xff;
        assert_eq!(read(&announced, 7, "10.0.0.5"), None);
    }

    #[test]
    fn no_such_name_is_an_answer_and_a_failure_is_none() {
        let asked = question(7, ip("10.0.0.5"), Recursion::None).unwrap();
        let with_code = |code: u8| {
            let mut bytes = reply(&asked, &[]);
            bytes[3] = code;
            read(&bytes, 7, "10.0.0.5")
        };
        assert_eq!(with_code(3), Some(Ok(None)));
        assert!(matches!(with_code(2), Some(Err(error)) if error.contains("ServerFailure")));
        assert!(matches!(with_code(5), Some(Err(error)) if error.contains("Refused")));
    }

    fn announcement(records: &[(&str, &str, u32)]) -> Vec<u8> {
        let mut packet = Packet::new_reply(0);
        for (host, address, ttl) in records {
            let IpAddr::V4(address) = ip(address) else {
                panic!("IPv4")
            };
            let record = RData::A(A {
                address: address.into(),
            });
            packet
                .answers
                .push(ResourceRecord::new(name(host), CLASS::IN, *ttl, record));
        }
        packet.build_bytes_vec().unwrap()
    }

    #[test]
    fn a_device_is_believed_about_the_address_that_it_sends_from() {
        let check = |records: &[(&str, &str, u32)], expected: Option<&str>| {
            let name = heard(&announcement(records), ip("10.0.0.5"));
            assert_eq!(name.as_ref().map(Name::as_str), expected, "{records:?}");
        };
        check(&[("tv.local", "10.0.0.5", 120)], Some("tv"));
        check(
            &[
                ("router.local", "10.0.0.1", 120),
                ("tv.local", "10.0.0.5", 120),
            ],
            Some("tv"),
        );
        check(&[("router.local", "10.0.0.1", 120)], None);
        check(&[("tv.local", "10.0.0.5", 0)], None);
        check(&[("tv.example.org", "10.0.0.5", 120)], None);
        check(&[(r"10\.0\.0\.1.local", "10.0.0.5", 120)], None);
        check(&[], None);
        let question = question(0, ip("10.0.0.5"), Recursion::None).unwrap();
        assert_eq!(heard(&question, ip("10.0.0.5")), None);
    }

    proptest! {
        #[test]
        fn no_message_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            heard(&bytes, ip("10.0.0.5"));
            answer(&bytes, 7, ip("10.0.0.5"));
        }

        #[test]
        fn no_change_of_a_message_panics(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
            let mut bytes = announcement(&[("tv.local", "10.0.0.5", 120), ("b.local", "10.0.0.6", 9)]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let cut = cut.index(bytes.len());
            for bytes in [&bytes[..], &bytes[..cut]] {
                heard(bytes, ip("10.0.0.5"));
                answer(bytes, 0, ip("10.0.0.5"));
            }
        }
    }
}
