//! What devices are called, and what that changes.

use super::*;
use crate::core::names::{Called, Name, NameFact, NameSource, Whose};

fn fact(source: NameSource, whose: Whose, name: Option<&str>) -> NameFact {
    let called = name.map(|name| Called {
        name: Name::of_host(name).unwrap(),
        mac: None,
    });
    NameFact {
        source,
        whose,
        called,
    }
}

fn by_address(source: NameSource, address: &str, name: Option<&str>) -> NameFact {
    fact(source, Whose::Address(ip(address)), name)
}

impl Day {
    fn called(&mut self, id: &str) -> (String, NameSource) {
        let device = self.device(id);
        (device.name.clone(), device.name_source)
    }
}

#[test]
fn the_owners_name_wins_and_an_address_is_the_last_resort() {
    let mut day = Day::new(laptop(5_000));
    day.sample(&[("10.0.0.5", download(1)), ("10.0.0.6", download(1))]);
    day.ledger.call([
        by_address(NameSource::Dhcp, "10.0.0.5", Some("leased")),
        by_address(NameSource::Dns, "10.0.0.6", Some("resolved")),
    ]);
    let registered = ("Laptop".to_owned(), NameSource::Registered);
    assert_eq!(day.called("10.0.0.5"), registered);
    let resolved = ("resolved".to_owned(), NameSource::Dns);
    assert_eq!(day.called("10.0.0.6"), resolved);
    day.ledger
        .call([by_address(NameSource::Dns, "10.0.0.6", None)]);
    let address = ("10.0.0.6".to_owned(), NameSource::Address);
    assert_eq!(day.called("10.0.0.6"), address);
}

#[test]
fn a_name_that_changes_makes_no_new_device_and_the_next_event_has_it() {
    let policy = Policy {
        defaults: Limits::simple(Setting::At(1_000), Setting::Off, Setting::Off),
        ..Policy::default()
    };
    let mut day = Day::new(policy);
    day.ledger.learn(ip("10.0.0.5"), MAC);
    let fired = day.sample(&[("10.0.0.5", download(2_000))]);
    let before = day.device(&MAC.to_string());
    assert_eq!(fired[0].alert.device.name, "10.0.0.5");
    for _ in 0..60 {
        day.sample(&[]);
    }
    day.ledger
        .call([fact(NameSource::Dhcp, Whose::Mac(MAC), Some("laptop"))]);
    assert_eq!(day.sample(&[]), [], "a name is no news");
    let after = day.device(&MAC.to_string());
    assert_eq!(after.name, "laptop");
    assert_eq!(
        (&after.today, &after.first_seen),
        (&before.today, &before.first_seen)
    );
    assert_eq!(day.ids().len(), 1);
    let told = day.after(SECOND * 86_400, &[("10.0.0.5", download(3_000))]);
    assert!(!told.is_empty());
    assert!(
        told.iter().all(|told| told.alert.device.name == "laptop"),
        "{told:?}"
    );
}

#[test]
fn an_address_that_moves_leaves_its_answers_behind_and_is_asked_about_anew() {
    let mut day = Day::new(Policy::default());
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(1))]);
    assert_eq!(day.ledger.take_unasked(), [(ip("10.0.0.5"), false)]);
    day.ledger
        .call([by_address(NameSource::Dns, "10.0.0.5", Some("old"))]);
    assert_eq!(day.called(&MAC.to_string()).0, "old");
    day.ledger.learn(ip("10.0.0.5"), OTHER);
    day.sample(&[("10.0.0.5", download(1))]);
    assert_eq!(day.called(&OTHER.to_string()).0, "10.0.0.5");
    assert!(day.ledger.take_unasked().contains(&(ip("10.0.0.5"), true)));
}

#[test]
fn nobody_is_asked_about_devices_that_have_a_better_name() {
    let mut day = Day::new(laptop(5_000));
    day.ledger
        .call([by_address(NameSource::Hosts, "10.0.0.6", Some("printer"))]);
    for address in ["10.0.0.5", "10.0.0.6", "10.0.0.7"] {
        day.sample(&[(address, download(1))]);
    }
    assert_eq!(day.ledger.take_unasked(), [(ip("10.0.0.7"), false)]);
    assert_eq!(day.ledger.take_unasked(), []);
    let again = |day: &Day| -> Vec<IpAddr> { day.ledger.to_ask_again(day.now.wall).collect() };
    assert_eq!(again(&day), [ip("10.0.0.7")]);
    day.after(SECOND * 4_000, &[]);
    assert!(again(&day).is_empty(), "it is not in use any more");
}

#[test]
fn addresses_to_ask_about_are_bounded() {
    let mut day = Day::new(Policy::default());
    for number in 0..20_000_u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        day.sample(&[(&address, download(1))]);
    }
    assert_eq!(day.ledger.take_unasked().len(), 4096);
}

#[test]
fn a_vendor_is_shown_and_names_who_has_no_other_name() {
    let mut day = Day::new(Policy::default());
    let private = MacAddr([0x02, 0, 0, 0, 0, 1]);
    for (address, mac) in [("10.0.0.5", MAC), ("10.0.0.6", private)] {
        day.ledger.learn(ip(address), mac);
        day.sample(&[(address, download(1))]);
    }
    day.ledger.set_vendors(Some(|_| Some("Apple, Inc.")));
    let device = day.device(&MAC.to_string());
    assert_eq!(device.name, "Apple 03:04:05");
    assert_eq!(device.vendor.as_deref(), Some("Apple, Inc."));
    assert!(!device.private_mac);
    let device = day.device(&private.to_string());
    assert_eq!((device.name.as_str(), &device.vendor), ("10.0.0.6", &None));
    assert!(device.private_mac);
    day.ledger.set_vendors(None);
    assert_eq!(day.called(&MAC.to_string()).0, "10.0.0.5");
}
