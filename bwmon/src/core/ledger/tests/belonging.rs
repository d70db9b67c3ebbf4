//! Whose it is: addresses that move, prefixes that come and go, and what a restart makes of them.

use super::*;

const FAR: &str = "10.9.0.0/24";

fn prefix(text: &str, name: Option<&str>) -> Policy {
    let selector = Selector::Prefix(text.parse().unwrap());
    let entry = Registration {
        name: name.map(ToOwned::to_owned),
        ..registered(selector, "", 1_000)
    };
    Policy {
        registered: vec![entry],
        ..Policy::default()
    }
}

fn on_link() -> Option<Vec<ipnet::IpNet>> {
    Some(vec!["10.0.0.0/24".parse().unwrap()])
}

impl Day {
    fn received(&mut self, id: &str) -> u64 {
        self.device(id).today.received
    }
}

#[test]
fn a_mac_whose_last_address_has_moved_still_shows_its_day_also_after_a_restart() {
    let mut day = Day::new(Policy::default());
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.ledger.learn(ip("10.0.0.6"), OTHER);
    day.sample(&[("10.0.0.5", download(700)), ("10.0.0.6", download(1))]);
    let now = day.now;
    drop(day.ledger.take_changes(Occasion::Checkpoint));
    day.ledger.learn(ip("10.0.0.5"), OTHER);
    for device in day.ledger.devices.values() {
        assert!(device.is_unsaved, "{} has other addresses", device.id);
    }
    for entry in day.ledger.addresses.values_mut() {
        entry.is_unsaved = true;
    }
    day.restart(Policy::default());
    assert_eq!(day.now.wall, now.wall);
    day.sample(&[("10.0.0.5", download(50))]);
    assert_eq!(day.received(&MAC.to_string()), 700);
    assert!(day.device(&MAC.to_string()).addresses.is_empty());
    assert_eq!(day.received(&OTHER.to_string()), 51);
}

#[test]
fn an_alert_stays_with_the_mac_that_it_was_about() {
    let unknown = Limits::simple(Setting::At(1_000), Setting::Inherit, Setting::Inherit);
    let mut day = Day::new(Policy {
        unknown,
        ..Policy::default()
    });
    day.ledger.learn(ip("10.0.0.5"), MAC);
    let fired = day.sample(&[("10.0.0.5", download(2_000))]);
    day.ledger.learn(ip("10.0.0.5"), OTHER);
    assert_eq!(day.sample(&[("10.0.0.5", download(10))]), []);
    assert_eq!(
        day.device(&MAC.to_string()).alerts,
        [fired[0].alert.id.clone()]
    );
    assert_eq!(day.device(&OTHER.to_string()).alerts, [""; 0]);
}

#[test]
fn an_address_of_an_earlier_run_joins_its_mac_before_it_counts_again() {
    let mut day = Day::new(Policy::default());
    day.sample(&[("10.0.0.5", download(700))]);
    for entry in day.ledger.addresses.values_mut() {
        // As with tables that are not pinned: nobody comes back to what an address counted.
        entry.is_unsaved = false;
    }
    day.restart(Policy::default());
    day.ledger.learn(ip("10.0.0.5"), MAC);
    day.sample(&[("10.0.0.5", download(50))]);
    assert_eq!(day.ids(), [MAC.to_string()]);
    assert_eq!(day.received(&MAC.to_string()), 750);
}

#[test]
fn a_named_prefix_is_one_device_with_its_own_name_and_thresholds() {
    let mut day = Day::new(prefix(FAR, Some("Branch")));
    day.ledger.set_on_link(on_link());
    let counted = [
        ("10.9.0.5", download(600)),
        ("10.9.0.6", download(300)),
        ("10.0.0.5", download(7)),
    ];
    assert_eq!(day.sample(&counted), []);
    assert_eq!(day.ids(), ["10.0.0.5", FAR]);
    let told = day.sample(&[("10.9.0.7", download(101))]);
    let events: Vec<_> = told
        .iter()
        .map(|told| {
            (
                told.alert.device.id.as_str(),
                told.alert.device.name.as_str(),
            )
        })
        .collect();
    assert_eq!(events, [(FAR, "Branch")], "1001 bytes in all");
    let branch = day.device(FAR);
    assert!(branch.registered && branch.addresses.is_empty());
    let addresses = day.ledger.address_views();
    assert!(addresses[1..].iter().all(|address| address.device == FAR));
}

