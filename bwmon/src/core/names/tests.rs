use proptest::prelude::*;

use super::*;

const MAC: MacAddr = MacAddr([0x3c, 0x22, 0xfb, 0, 0x4f, 0x9e]);
const OTHER: MacAddr = MacAddr([0x3c, 0x22, 0xfb, 0, 0x4f, 0x9f]);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn check(text: &str, expected: Option<&str>) {
    let name = Name::of_host(text);
    assert_eq!(name.as_ref().map(Name::as_str), expected, "{text:?}");
}

#[test]
fn a_host_is_called_by_the_part_before_its_domain() {
    check("laptop", Some("laptop"));
    check("laptop.lan", Some("laptop"));
    check("laptop.local.", Some("laptop"));
    check("laptop.example.org", Some("laptop"));
    check(" laptop \t", Some("laptop"));
    check("Ann's iPad No. 2", Some("Ann's iPad No. 2"));
    check("居間のテレビ", Some("居間のテレビ"));
    check("xn--kche-0ra.lan", Some("xn--kche-0ra"));
}

#[test]
fn what_says_nothing_is_no_name() {
    for text in [
        "",
        " ",
        ".",
        "*",
        "-",
        "---",
        "42",
        "localhost",
        "LocalHost.lan",
        "\u{200b}",
    ] {
        check(text, None);
    }
}

#[test]
fn nobody_can_call_himself_by_an_address() {
    for text in [
        "192.168.1.1",
        "192.168.1.1.",
        "fe80::1",
        "fe80::1.lan",
        "::ffff:192.168.1.1",
        "02:00:00:00:00:01",
        "02-00-00-00-00-01.lan",
        "192.168.1\u{200b}.1",
        "1\u{ff0e}2\u{ff0e}3\u{ff0e}4",
    ] {
        check(text, None);
    }
}

#[test]
fn what_steers_hides_or_is_endless_is_taken_out() {
    check("\u{1b}[31mred\u{1b}[0m", Some("[31mred[0m"));
    check("gpj\u{202e}exe", Some("gpjexe"));
    check("lap\u{200d}top\u{fe0f}", Some("laptop"));
    check("a\nb\0c", Some("abc"));
    check(&"x".repeat(64), Some(&"x".repeat(64)));
    check(&"x".repeat(100_000), Some(&format!("{}…", "x".repeat(63))));
    // Markup is text here: who writes HTML escapes all names, the owner's too.
    check("<b>bold</b>", Some("<b>bold</b>"));
}

proptest! {
    #[test]
    fn every_name_can_be_shown_anywhere(text in "\\PC{0,90}|[\\p{C}a.:0-9 ]{0,90}|(?s:.{0,900})") {
        if let Some(name) = Name::of_host(&text) {
            prop_assert!((1..=64).contains(&name.as_str().chars().count()));
            prop_assert!(name.as_str().chars().all(|c| is_harmless(c) && !has_no_width(c)));
            prop_assert_eq!(name.as_str().trim(), name.as_str());
            prop_assert!(name.as_str().parse::<IpAddr>().is_err());
        }
    }
}

fn fact(source: NameSource, whose: Whose, name: &str) -> NameFact {
    NameFact {
        source,
        whose,
        called: Some(Called {
            name: Name::of_host(name).unwrap(),
            mac: None,
        }),
    }
}

fn lease(address: &str, mac: MacAddr, name: &str) -> NameFact {
    let mut fact = fact(NameSource::Dhcp, Whose::Address(ip(address)), name);
    fact.called = fact.called.map(|called| Called {
        mac: Some(mac),
        ..called
    });
    fact
}

fn best(names: &Names, mac: Option<MacAddr>, addresses: &[&str]) -> Option<(NameSource, String)> {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| ip(address)).collect();
    let best = names.best(mac, &addresses);
    best.map(|(source, name)| (source, name.to_string()))
}

