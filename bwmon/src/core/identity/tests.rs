use super::*;
use crate::core::policy::{Limits, Registration, Selector};

const MAC: MacAddr = MacAddr([0, 1, 2, 3, 4, 5]);
const OTHER: MacAddr = MacAddr([0, 1, 2, 3, 4, 6]);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn learn(identity: &mut Identity, address: IpAddr, mac: MacAddr) -> Learned {
    identity.learn(&Heard::somewhere(address, mac), at(0), |_| None)
}

fn hear(identity: &mut Identity, address: &str, mac: MacAddr, link: u32, is_confirmed: bool) {
    let heard = Heard {
        address: ip(address),
        mac,
        link,
        is_confirmed,
    };
    identity.learn(&heard, at(0), |_| None);
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn prefixes(entries: &[(&str, Option<&str>)]) -> Policy {
    let entry = |(prefix, name): &(&str, Option<&str>)| Registration {
        selector: Selector::Prefix(prefix.parse().unwrap()),
        name: name.map(ToOwned::to_owned),
        group: None,
        limits: Limits::default(),
        muted: false,
    };
    Policy {
        registered: entries.iter().map(entry).collect(),
        ..Policy::default()
    }
}

fn registered(addresses: &[&str]) -> Policy {
    let entry = |address: &&str| Registration {
        selector: Selector::Address(ip(address)),
        name: None,
        group: None,
        limits: Limits::default(),
        muted: false,
    };
    Policy {
        registered: addresses.iter().map(entry).collect(),
        ..Policy::default()
    }
}

#[test]
fn addresses_of_one_mac_are_one_device() {
    let mut identity = Identity::default();
    learn(&mut identity, ip("10.0.0.5"), MAC);
    learn(&mut identity, ip("fe80::5"), MAC);
    assert_eq!(
        identity.device(ip("10.0.0.5")),
        identity.device(ip("fe80::5"))
    );
    assert_eq!(identity.device(ip("10.0.0.5")), Some(MAC.to_string()));
}

#[test]
fn an_address_without_a_mac_is_a_device() {
    assert_eq!(
        Identity::default().device(ip("10.0.0.5")),
        Some("10.0.0.5".to_owned())
    );
}

#[test]
fn one_registered_address_does_not_split_its_mac() {
    let mut identity = Identity::default();
    identity.register(&registered(&["10.0.0.5"]));
    learn(&mut identity, ip("10.0.0.5"), MAC);
    learn(&mut identity, ip("fe80::5"), MAC);
    assert_eq!(identity.device(ip("10.0.0.5")), Some(MAC.to_string()));
}

#[test]
fn two_registered_addresses_of_one_mac_are_two_devices() {
    let mut identity = Identity::default();
    identity.register(&registered(&["10.0.0.5", "10.0.0.6"]));
    learn(&mut identity, ip("10.0.0.5"), MAC);
    let changed = learn(&mut identity, ip("10.0.0.6"), MAC);
    assert!(
        changed.changed.contains(&ip("10.0.0.5")),
        "the first one must be looked at again"
    );
    assert_eq!(identity.device(ip("10.0.0.5")), Some("10.0.0.5".to_owned()));
    assert_eq!(identity.device(ip("10.0.0.6")), Some("10.0.0.6".to_owned()));
}

#[test]
fn an_address_that_moves_takes_its_new_mac() {
    let mut identity = Identity::default();
    learn(&mut identity, ip("10.0.0.5"), MAC);
    learn(&mut identity, ip("10.0.0.5"), OTHER);
    assert_eq!(identity.device(ip("10.0.0.5")), Some(OTHER.to_string()));
    assert!(!identity.addresses.contains_key(&MAC));
}

#[test]
fn a_group_is_no_device() {
    for group in ["224.0.0.251", "ff02::1", "255.255.255.255", "0.0.0.0", "::"] {
        assert_eq!(Identity::default().device(ip(group)), None, "{group}");
    }
}

#[test]
fn one_more_address_than_a_mac_may_have_has_the_longest_silent_one_forgotten() {
    let mut identity = Identity::default();
    let address = |n: i64| ip(&format!("2001:db8::{n:x}"));
    let hour = 3600;
    let learn_at = |identity: &mut Identity, n: i64, seconds: i64| {
        // The first one goes on talking.
        let seen = |other| (other == address(0)).then(|| at(seconds));
        identity.learn(&Heard::somewhere(address(n), MAC), at(seconds), seen)
    };
    let most = MAX_PER_MAC as i64;
    for n in 0..most {
        learn_at(&mut identity, n, n);
    }
    assert_eq!(
        learn_at(&mut identity, most, most),
        Learned::default(),
        "all are in use"
    );
    assert_eq!(
        identity.device(address(most)),
        Some(address(most).to_string())
    );
    let learned = learn_at(&mut identity, most, 2 * hour);
    assert_eq!(learned.forgotten, Some(address(1)));
    assert_eq!(identity.device(address(most)), Some(MAC.to_string()));
    assert_eq!(identity.device(address(0)), Some(MAC.to_string()));
    assert_eq!(identity.addresses(MAC).len(), MAX_PER_MAC);
}

#[test]
fn a_link_local_address_of_devices_on_two_interfaces_is_neither_s() {
    let mut identity = Identity::default();
    hear(&mut identity, "fe80::1", MAC, 3, true);
    hear(&mut identity, "fe80::1", MAC, 4, true);
    assert_eq!(
        identity.device(ip("fe80::1")),
        Some(MAC.to_string()),
        "a device on both"
    );
    hear(&mut identity, "fe80::1", OTHER, 3, false);
    assert_eq!(identity.device(ip("fe80::1")), Some("fe80::1".to_owned()));
    hear(&mut identity, "fe80::1", MAC, 4, true);
    assert_eq!(identity.device(ip("fe80::1")), Some("fe80::1".to_owned()));
    assert!(identity.addresses(MAC).is_empty());
    assert_eq!(identity.mac(ip("fe80::1")), None);
}

#[test]
fn the_entry_that_an_address_leaves_behind_on_an_interface_says_nothing_new() {
    let mut identity = Identity::default();
    hear(&mut identity, "10.0.0.5", MAC, 3, true);
    // A new one is not confirmed at first.
    hear(&mut identity, "10.0.0.5", OTHER, 4, false);
    assert_eq!(identity.mac(ip("10.0.0.5")), Some(OTHER));
    hear(&mut identity, "10.0.0.5", MAC, 3, false);
    assert_eq!(identity.mac(ip("10.0.0.5")), Some(OTHER));
    hear(&mut identity, "10.0.0.5", MAC, 3, true);
    assert_eq!(identity.mac(ip("10.0.0.5")), Some(MAC), "it came back");
}

#[test]
fn addresses_behind_another_router_are_their_own_or_a_named_prefix_s() {
    let mut identity = Identity::default();
    let entries = [
        ("10.9.0.0/16", Some("Branch")),
        ("10.9.1.0/24", None),
        ("10.9.2.0/24", Some("Lab")),
        ("10.0.0.0/8", Some("Company")),
        ("0.0.0.0/0", Some("Everything")),
        ("fe80::/10", Some("Link-local")),
    ];
    let mut policy = prefixes(&entries);
    policy
        .registered
        .extend(registered(&["10.9.0.7"]).registered);
    identity.register(&policy);
    let rows = [
        ("10.9.0.5", "10.9.0.0/16", "of the branch"),
        ("10.9.1.5", "10.9.1.5", "the longest prefix has no name"),
        ("10.9.2.5", "10.9.2.0/24", "the longest prefix"),
        ("10.9.0.7", "10.9.0.7", "registered by itself"),
        (
            "10.0.0.5",
            "10.0.0.5",
            "a neighbour whose mac is not known yet",
        ),
        ("192.0.2.5", "192.0.2.5", "everything is no device"),
        ("fe80::5", "fe80::5", "no router passes that on"),
    ];
    let check = |identity: &Identity, is_known: bool| {
        for (address, expected, why) in rows {
            let expected = if is_known { expected } else { address };
            assert_eq!(
                identity.device(ip(address)).as_deref(),
                Some(expected),
                "{why}"
            );
        }
    };
    check(&identity, false);
    identity.set_on_link(Some(vec!["10.0.0.0/24".parse().unwrap()]));
    check(&identity, true);
    learn(&mut identity, ip("10.9.0.5"), MAC);
    assert_eq!(identity.device(ip("10.9.0.5")), Some(MAC.to_string()));
}