#[test]
fn a_prefix_that_is_named_takes_over_from_now_on_and_the_past_stays() {
    let mut day = Day::new(Policy::default());
    day.ledger.set_on_link(on_link());
    day.sample(&[("10.9.0.5", download(600))]);
    day.ledger.apply(prefix(FAR, Some("Branch")));
    day.sample(&[("10.9.0.5", download(30))]);
    assert_eq!((day.received("10.9.0.5"), day.received(FAR)), (600, 30));
    day.restart_on(prefix(FAR, Some("Office")), on_link());
    day.sample(&[("10.9.0.5", download(1))]);
    assert_eq!((day.received("10.9.0.5"), day.received(FAR)), (600, 31));
    assert_eq!(day.device(FAR).name, "Office");
    day.ledger.apply(Policy::default());
    day.sample(&[("10.9.0.5", download(5))]);
    assert_eq!((day.received("10.9.0.5"), day.received(FAR)), (605, 31));
}

#[test]
fn what_has_no_address_any_more_is_not_said_to_be_silent() {
    let silent = |mut policy: Policy| {
        policy.unknown.silent.value = Setting::At(Duration::from_secs(60));
        policy
    };
    let mut day = Day::new(silent(Policy::default()));
    day.ledger.set_on_link(on_link());
    day.sample(&[("10.9.0.5", download(600))]);
    day.ledger.apply(silent(prefix(FAR, Some("Branch"))));
    day.sample(&[("10.9.0.5", download(30))]);
    let told = day.after(SECOND * 300, &[]);
    let about: Vec<_> = told
        .iter()
        .map(|told| told.alert.device.id.as_str())
        .collect();
    assert_eq!(about, [FAR]);
}

#[test]
fn a_device_with_ever_new_addresses_stays_one() {
    let mut day = Day::new(Policy::default());
    let hour = SECOND * 3600;
    // Ten new ones an hour, for six days.
    for number in 0..1440_u32 {
        let address = format!("2001:db8::{number:x}");
        day.ledger.learn(ip(&address), MAC);
        day.after(hour / 10, &[(&address, download(1))]);
    }
    assert_eq!(day.ids(), [MAC.to_string()]);
    let device = day.device(&MAC.to_string());
    assert_eq!(device.addresses.len(), day.ledger.address_count());
    assert!(device.addresses.len() <= 256);
}

#[test]
fn neighbours_that_share_a_link_local_address_get_none_of_its_traffic() {
    let heard = |mac, link| Heard {
        address: ip("fe80::1"),
        mac,
        link,
        is_confirmed: true,
    };
    let mut day = Day::new(Policy::default());
    day.ledger.hear_all(&[heard(MAC, 3), heard(OTHER, 4)]);
    day.sample(&[("fe80::1", download(10))]);
    day.ledger.hear_all(&[heard(MAC, 3), heard(OTHER, 4)]);
    day.sample(&[("fe80::1", download(10))]);
    assert_eq!(day.ids(), ["fe80::1"]);
    assert_eq!(day.received("fe80::1"), 20);
}

#[derive(Clone, Debug)]
enum Step {
    Count(usize, u16),
    Learn(usize, u8),
    Register(usize),
    OnLink(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..HOSTS.len(), 1_u16..).prop_map(|(host, bytes)| Step::Count(host, bytes)),
        4 => (0..HOSTS.len(), 1_u8..4).prop_map(|(host, mac)| Step::Learn(host, mac)),
        2 => (0..4_usize).prop_map(Step::Register),
        1 => any::<bool>().prop_map(Step::OnLink),
        1 => Just(Step::Restart),
    ]
}