#[test]
fn the_first_source_that_knows_is_believed() {
    let address = Whose::Address(ip("10.0.0.5"));
    let all = [
        NameSource::Dns,
        NameSource::Netbios,
        NameSource::Llmnr,
        NameSource::Mdns,
        NameSource::Hosts,
        NameSource::Ethers,
        NameSource::Dhcp,
    ];
    let mut names = Names::default();
    assert_eq!(best(&names, Some(MAC), &["10.0.0.5"]), None);
    for source in all {
        let whose = match source {
            NameSource::Ethers => Whose::Mac(MAC),
            _ => address,
        };
        assert!(names.learn(fact(source, whose, source.as_str())));
        let expected = Some((source, source.as_str().to_owned()));
        assert_eq!(best(&names, Some(MAC), &["10.0.0.5"]), expected);
    }
    // And the next one where it does not know any more.
    let gone = NameFact {
        source: NameSource::Dhcp,
        whose: address,
        called: None,
    };
    assert!(names.learn(gone.clone()));
    assert!(!names.learn(gone), "it is not new that it does not know");
    let expected = Some((NameSource::Ethers, "ethers".to_owned()));
    assert_eq!(best(&names, Some(MAC), &["10.0.0.5"]), expected);
}

#[test]
fn a_lease_names_its_mac_and_not_who_took_the_address() {
    let mut names = Names::default();
    names.learn(lease("10.0.0.5", MAC, "laptop"));
    let laptop = Some((NameSource::Dhcp, "laptop".to_owned()));
    assert_eq!(best(&names, Some(MAC), &["10.0.0.5"]), laptop);
    assert_eq!(
        best(&names, None, &["10.0.0.5"]),
        laptop,
        "nobody says otherwise"
    );
    assert_eq!(best(&names, Some(OTHER), &["10.0.0.5"]), None);
}

#[test]
fn an_answer_is_forgotten_with_the_owner_of_the_address_and_a_file_is_not() {
    let mut names = Names::default();
    let address = Whose::Address(ip("10.0.0.5"));
    names.learn(fact(NameSource::Dns, address, "old"));
    names.learn(fact(NameSource::Hosts, address, "printer"));
    assert!(names.forget_answers(ip("10.0.0.5")));
    assert!(!names.forget_answers(ip("10.0.0.5")));
    let expected = Some((NameSource::Hosts, "printer".to_owned()));
    assert_eq!(best(&names, None, &["10.0.0.5"]), expected);
}

#[test]
fn names_are_bounded_and_those_that_are_known_still_change() {
    let mut names = Names::default();
    for number in 0..MOST_NAMES as u32 + 10 {
        let address = IpAddr::from(std::net::Ipv4Addr::from(number));
        names.learn(fact(NameSource::Dhcp, Whose::Address(address), "a"));
    }
    assert_eq!(names.tables[&NameSource::Dhcp].len(), MOST_NAMES);
    assert!(names.learn(fact(NameSource::Dhcp, Whose::Address(ip("0.0.0.5")), "b")));
}

#[test]
fn a_vendor_makes_a_name_with_the_end_of_the_mac() {
    let check = |vendor: &str, expected: &str| {
        assert_eq!(name_by_vendor(vendor, MAC), format!("{expected} 00:4f:9e"));
    };
    check("Apple, Inc.", "Apple");
    check("HUAWEI TECHNOLOGIES CO.,LTD", "HUAWEI TECHNOLOGIES");
    check("Samsung Electronics Co.,Ltd", "Samsung Electronics");
    check("Espressif Inc.", "Espressif");
    check(
        "AVM Audiovisuelles Marketing und Computersysteme GmbH",
        "AVM Audiovisuelles",
    );
    check("Co.", "Co.");
    check("Raspberry Pi (Trading) Ltd", "Raspberry Pi Trading");
}

#[test]
fn a_mac_that_was_made_up_has_no_vendor() {
    let mut names = Names::default();
    assert_eq!(names.vendor(MAC), None);
    names.set_vendors(Some(|_| Some("Apple, Inc.")));
    assert_eq!(names.vendor(MAC), Some("Apple, Inc."));
    assert_eq!(names.vendor(MacAddr([0x02, 0, 0, 0, 0, 1])), None);
}

#[test]
fn sources_have_the_same_name_in_json() {
    for source in [
        NameSource::Registered,
        NameSource::Netbios,
        NameSource::Address,
    ] {
        let json = serde_json::to_value(source).unwrap();
        assert_eq!(json, source.as_str());
    }
}