const HOSTS: [&str; 6] = [
    "10.0.0.1", "10.0.0.2", "10.9.0.1", "10.9.0.2", "10.9.1.1", "fd00::1",
];

/// What should come out, by other means: who had an address when it counted.
#[derive(Default)]
struct Model {
    macs: [Option<MacAddr>; HOSTS.len()],
    policy: usize,
    knows_network: bool,
    /// Where an address that has counted was last put.
    placed: [Option<String>; HOSTS.len()],
    usage: BTreeMap<String, u64>,
}

impl Model {
    fn policy(&self) -> Policy {
        match self.policy {
            1 => prefix("10.9.0.0/24", Some("Near")),
            2 => prefix("10.9.0.0/16", Some("Far")),
            3 => prefix("10.9.0.0/16", None),
            _ => Policy::default(),
        }
    }

    fn whose(&self, host: usize) -> String {
        let address = HOSTS[host];
        let prefix = match self.policy {
            1 if address.starts_with("10.9.0.") => Some("10.9.0.0/24"),
            2 if address.starts_with("10.9.") => Some("10.9.0.0/16"),
            _ => None,
        };
        match (self.macs[host], prefix) {
            (Some(mac), _) => mac.to_string(),
            (None, Some(prefix)) if self.knows_network => prefix.to_owned(),
            (None, _) => address.to_owned(),
        }
    }

    fn place(&mut self, host: usize) {
        let whose = self.whose(host);
        let before = self.placed[host].replace(whose.clone());
        let address = HOSTS[host];
        if before.as_deref() == Some(address)
            && self.macs[host].is_some()
            && let Some(past) = self.usage.remove(address)
        {
            *self.usage.entry(whose).or_default() += past;
        }
    }

    fn place_all(&mut self) {
        for host in 0..HOSTS.len() {
            if self.placed[host].is_some() {
                self.place(host);
            }
        }
    }
}

proptest! {
    #[test]
    fn every_byte_is_of_whom_the_address_had_then(steps in prop::collection::vec(step(), 1..80)) {
        let mut day = Day::new(Policy::default());
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Count(host, bytes) => {
                    day.sample(&[(HOSTS[host], download(bytes.into()))]);
                    model.place(host);
                    *model.usage.entry(model.whose(host)).or_default() += u64::from(bytes);
                }
                Step::Learn(host, mac) => {
                    let mac = MacAddr([0, 0, 0, 0, 0, mac]);
                    day.ledger.learn(ip(HOSTS[host]), mac);
                    model.macs[host] = Some(mac);
                    if model.placed[host].is_some() {
                        model.place(host);
                    }
                }
                Step::Register(policy) => {
                    model.policy = policy;
                    day.ledger.apply(model.policy());
                    model.place_all();
                }
                Step::OnLink(knows) => {
                    model.knows_network = knows;
                    day.ledger.set_on_link(on_link().filter(|_| knows));
                }
                Step::Restart => {
                    for device in day.ledger.devices.values_mut() {
                        device.is_unsaved = device.first_seen.is_some();
                    }
                    for entry in day.ledger.addresses.values_mut() {
                        entry.is_unsaved = true;
                    }
                    // What only a neighbour entry said of an address that never counted comes back
                    // with the neighbours.
                    day.restart_on(model.policy(), on_link().filter(|_| model.knows_network));
                    for (host, mac) in model.macs.iter().enumerate() {
                        if let Some(mac) = mac {
                            day.ledger.learn(ip(HOSTS[host]), *mac);
                        }
                    }
                    model.place_all();
                }
            }
            let usage: BTreeMap<String, u64> = day
                .ledger
                .device_views()
                .iter()
                .map(|device| (device.id.clone(), device.today.received))
                .filter(|(_, received)| *received > 0)
                .collect();
            prop_assert_eq!(&usage, &model.usage);
            let addresses: u64 = day.ledger.address_views().iter().map(|address| address.received_bytes).sum();
            prop_assert_eq!(addresses, usage.values().sum::<u64>());
        }
    }
}
